-- Rate limits: no more than `rate_limit` starts in any `rate_period_ms`, over all workers, for each value of `rate_key` by
-- itself where there is one.
--
-- What was started within the last period is kept as a short list of times with counts. Starts within a 64th of the
-- period are counted together, at the last one's time: so the list stays short, never more happen than were allowed, and
-- what is allowed is delivered but for that 64th. A bucket that refills would let twice as many through at its refill, and
-- a window of the clock twice as many around its border.

-- Takes up to `wanted` starts for a key. `allowed` of them may start now; `free_at` is when the next one may.
create or replace function orchestra.rate_take(
  target orchestra.workload, key text, wanted int, out allowed int, out free_at timestamptz
)
language plpgsql set search_path = ''
as $$
declare
  period constant interval := make_interval(secs => (target).rate_period_ms / 1000.0);
  mine orchestra.rate;
  moment timestamptz;
  used int := 0;
  ats timestamptz[] := array[]::timestamptz[];
  ns int[] := array[]::int[];
begin
  insert into orchestra.rate (project, workload, key) values ((target).project, (target).name, rate_take.key)
  on conflict do nothing;
  select r.* into mine from orchestra.rate r
  where r.project = (target).project and r.workload = (target).name and r.key = rate_take.key
  for update;
  moment := clock_timestamp();
  for i in 1 .. cardinality(mine.at) loop
    if mine.at[i] > moment - period then
      ats := ats || mine.at[i];
      ns := ns || mine.n[i];
      used := used + mine.n[i];
    end if;
  end loop;
  allowed := greatest(least(wanted, (target).rate_limit - used), 0);
  if allowed > 0 then
    if cardinality(ats) > 1 and ats[cardinality(ats) - 1] > moment - period / 64 then
      -- The last entry is still gathering: it began after the one before it.
      ats[cardinality(ats)] := moment;
      ns[cardinality(ns)] := ns[cardinality(ns)] + allowed;
    else
      ats := ats || moment;
      ns := ns || allowed;
    end if;
    update orchestra.rate r set at = ats, n = ns, updated_at = moment
    where r.project = (target).project and r.workload = (target).name and r.key = rate_take.key;
  end if;
  free_at := case when used + allowed < (target).rate_limit then moment else ats[1] + period end;
end
$$;

-- When the next message may come that has to wait for this key: one after the other at the pace of the limit, so that a
-- long line of them is not looked at again and again.
create or replace function orchestra.rate_postpone(target orchestra.workload, key text, free_at timestamptz)
returns timestamptz
language sql set search_path = ''
as $$
  update orchestra.rate r set
    ahead = greatest(r.ahead + make_interval(secs => (target).rate_period_ms / 1000.0 / (target).rate_limit), $3)
  where r.project = (target).project and r.workload = (target).name and r.key = $2
  returning ahead;
$$;
