-- Rate limits: no more than `rate_limit` starts in any `rate_period_ms`, over all workers, for each value of `rate_key` by
-- itself where there is one. A start is a hand-out, counted when it is made. What is handed back unstarted stays counted: by
-- then its place may be over, and a place of somebody else's start would be given away in its stead.
--
-- What was started within the last period is kept as a short list of times with counts. Starts within a 64th of the
-- period are counted together, at the last one's time: so the list stays short, never more happen than were allowed, and
-- what is allowed is delivered but for that 64th. A bucket that refills would let twice as many through at its refill, and
-- a window of the clock twice as many around its border.
--
-- A claim waits for the rows of keys only as long as it holds none of a greater key, so that two claims cannot deadlock: in
-- the order of the keys at its first look at the queue, and not at all at further ones.

-- Locks the list of a key and says how many starts it allows now, and when the next one may be if these are used up. Null
-- where somebody else has it and the caller is not `patient`.
create or replace function orchestra.rate_look(
  target orchestra.workload, key text, patient boolean default true, out allowed int, out free_at timestamptz
)
language plpgsql set search_path = ''
as $$
declare
  period constant interval := make_interval(secs => (target).rate_period_ms / 1000.0);
  added constant bigint := hashtextextended(
    format('orchestra.rate %s/%s %s', (target).project, (target).name, rate_look.key), 0);
  moment timestamptz;
  mine orchestra.rate;
begin
  loop
    if patient then
      select r.* into mine from orchestra.rate r
      where r.project = (target).project and r.workload = (target).name and r.key = rate_look.key
      for update;
    else
      select r.* into mine from orchestra.rate r
      where r.project = (target).project and r.workload = (target).name and r.key = rate_look.key
      for update skip locked;
    end if;
    exit when found;
    -- Of a new key; or of an old one that has just been cleared away. Whoever adds it at the same time is waited for, or is
    -- not, like whoever has the row.
    if patient then
      perform pg_advisory_xact_lock(added);
    elsif not pg_try_advisory_xact_lock(added) or exists (
      select from orchestra.rate r
      where r.project = (target).project and r.workload = (target).name and r.key = rate_look.key
    ) then
      return;
    end if;
    insert into orchestra.rate (project, workload, key) values ((target).project, (target).name, rate_look.key)
    on conflict do nothing;
  end loop;
  moment := clock_timestamp();
  select greatest((target).rate_limit - coalesce(sum(e.n), 0), 0), coalesce(min(e.at), moment) + period
  into allowed, free_at
  from unnest(mine.at, mine.n) e(at, n)
  where e.at > moment - period;
end
$$;

-- Writes down that `count` are started now. The caller has looked, in this transaction.
create or replace function orchestra.rate_take(target orchestra.workload, key text, count int) returns void
language plpgsql set search_path = ''
as $$
declare
  period constant interval := make_interval(secs => (target).rate_period_ms / 1000.0);
  moment constant timestamptz := clock_timestamp();
  ats timestamptz[];
  ns int[];
  size int;
begin
  select coalesce(array_agg(e.at order by e.position), '{}'), coalesce(array_agg(e.n order by e.position), '{}')
  into ats, ns
  from orchestra.rate r, unnest(r.at, r.n) with ordinality e(at, n, position)
  where r.project = (target).project and r.workload = (target).name and r.key = rate_take.key
    and e.at > moment - period;
  size := cardinality(ats);
  if size > 1 and ats[size - 1] > moment - period / 64 then
    -- The last entry is still gathering: it began after the one before it.
    ats[size] := moment;
    ns[size] := ns[size] + rate_take.count;
  else
    ats := ats || moment;
    ns := ns || rate_take.count;
  end if;
  update orchestra.rate r set at = ats, n = ns, updated_at = moment
  where r.project = (target).project and r.workload = (target).name and r.key = rate_take.key;
end
$$;

-- Places for `count` messages of a key that have to wait. The first few get the next free time: they may well have come a
-- moment too early. The others are lined up behind each other at the pace of the limit, so that a long line is not looked
-- at again and again.
create or replace function orchestra.rate_places(target orchestra.workload, key text, count int, free_at timestamptz)
returns timestamptz[]
language plpgsql set search_path = ''
as $$
declare
  pace constant interval := make_interval(secs => (target).rate_period_ms / 1000.0 / (target).rate_limit);
  door constant interval := make_interval(secs => (target).rate_period_ms / 1000.0 / 16);
  mine orchestra.rate;
  places timestamptz[] := array[]::timestamptz[];
begin
  select r.* into mine from orchestra.rate r
  where r.project = (target).project and r.workload = (target).name and r.key = rate_places.key;
  for i in 1 .. rate_places.count loop
    if mine.next_at is null or mine.next_at + pace <= free_at + door then
      mine.next_at := greatest(mine.next_at + pace, free_at);
      places := places || mine.next_at;
    else
      mine.ahead := greatest(mine.ahead, mine.next_at) + pace;
      places := places || mine.ahead;
    end if;
  end loop;
  update orchestra.rate r set next_at = mine.next_at, ahead = mine.ahead, updated_at = clock_timestamp()
  where r.project = (target).project and r.workload = (target).name and r.key = rate_places.key;
  return places;
