-- Worker slots. Who holds one may run one handler; there are `concurrency` of them, so never more handlers run.
--
-- A SQL worker is a call in a backend, and whether that call still goes on can be known: its backend exists and has
-- been running the same statement since the slot was taken. So a slot is never taken from a worker that lives, and one
-- that was killed gives its slot up at once, without waiting for a lease.
--
-- Cancelling is a handshake over the slot's row. The tick locks the row, notes `cancelled_at` and only then signals the
-- backend; a worker locks the row as soon as its handler has ended and keeps it until it has committed the verdict. So
-- a cancel can hit the handler that it was meant for, or the wait for the row, and never the verdict or a later item.

-- Whether the very call that took a slot still goes on. `query_start` is hidden where activity is not tracked; then a
-- backend of that number counts, as long as the lease runs.
create or replace function orchestra.call_goes_on(pid int, call_started timestamptz, lease_until timestamptz)
returns boolean
language plpgsql volatile set search_path = ''
as $$
begin
  if call_goes_on.pid is null then
    return coalesce(call_goes_on.lease_until > clock_timestamp(), false);
  end if;
  -- The picture of what backends do is taken once a transaction; one older than the slot's row would be wrong.
  perform pg_stat_clear_snapshot();
  return exists (
    select from pg_stat_get_activity(call_goes_on.pid) a
    where (a.query_start = call_goes_on.call_started and a.state = 'active')
       or (a.query_start is null and call_goes_on.lease_until > clock_timestamp())
  );
end
$$;

-- Takes a slot for the call that runs this; its token, or null where there is nothing to do or the slot is taken.
create or replace function orchestra.slot_enter(project text, workload text, slot int) returns uuid
language plpgsql set search_path = '' set lock_timeout = '5s'
as $$
declare
  mine orchestra.slot;
  new_token uuid := gen_random_uuid();
begin
  if not exists (
    select from orchestra.workload w join orchestra.project p on p.project = w.project
    where w.project = slot_enter.project and w.name = slot_enter.workload
      and p.gate = 'open' and not w.paused and slot_enter.slot <= w.concurrency
  ) then
    return null;
  end if;
  if not exists (
    select from orchestra.slot s
    where s.project = slot_enter.project and s.workload = slot_enter.workload and s.slot = slot_enter.slot
  ) then
    insert into orchestra.slot (project, workload, slot)
    values (slot_enter.project, slot_enter.workload, slot_enter.slot)
    on conflict do nothing;
  end if;
  select s.* into mine from orchestra.slot s
  where s.project = slot_enter.project and s.workload = slot_enter.workload and s.slot = slot_enter.slot
  for update; -- waited for: others hold it for moments only, and a due time must not be left out for that
  if not found then
    return null;
  end if;
  if mine.token is not null then
    if orchestra.call_goes_on(mine.pid, mine.call_started, mine.lease_until) then
      return null;
    end if;
    perform orchestra.slot_reap(mine);
  end if;
  update orchestra.slot s set
    token = new_token,
    pid = pg_backend_pid(),
    call_started = (select a.query_start from pg_stat_get_activity(pg_backend_pid()) a),
    lease_until = clock_timestamp() + interval '1 minute'
  where s.project = slot_enter.project and s.workload = slot_enter.workload and s.slot = slot_enter.slot;
  return new_token;
end
$$;

-- Locks the caller's slot until its transaction ends, so that nobody cancels it from here on. Says whether a cancel has
-- been sent for what the slot holds; null when the slot is the caller's no longer.
create or replace function orchestra.slot_hold(project text, workload text, slot int, token uuid) returns boolean
language sql set search_path = ''
as $$
  select s.cancelled_at is not null
  from orchestra.slot s
  where s.project = $1 and s.workload = $2 and s.slot = $3 and s.token = $4
  for update;
$$;

-- Notes that the slot holds nothing.
create or replace function orchestra.slot_empty(project text, workload text, slot int, token uuid) returns void
language sql set search_path = ''
as $$
  update orchestra.slot s set held = '{}', held_ct = '{}', due_at = null, cancelled_at = null
  where s.project = $1 and s.workload = $2 and s.slot = $3 and s.token = $4;
$$;

create or replace function orchestra.slot_leave(project text, workload text, slot int, token uuid) returns void
language sql set search_path = ''
as $$
  update orchestra.slot s set
    token = null, pid = null, call_started = null, lease_until = null,
    held = '{}', held_ct = '{}', due_at = null, cancelled_at = null
  where s.project = $1 and s.workload = $2 and s.slot = $3 and s.token = $4;
$$;

-- Frees the slot of a worker that is gone (the caller holds the row's lock and knows). What it was working on has spent
-- an attempt without a verdict: it waits like a failure does, and stays suspect.
create or replace function orchestra.slot_reap(gone orchestra.slot) returns void
language plpgsql set search_path = ''
as $$
declare
  number int;
begin
  for number in select generate_subscripts((gone).held, 1) loop
    perform orchestra.fail_message(
      (gone).project, (gone).workload, (gone).held[number], (gone).held_ct[number],
      error => case
        when (gone).cancelled_at is not null then 'timed out; its worker was ended'
        else format('its worker went away without a verdict (backend %s)', coalesce((gone).pid::text, 'unknown'))
      end,
      sqlstate => '57P01', verdict => false
    );
  end loop;
  update orchestra.scheduled_run r set
    status = 'lost', finished_at = clock_timestamp(),
    error = 'its backend went away without a verdict'
  where r.project = (gone).project and r.workload = (gone).workload and r.status = 'running' and (gone).slot = 1;
  perform orchestra.slot_leave((gone).project, (gone).workload, (gone).slot, (gone).token);
end
$$;
