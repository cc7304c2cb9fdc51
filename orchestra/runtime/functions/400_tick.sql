-- The watch over running handlers. `statement_timeout` set inside a call does not arm, so handlers that are overdue are
-- cancelled from outside, and the slots of workers that went away are freed.

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

-- The job that all queues of one poll interval share.
create or replace procedure orchestra.tick(project text, interval_ms int)
language plpgsql
as $$
begin
  call orchestra.watch(tick.project, tick.interval_ms);
end
$$;
