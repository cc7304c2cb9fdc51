-- How each workload is, at a price that does not grow with its queue: counts stop at 10,000 and go on as the server's own
-- estimate, ages are read through the index on vt, a queue that is locked or gone says so in `fault`. Times are held against
-- `now()`, so that in one snapshot all of it is what counting gives.

create or replace function orchestra.workload_status(
  target orchestra.workload,
  out depth bigint, out depth_is_estimate boolean, out waiting bigint, out oldest_waiting interval, out front bigint
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
  execute format(
    'select count(*), max(v.msg_id) from (select m.msg_id from %s m order by m.msg_id limit $1) v', queue)
  into depth, front using most;
  depth_is_estimate := depth >= most;
  if depth_is_estimate then
    depth := greatest(most, pg_catalog.pg_stat_get_live_tuples(queue::regclass));
  else
    front := null;
  end if;
end
$$;

-- The same for a queue that may be locked or gone, which `fault` says. Everything that looking took is given back at once: a
-- look at some thousand queues in one transaction would fill the server's lock table.
create or replace function orchestra.look_at(
  target orchestra.workload,
  out depth bigint, out depth_is_estimate boolean, out waiting bigint, out oldest_waiting interval, out front bigint,
  out fault text
)
language plpgsql set search_path = ''
as $$
begin
  select s.depth, s.depth_is_estimate, s.waiting, s.oldest_waiting, s.front
  into look_at.depth, look_at.depth_is_estimate, look_at.waiting, look_at.oldest_waiting, look_at.front
  from orchestra.workload_status(target) s;
  raise sqlstate 'ORC99';
exception
  when sqlstate 'ORC99' then null;
  when others then
    fault := sqlerrm;
end
$$;

-- How many rows have come into a queue and left it since the server began to count. It counts what a failed transaction did
-- too, begins anew after a crash, takes no TRUNCATE for work, and learns of what a session did up to ten seconds later, or of
-- a worker that goes on in one call when that call is over. Null where nothing is counted.
create or replace function orchestra.traffic_of(queue_name text, out queue oid, out came bigint, out gone bigint)
language plpgsql stable set search_path = ''
as $$
begin
  if current_setting('track_counts') = 'off' then
    return;
  end if;
  queue := to_regclass(format('pgmq.%I', 'q_' || queue_name));
  came := pg_catalog.pg_stat_get_tuples_inserted(queue);
  gone := pg_catalog.pg_stat_get_tuples_deleted(queue);
end
$$;

-- How many messages left a queue between two looks: what came and is not there, where both looks counted to the end; where
-- neither did, how far the oldest ten thousand have moved on, which is by as many messages as were taken from them. The
-- counter, which hears of a long call's work late and then all at once, is asked where that says nothing.
create or replace function orchestra.left_between(
  came bigint, gone bigint, depth_then bigint, front_then bigint, depth_now bigint, front_now bigint
) returns bigint
language sql immutable set search_path = ''
as $$
  select case
    when front_now > front_then then front_now - front_then
    when front_then is null and front_now is null then coalesce(greatest(came + depth_then - depth_now, 0), gone)
    else gone
  end;
$$;

-- Notes the traffic of a project's queues, and that somebody was here to do so.
create or replace function orchestra.note_traffic(project text) returns void
language plpgsql set search_path = ''
as $$
begin
  insert into orchestra.traffic (project, workload, queue, came, gone, depth, front)
  select w.project, w.name, t.queue, t.came, t.gone, l.depth, l.front
  from orchestra.workload w
  cross join lateral orchestra.traffic_of(w.queue_name) t
  cross join lateral orchestra.look_at(w) l
  where w.project = note_traffic.project and w.queue_name is not null and t.queue is not null
  union all
  select note_traffic.project, '', 0, 0, 0, null, null
  on conflict do nothing;
  delete from orchestra.traffic t
  where t.project = note_traffic.project and t.at < now() - interval '11 minutes';
end
$$;

-- What was answered to the last wake-up call in place of 202, as long as no worker has come since: the function is not there, or
-- refuses the key, or the call has not left. Null where nothing is known, be it that pg_net's answers are not for the
-- caller's eyes.
create or replace function orchestra.wake_reply(known orchestra.wake) returns text
language plpgsql volatile set search_path = ''
as $$
declare
  reply text;
begin
  if (known).request is null or (known).entered_at > (known).last_at then
    return null;
  end if;
  execute
    'select case
       when r.status_code is null then coalesce(r.error_msg, ''no answer'')
       when r.status_code <> 202 then format(''answered %s: %s'', r.status_code, left(r.content, 200))
     end
     from net._http_response r
     where r.id = $1 and r.created between $2 - interval ''1 minute'' and $2 + interval ''1 minute'''
  into reply using (known).request, (known).last_at; -- after a crash pg_net numbers its requests anew
  if reply is null and (known).last_at < now() - interval '30 seconds' then
    execute
      'select ''the call has not left the queue of pg_net, whose worker does not run''
       from net.http_request_queue q where q.id = $1'
    into reply using (known).request;
  end if;
  return reply;
exception when insufficient_privilege or undefined_table or undefined_column or invalid_schema_name then
  return null;
end
$$;

-- One row a workload, of one project or all.
--
--   depth, waiting, in_flight   all that is in the queue; what could begin now; what workers hold
--   retrying                    messages that failed at least once and have attempts left
--   dead_letters, failed_lately all that were given up and not sent again; those of the last hour, and calls that failed in it
--   came, ended, failed, over   within the time `over`, up to now: what came in, what ended (left the queue, for whatever
--                               reason), and what of it was given up. Of queues by the notes of the housekeeping, of up to five
--                               minutes; of calls exactly, of those that came in the last five minutes or the newest 10,000;
--                               of scheduled SQL the runs of a day
--   came_ever, gone_ever, front what a queue's figures are taken from: counters, and the id of the last message that was
--                               counted where there are more
--   wanted, deployed            the version of its code that the spec wants, and that was last seen, null where none ever was
--   wake_error                  why the last call of its function came to nothing
--   alerts                      which limits of the spec it is beyond: max_depth, max_age
--   oldest_snapshot             of the whole server: how long a transaction has been open that keeps dead rows from being cleared
--                               away, which makes every look at a busy queue slower
--
-- Of what waits, runs, is tried again, is called and was given up at most 10,000 are counted.
create or replace function orchestra.status(of_project text default null) returns table (
  project text, workload text, pattern text, handler text, paused boolean,
  depth bigint, depth_is_estimate boolean, waiting bigint, oldest_waiting interval,
  in_flight int, workers int, slots int, retrying bigint, runs_going_on bigint, calls_going_on bigint,
  dead_letters bigint, failed_lately bigint, last_dead_at timestamptz, last_error text,
  came bigint, ended bigint, failed bigint, over interval, came_ever bigint, gone_ever bigint, front bigint,
  wanted text, deployed text, last_wake_at timestamptz, wakes_missed int, wake_error text, dropped bigint,
  oldest_snapshot interval, alerts text[], fault text
)
language plpgsql volatile set search_path = ''
as $$
#variable_conflict use_column
declare
  target orchestra.workload;
  its_table oid;
  noted timestamptz;
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
    front := null;
    if target.queue_name is not null then
      select s.depth, s.depth_is_estimate, s.waiting, s.oldest_waiting, s.front, s.fault
      into depth, depth_is_estimate, waiting, oldest_waiting, front, fault
      from orchestra.look_at(target) s;
    end if;
    select coalesce(sum(cardinality(s.held)), 0), count(*) into in_flight, workers
    from orchestra.slot s
    where s.project = target.project and s.workload = target.name and s.token is not null
      and s.lease_until > now();
    select count(*) into retrying from (
      select from orchestra.delivery d
      where d.project = target.project and d.workload = target.name and d.last_error is not null limit 10000
    ) d;
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
    select count(*) into failed_lately from (
      (select from orchestra.dead_letter d
       where d.project = target.project and d.workload = target.name and d.redriven_at is null
         and d.dead_at > now() - interval '1 hour' limit 10000)
      union all
      (select from orchestra.call c
       where c.project = target.project and c.workload = target.name and c.status in ('failed', 'lost')
         and c.accepted_at > now() - interval '1 hour' limit 10000)
    ) f;
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

    came := null;
    ended := null;
    failed := null;
    over := null;
    came_ever := null;
    gone_ever := null;
    if target.pattern = 'queue' then
      select t.queue, t.came, t.gone into its_table, came_ever, gone_ever from orchestra.traffic_of(target.queue_name) t;
      -- From the oldest note within the window since which these counters only grew.
      select t.at, came_ever - t.came,
             orchestra.left_between(came_ever - t.came, gone_ever - t.gone, t.depth, t.front, status.depth, status.front),
             clock_timestamp() - t.at
      into noted, came, ended, over
      from orchestra.traffic t
      where t.project = target.project and t.workload = target.name and t.queue = its_table
        and t.at > now() - interval '5 minutes 30 seconds' and t.came <= came_ever and t.gone <= gone_ever
        and not exists (
          select from orchestra.traffic l
          where l.project = t.project and l.workload = t.workload and l.at > t.at
            and (l.queue <> t.queue or l.came < t.came or l.gone < t.gone)
        )
      order by t.at limit 1;
      select count(*) into failed from (
        select from orchestra.dead_letter d
        where d.project = target.project and d.workload = target.name and d.dead_at > noted limit 10000
      ) d;
      failed := case when over is not null then least(failed, ended) end;
    elsif target.pattern = 'wait_until' then
      select count(*), count(*) filter (where c.status <> 'running'),
             count(*) filter (where c.status in ('failed', 'lost')),
             case when count(*) < 10000 then interval '5 minutes' else now() - min(c.accepted_at) end
      into came, ended, failed, over
      from (
        select c.status, c.accepted_at from orchestra.call c
        where c.project = target.project and c.workload = target.name and c.accepted_at > now() - interval '5 minutes'
        order by c.accepted_at desc limit 10000
      ) c;
    else
      over := interval '1 day';
      select count(*), count(*) filter (where r.status <> 'running'),
             count(*) filter (where r.status in ('failed', 'lost'))
      into came, ended, failed
      from (
        select r.status from orchestra.scheduled_run r
        where r.project = target.project and r.workload = target.name and r.started_at > now() - over limit 10000
      ) r;
    end if;

    deployed := (
      select c.contract from orchestra.contract c
      where c.project = target.project and c.workload = target.name
      order by c.contract = target.contract desc, c.last_at desc limit 1
    );
    last_wake_at := null;
    wakes_missed := null;
    wake_error := null;
    select k.last_at, k.misses, coalesce(k.error, orchestra.wake_reply(k)) into last_wake_at, wakes_missed, wake_error
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
