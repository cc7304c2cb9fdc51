-- How each workload is, at a price that does not grow with its queue: counts stop at 10,000 and go on as the server's own
-- estimate, ages are read through the index on vt, a queue that is locked or gone says so in `fault`.

create or replace function orchestra.workload_status(
  target orchestra.workload,
  out depth bigint, out depth_is_estimate boolean, out waiting bigint, out oldest_waiting interval
)
language plpgsql
set search_path = '' set lock_timeout = '50ms'
set enable_seqscan = off set enable_sort = off set enable_bitmapscan = off set jit = off
as $$
declare
  queue constant text := format('pgmq.%I', 'q_' || (target).queue_name);
  most constant int := 10000;
begin
  execute format(
    'select count(*), now() - min(v.vt) from (select m.vt from %s m where m.vt <= now() order by m.vt limit $1) v', queue)
  into waiting, oldest_waiting using most;
  execute format('select count(*) from (select from %s m order by m.msg_id limit $1) v', queue)
  into depth using most;
  depth_is_estimate := depth >= most;
  if depth_is_estimate then
    depth := greatest(most, pg_catalog.pg_stat_get_live_tuples(queue::regclass));
  end if;
end
$$;

-- One row a workload, of one project or all. `waiting` is what could begin now, `depth` all that is in the queue, `in_flight`
-- what workers hold; of what waits, runs, calls and dead letters at most 10,000 are counted. `deployed` is the version of its
-- code that was last seen, null where none ever was. `alerts` says which limits of the spec it is beyond: max_depth, max_age.
-- `oldest_snapshot` is of the whole server: how long a transaction has been open that keeps dead rows from being cleared away,
-- which makes every look at a busy queue slower.
create or replace function orchestra.status(of_project text default null) returns table (
  project text, workload text, pattern text, handler text, paused boolean,
  depth bigint, depth_is_estimate boolean, waiting bigint, oldest_waiting interval,
  in_flight int, workers int, slots int, runs_going_on bigint, calls_going_on bigint,
  dead_letters bigint, last_dead_at timestamptz, last_error text,
  wanted text, deployed text, last_wake_at timestamptz, wakes_missed int, wake_error text, dropped bigint,
  oldest_snapshot interval, alerts text[], fault text
)
language plpgsql volatile set search_path = ''
as $$
#variable_conflict use_column
declare
  target orchestra.workload;
begin
  oldest_snapshot := (
    select max(clock_timestamp() - a.xact_start) from pg_stat_activity a
    where a.backend_xmin is not null and a.pid <> pg_backend_pid()
  );
  for target in
    select w.* from orchestra.workload w
    where status.of_project is null or w.project = status.of_project
    order by w.project, w.name
  loop
    project := target.project;
    workload := target.name;
    pattern := target.pattern;
    handler := target.handler;
    paused := not orchestra.is_open(target);
    slots := case when target.pattern = 'wait_until' then null else orchestra.slots(target) end;
    wanted := target.contract;
    fault := null;
    depth := null;
    depth_is_estimate := null;
    waiting := null;
    oldest_waiting := null;
    if target.queue_name is not null then
      begin
        select s.depth, s.depth_is_estimate, s.waiting, s.oldest_waiting
        into depth, depth_is_estimate, waiting, oldest_waiting
        from orchestra.workload_status(target) s;
      exception when others then
        fault := sqlerrm;
      end;
    end if;
    select coalesce(sum(cardinality(s.held)), 0), count(*) into in_flight, workers
    from orchestra.slot s
    where s.project = target.project and s.workload = target.name and s.token is not null
      and s.lease_until > clock_timestamp();
    select count(*) into runs_going_on from (
      select from orchestra.run r
      where r.project = target.project and r.workload = target.name and r.status in ('waiting', 'running') limit 10000
    ) r;
    select count(*) into calls_going_on from (
      select from orchestra.call c
      where c.project = target.project and c.workload = target.name and c.status = 'running' limit 10000
    ) c;
    select count(*) into dead_letters from (
      select from orchestra.dead_letter d
      where d.project = target.project and d.workload = target.name and d.redriven_at is null limit 10000
    ) d;
    select x.at, x.error into last_dead_at, last_error
    from (
      (select d.dead_at as at, d.error from orchestra.dead_letter d
       where d.project = target.project and d.workload = target.name order by d.dead_at desc limit 1)
      union all
      (select c.finished_at, c.error from orchestra.call c
       where c.project = target.project and c.workload = target.name and c.status in ('failed', 'lost')
       order by c.accepted_at desc limit 1)
      union all
      (select r.finished_at, r.error from orchestra.scheduled_run r
       where r.project = target.project and r.workload = target.name and r.status in ('failed', 'lost')
       order by r.started_at desc limit 1)
    ) x
    order by x.at desc nulls last limit 1;
    deployed := (
      select c.contract from orchestra.contract c
      where c.project = target.project and c.workload = target.name
      order by c.contract = target.contract desc, c.last_at desc limit 1
    );
    last_wake_at := null;
    wakes_missed := null;
    wake_error := null;
    select k.last_at, k.misses, k.error into last_wake_at, wakes_missed, wake_error
    from orchestra.wake k where k.project = target.project and k.workload = target.name;
    dropped := (select sum(r.dropped) from orchestra.rate r
                where r.project = target.project and r.workload = target.name);
    alerts := array_remove(array[
      case when waiting > target.max_depth or waiting >= 10000 and depth > target.max_depth then 'max_depth' end,
      case when oldest_waiting > make_interval(secs => target.max_age_ms / 1000.0) then 'max_age' end
    ], null);
    return next;
  end loop;
end
$$;
