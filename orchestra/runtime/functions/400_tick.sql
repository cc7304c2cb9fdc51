-- The tick. It watches over running SQL handlers: `statement_timeout` set inside a call does not arm, so those that are
-- overdue are cancelled from outside, and the slots of workers that went away are freed. And it is the safety net of the
-- queues that are worked off in Edge Functions.

-- Looks after one slot: `cancelled`, `ended`, `reaped`, or null when nothing was to do. Reaping writes to a queue, which
-- somebody may have locked; the short lock timeout keeps that from holding up all others.
create or replace function orchestra.watch_slot(project text, workload text, slot int) returns text
language plpgsql set search_path = '' set lock_timeout = '100ms'
as $$
declare
  mine orchestra.slot;
begin
  select s.* into mine from orchestra.slot s
  where s.project = watch_slot.project and s.workload = watch_slot.workload and s.slot = watch_slot.slot
    and s.pid is not null
  for update skip locked;
  if not found then
    return null;
  end if;
  if not orchestra.call_goes_on(mine.pid, mine.call_started, mine.lease_until) then
    perform orchestra.slot_reap(mine);
    return 'reaped';
  end if;
  if mine.due_at is null or mine.due_at > clock_timestamp() then
    return null;
  end if;
  if mine.cancelled_at is null then
    update orchestra.slot s set cancelled_at = clock_timestamp()
    where s.project = watch_slot.project and s.workload = watch_slot.workload and s.slot = watch_slot.slot;
    perform pg_cancel_backend(mine.pid);
    return 'cancelled';
  end if;
  -- A handler that caught its cancel and went on.
  if mine.cancelled_at < clock_timestamp() - interval '10 seconds' then
    perform pg_terminate_backend(mine.pid);
    return 'ended';
  end if;
  return null;
end
$$;

-- Looks after a project's slots, or after those whose workload is polled every `interval_ms` (and those of scheduled SQL,
-- which is polled by nobody). A transaction for each, so that a worker never waits for more than its own.
create or replace procedure orchestra.watch(project text, interval_ms int default null)
language plpgsql
as $$
declare
  mark record;
begin
  perform pg_catalog.set_config('search_path', '', true);
  for mark in
    select s.workload, s.slot
    from orchestra.slot s
    join orchestra.workload w on w.project = s.project and w.name = s.workload
    where s.project = watch.project and s.pid is not null
      and (watch.interval_ms is null or w.poll_interval_ms = watch.interval_ms or w.poll_interval_ms is null)
      and (s.due_at < pg_catalog.clock_timestamp()
           or not orchestra.call_goes_on(s.pid, s.call_started, s.lease_until))
  loop
    begin
      perform orchestra.watch_slot(watch.project, mark.workload, mark.slot);
    exception when others then
      raise warning 'orchestra: slot % of %/%: %', mark.slot, watch.project, mark.workload, sqlerrm;
    end;
    commit;
    perform pg_catalog.set_config('search_path', '', true);
  end loop;
end
$$;

-- What the tick does for one Edge-handled queue: if a message is visible, it sees to it that somebody comes. The queue is
-- read through its index on vt, a few entries at most; a table that is locked holds it up for a moment and nobody else.
-- Answers how many calls were made, null where no message is visible.
create or replace function orchestra.tick_workload(project text, workload text) returns int
language plpgsql
set search_path = '' set lock_timeout = '50ms'
set enable_seqscan = off set enable_sort = off set enable_bitmapscan = off set jit = off
as $$
declare
  queue text;
  batch int;
  most bigint;
  waiting int;
begin
  select w.queue_name, w.batch_size, least(w.batch_size::bigint * orchestra.slots(w), 10000) into queue, batch, most
  from orchestra.workload w
  where w.project = tick_workload.project and w.name = tick_workload.workload and w.handler = 'edge' and not w.paused;
  if queue is null then
    return null;
  end if;
  -- Counted by what comes, because most queues are idle, and an aggregate is what costs most to plan.
  execute format('select from pgmq.%I m where m.vt <= now() order by m.vt limit $1', 'q_' || queue) using most;
  get diagnostics waiting = row_count;
  if waiting = 0 then
    return null;
  end if;
  return orchestra.wake(project, workload, ceil(waiting / batch::numeric)::int);
end
$$;

-- Wakes a worker where work is waiting and nobody is looking: what a worker asks for a moment after it has left, for
-- messages that were committed while it seemed to be there still.
create or replace function orchestra.look_v1(project text, workload text) returns void
language sql set search_path = ''
as $$
  select orchestra.tick_workload($1, $2);
$$;

-- The job that all queues of one poll interval share. A paused project is not looked at.
create or replace procedure orchestra.tick(project text, interval_ms int)
language plpgsql
as $$
declare
  item record;
  looked int;
begin
  call orchestra.watch(tick.project, tick.interval_ms);
  perform pg_catalog.set_config('search_path', '', true);
  for item in
    select w.name
    from orchestra.workload w join orchestra.project p on p.project = w.project
    where w.project = tick.project and w.poll_interval_ms = tick.interval_ms
      and w.handler = 'edge' and not w.paused and p.gate = 'open'
    order by w.name
  loop
    begin
      looked := orchestra.tick_workload(tick.project, item.name);
    exception when others then
      looked := null;
      raise warning 'orchestra: looking after %/%: %', tick.project, item.name, sqlerrm;
    end;
    if looked is not null then
      -- A call leaves with its commit, and so does the lock on what is known of them, for which workers that come wait.
      commit;
      perform pg_catalog.set_config('search_path', '', true);
    end if;
  end loop;
end
$$;