end
$$;

-- Which of the messages that could be handed out may start now, at most `wanted`: `chosen` are their positions, in order.
-- What is above the limit stays where it is (`wait_ms`: until when), or, so that it does not stand in the way of other
-- keys, moves to when its turn comes, or is dropped; `moved` says that messages went from the head of the queue. What has
-- been handed out before is never dropped. Those of a key that somebody else has stay where they are, unless the caller is
-- `patient`.
create or replace function orchestra.rate_choose(
  target orchestra.workload, ids bigint[], cts int[], keys text[], tasks jsonb[], wanted int, patient boolean,
  out chosen int[], out moved boolean, out wait_ms int
)
language plpgsql set search_path = ''
as $$
declare
  queue constant text := format('pgmq.%I', 'q_' || (target).queue_name);
  all_keys text[];
  allowed int[] := array[]::int[];
  free_ats timestamptz[] := array[]::timestamptz[];
  looked record;
  item record;
  doomed int[];
begin
  moved := false;
  all_keys := array(select distinct k from unnest(keys) k order by k);
  for i in 1 .. cardinality(all_keys) loop
    looked := orchestra.rate_look(target, all_keys[i], patient);
    allowed := allowed || looked.allowed;
    free_ats := free_ats || looked.free_at;
  end loop;
  chosen := array(
    select p.position from (
      select u.key, u.position::int, row_number() over (partition by u.key order by u.position) as place
      from unnest(keys) with ordinality u(key, position)
    ) p
    where p.place <= allowed[array_position(all_keys, p.key)]
    order by p.position
    limit wanted
  );
  for item in
    select p.key, array_position(all_keys, p.key) as number,
           count(*) filter (where p.position = any (chosen))::int as started,
           coalesce(array_agg(p.position order by p.position) filter (
             where p.place > allowed[array_position(all_keys, p.key)]
           ), '{}') as above
    from (
      select u.key, u.position::int, row_number() over (partition by u.key order by u.position) as place
      from unnest(keys) with ordinality u(key, position)
    ) p
    group by p.key
    order by p.key
  loop
    if item.started > 0 then
      perform orchestra.rate_take(target, item.key, item.started);
    end if;
    continue when cardinality(item.above) = 0;
    if (target).rate_on_excess = 'queue' and (target).rate_key is null then
      wait_ms := greatest(ceil(extract(epoch from free_ats[item.number] - clock_timestamp()) * 1000), 1);
      continue;
    end if;
    moved := true;
    if (target).rate_on_excess = 'drop' then
      doomed := array(
        select a from unnest(item.above) a
        where cts[a] = 0 and (tasks[a] ->> 'run' is null or orchestra.hold_run((tasks[a] ->> 'run')::bigint))
        order by a
      );
      item.above := array(select a from unnest(item.above) a where a <> all (doomed) order by a);
      perform orchestra.rate_drop(target, item.key, array(select ids[d] from unnest(doomed) d), array(
        select jsonb_build_object('orchestra', tasks[d]) from unnest(doomed) d where tasks[d] ->> 'run' is not null
      ));
      continue when cardinality(item.above) = 0;
    end if;
    execute format(
      'update %s m set vt = p.at from unnest($1, $2) p(id, at) where m.msg_id = p.id', queue)
    using array(select ids[a] from unnest(item.above) with ordinality u(a, n) order by u.n),
          orchestra.rate_places(target, item.key, cardinality(item.above), free_ats[item.number]);
  end loop;
end
$$;

-- Takes messages off their queue that nobody will run, and tells the runs that they belong to.
create or replace function orchestra.rate_drop(target orchestra.workload, key text, ids bigint[], tasks jsonb[]) returns void
language plpgsql set search_path = ''
as $$
begin
  if cardinality(ids) = 0 then
    return;
  end if;
  execute format('delete from pgmq.%I m where m.msg_id = any ($1)', 'q_' || (target).queue_name) using ids;
  update orchestra.rate r set dropped = r.dropped + cardinality(ids), updated_at = clock_timestamp()
  where r.project = (target).project and r.workload = (target).name and r.key = rate_drop.key;
  if cardinality(tasks) > 0 then
    perform orchestra.settle_tasks(
      target, tasks, array_fill(null::jsonb, array[cardinality(tasks)]),
      array_fill('dropped by the rate limit'::text, array[cardinality(tasks)]));
  end if;
end
$$;

-- Whether nothing of a workload may start within the next second, so that waking somebody for it is of no use.
create or replace function orchestra.rate_rests(target orchestra.workload) returns boolean
language plpgsql set search_path = pg_catalog, pg_temp
as $$
begin
  if (target).rate_limit is null or (target).rate_key is not null or (target).rate_on_excess <> 'queue' then
    return false;
  end if;
  return coalesce((
    select sum(e.n) >= (target).rate_limit
    from orchestra.rate r, unnest(r.at, r.n) e(at, n)
    where r.project = (target).project and r.workload = (target).name and r.key = ''
      and e.at > clock_timestamp() + interval '1 second' - make_interval(secs => (target).rate_period_ms / 1000.0)
  ), false);
end
$$;
