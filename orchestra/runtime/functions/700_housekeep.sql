-- The job of each minute: who is overdue is ended, what is old goes. Each workload is for itself, in transactions of its own
-- that do a bounded amount: a locked table or a dropped queue holds up nobody else.

-- For how long a workload's history is kept: a week and 90 days where its retention says nothing. Whoever prunes by it asks
-- for the shorter one too, which an index can answer; what is asked of each row by its status, none can.
create or replace function orchestra.kept_for(target orchestra.workload, out done_for interval, out failed_for interval)
language sql immutable set search_path = ''
as $$
  select make_interval(secs => coalesce(($1).retention_completed_ms / 1000.0, 7 * 86400)),
         make_interval(secs => coalesce(($1).retention_failed_ms / 1000.0, 90 * 86400));
$$;

-- Deletes what a workload's retention no longer keeps, at most `at_most` rows of each sort. True when there may be more.
create or replace function orchestra.prune_workload(project text, workload text, at_most int) returns boolean
language plpgsql set search_path = '' set lock_timeout = '200ms'
as $$
declare
  target orchestra.workload;
  kept record;
  queue text;
  start_at bigint;
  pruned bigint;
  more boolean;
begin
  select w.* into target from orchestra.workload w
  where w.project = prune_workload.project and w.name = prune_workload.workload;
  if not found then
    return false;
  end if;
  kept := orchestra.kept_for(target);

  delete from orchestra.dead_letter d
  where d.id in (
    select o.id from orchestra.dead_letter o
    where o.project = target.project and o.workload = target.name
      and o.dead_at < now() - make_interval(secs => target.retention_failed_ms / 1000.0)
    order by o.dead_at limit at_most
  );
  get diagnostics pruned = row_count;
  more := pruned >= at_most;

  delete from orchestra.scheduled_run r
  where r.id in (
    select o.id from orchestra.scheduled_run o
    where o.project = target.project and o.workload = target.name
      and o.status <> 'running' and o.retry_at is null
      and o.started_at < now() - least(kept.done_for, kept.failed_for)
      and o.started_at < now() - case o.status when 'done' then kept.done_for else kept.failed_for end
    order by o.started_at limit at_most
  );

  -- A due time must be remembered for as long as it could be looked at again.
  delete from orchestra.fired f
  where f.project = target.project and f.workload = target.name
    and f.scheduled_for in (
      select o.scheduled_for from orchestra.fired o
      where o.project = target.project and o.workload = target.name
        and o.outcome <> 'buffered'
        and o.scheduled_for < now() - interval '7 days' - make_interval(secs => coalesce((
          select max(s.catchup_window_ms) from orchestra.schedule s
          where s.project = target.project and s.workload = target.name
        ), 0) / 1000.0)
      order by o.scheduled_for limit at_most
    );

  delete from orchestra.slot s
  where s.project = target.project and s.workload = target.name and s.slot > orchestra.slots(target)
    and (s.token is null or s.pid is null and s.lease_until < now());

  more := orchestra.prune_work(target, at_most) or more;

  if target.queue_name is null then
    return more;
  end if;
  perform orchestra.end_lost_runs(target);

  if target.retention_completed_ms is not null then
    queue := format('pgmq.%I', 'a_' || target.queue_name);
    execute format(
      'delete from %1$s a where a.msg_id in (
         select o.msg_id from %1$s o where o.archived_at < now() - $1 order by o.archived_at limit $2
       )', queue)
    using make_interval(secs => target.retention_completed_ms / 1000.0), at_most;
    get diagnostics pruned = row_count;
    more := more or pruned >= at_most;
  end if;

  -- Notes about messages that are gone, looked for from a place that is another one each time.
  queue := format('pgmq.%I', 'q_' || target.queue_name);
  select min(d.msg_id) + floor(random() * (max(d.msg_id) - min(d.msg_id)))::bigint into start_at
  from orchestra.delivery d
  where d.project = target.project and d.workload = target.name;
  if start_at is not null then
    execute format(
      'delete from orchestra.delivery d
       where d.project = $1 and d.workload = $2 and d.msg_id in (
         select o.msg_id from (
           (select d.msg_id, d.updated_at from orchestra.delivery d
            where d.project = $1 and d.workload = $2 and d.msg_id >= $3 order by d.msg_id limit $4)
           union all
           (select d.msg_id, d.updated_at from orchestra.delivery d
            where d.project = $1 and d.workload = $2 and d.msg_id < $3 order by d.msg_id limit $4)
         ) o
         where o.updated_at < now() - interval ''1 hour''
           and not exists (select from %s m where m.msg_id = o.msg_id)
       )', queue)
    using target.project, target.name, start_at, at_most;
  end if;

  -- Of a debounce key nothing need be known when its message no longer waits.
  if not exists (
    select from orchestra.debounce o
    where o.project = target.project and o.workload = target.name and o.due_at < now() - interval '1 hour'
  ) then
    return more;
  end if;
  execute format(
    'delete from orchestra.debounce d
     where d.ctid = any (array(
       select o.ctid from orchestra.debounce o
       where o.project = $1 and o.workload = $2 and o.due_at < now() - interval ''1 hour''
         and not exists (select from %s m where m.msg_id = o.msg_id and m.read_ct = 0)
       limit $3
       for update of o skip locked
     ))', queue)
  using target.project, target.name, at_most;
  get diagnostics pruned = row_count;
  return more or pruned >= at_most;
end
$$;

-- Ends runs whose messages somebody has taken from the queue: purged it, or crashed the server over an unlogged one. A run
-- that goes on has one at every moment, so one that has none waits for ever, and keeps a schedule that may not overlap
-- from firing. Only queues of up to 10,000 messages are searched: a longer one will be shorter some day.
create or replace function orchestra.end_lost_runs(target orchestra.workload) returns void
language plpgsql set search_path = ''
as $$
declare
  queue constant text := format('pgmq.%I', 'q_' || (target).queue_name);
  most constant int := 10000;
  lost bigint[];
  depth int;
begin
  if not orchestra.takes_headers((target).queue_name) or not exists (
    select from orchestra.run r
    where r.project = (target).project and r.workload = (target).name and r.status in ('waiting', 'running')
  ) then
    return;
  end if;
  execute format('select count(*) from (select from %s limit $1) m', queue) into depth using most + 1;
  if depth > most then
    return;
  end if;
  lost := array(
    select r.id from orchestra.run r
    where r.project = (target).project and r.workload = (target).name and r.status in ('waiting', 'running')
  );
  -- Looked for twice: once for nobody's pains, and once under the locks of those that seemed to have none.
  for round in 1 .. 2 loop
    execute format(
      'select array_agg(l.run) from unnest($1) l(run)
       where l.run::text not in (
         select m.headers #>> ''{orchestra,run}'' from %s m where m.headers #>> ''{orchestra,run}'' is not null
       )', queue)
    into lost using lost;
    exit when lost is null or round = 2;
    lost := array(
      select r.id from orchestra.run r
      where r.id = any (lost) and r.status in ('waiting', 'running')
      order by r.id
      for no key update skip locked
    );
  end loop;
  perform orchestra.end_run_as(l.run, 'failed', 'its messages are not in the queue any more')
  from unnest(lost) l(run);
end
$$;

-- The same for what stands beside the queue: calls, runs, keys, starts that a rate limit has counted.
create or replace function orchestra.prune_work(target orchestra.workload, at_most int) returns boolean
language plpgsql set search_path = ''
as $$
declare
  kept constant record := orchestra.kept_for(target);
  old_runs bigint[];
  pruned bigint;
  more boolean;
begin
  delete from orchestra.call c
  where c.id in (
    select o.id from orchestra.call o
    where o.project = (target).project and o.workload = (target).name and o.status <> 'running'
      and o.accepted_at < now() - least(kept.done_for, kept.failed_for)
      and o.accepted_at < now() - case o.status when 'done' then kept.done_for else kept.failed_for end
    order by o.accepted_at limit at_most
  );
  get diagnostics pruned = row_count;
  more := pruned >= at_most;

  old_runs := array(
    select o.id from orchestra.run o
    where o.project = (target).project and o.workload = (target).name and o.status not in ('waiting', 'running')
      and o.started_at < now() - least(kept.done_for, kept.failed_for)
      and o.finished_at < now() - case o.status when 'done' then kept.done_for else kept.failed_for end
    order by o.started_at limit greatest(at_most / 50, 1)
    for update skip locked
  );
  delete from orchestra.task t
  where t.ctid = any (array(select o.ctid from orchestra.task o where o.run = any (old_runs) limit at_most));
  get diagnostics pruned = row_count;
  more := more or pruned >= at_most;
  delete from orchestra.run r
  where r.id = any (old_runs) and not exists (select from orchestra.task t where t.run = r.id);
  more := more or cardinality(old_runs) >= greatest(at_most / 50, 1);

  delete from orchestra.idempotency i
  where i.ctid = any (array(
    select o.ctid from orchestra.idempotency o
    where o.project = (target).project and o.workload = (target).name and o.expires_at < now()
    order by o.expires_at limit at_most
    for update skip locked
  ));
  get diagnostics pruned = row_count;
  more := more or pruned >= at_most;

  -- What they dropped is added to the key of those without one, whose row is locked first, as it is by a claim.
  if exists (
    select from orchestra.rate o
    where o.project = (target).project and o.workload = (target).name and o.key <> ''
      and o.updated_at < now() - interval '1 hour'
  ) then
    insert into orchestra.rate as r (project, workload, key) values ((target).project, (target).name, '')
    on conflict on constraint rate_pkey do update set dropped = r.dropped;
    with gone as (
      delete from orchestra.rate r
      where r.ctid = any (array(
        select o.ctid from orchestra.rate o
        where o.project = (target).project and o.workload = (target).name and o.key <> ''
          and o.updated_at < now() - interval '1 hour'
            - make_interval(secs => coalesce((target).rate_period_ms, 0) / 1000.0)
          and coalesce(o.ahead, '-infinity') < now()
        limit at_most
        for update skip locked
      ))
      returning r.dropped
    ),
    summed as (
      update orchestra.rate r set dropped = r.dropped + g.dropped
      from (select sum(dropped) as dropped from gone) g
      where r.project = (target).project and r.workload = (target).name and r.key = '' and g.dropped > 0
    )
    select count(*) into pruned from gone;
    more := more or pruned >= at_most;
  end if;

  -- Of a transaction that ended without its triggers.
  delete from orchestra.knock k
  where k.project = (target).project and k.workload = (target).name
    and k.xid < pg_snapshot_xmin(pg_current_snapshot());
  return more;
end
$$;

-- pg_cron never deletes what it notes about runs. Rows of the project's jobs go after a day, also those of jobs that
-- are no longer there: they are known by their command, and by their role, as not every role is held to row security. The
-- walk along the primary key goes on where it ended, because other people's rows may be many and stay.
create or replace function orchestra.prune_cron(project text, at_most int) returns bigint
language plpgsql set search_path = '' set lock_timeout = '200ms'
as $$
declare
  reached bigint;
  next_reached bigint;
  pruned bigint := 0;
begin
  if to_regclass('cron.job_run_details') is null then
    return 0;
  end if;
  select p.cron_pruned_to into reached from orchestra.project p
  where p.project = prune_cron.project
  for update skip locked;
  if not found then
    return 0;
  end if;
  execute
    'select max(d.runid) from (
       select d.runid, coalesce(d.end_time, d.start_time, now()) as at
       from cron.job_run_details d where d.runid > $1 order by d.runid limit $2
     ) d
     where d.at < now() - interval ''1 day'''
  into next_reached using reached, at_most;
  if next_reached is null then
    return 0;
  end if;
  execute
    'delete from cron.job_run_details d
     where d.runid > $1 and d.runid <= $2 and d.username = current_user
       and d.command ilike ''call orchestra.%'' and split_part(d.command, '''''''', 2) = $3'
  using reached, next_reached, prune_cron.project;
  get diagnostics pruned = row_count;
  update orchestra.project p set cron_pruned_to = next_reached where p.project = prune_cron.project;
  return pruned;
end
$$;

-- Takes the slot for the next attempt of scheduled SQL whose wait is over.
create or replace function orchestra.begin_retry(
  project text, workload text, out token uuid, out scheduled_for timestamptz
)
language plpgsql set search_path = ''
as $$
declare
  run orchestra.scheduled_run;
begin
  select r.* into run from orchestra.scheduled_run r
  where r.project = begin_retry.project and r.workload = begin_retry.workload and r.retry_at <= clock_timestamp()
  order by r.id desc limit 1
  for update skip locked;
  if not found then
    scheduled_for := orchestra.take_buffered(begin_retry.project, begin_retry.workload);
    if scheduled_for is null then
      return;
    end if;
  end if;
  token := orchestra.slot_enter(begin_retry.project, begin_retry.workload, 1);
  if token is null then
    if scheduled_for is not null then
      update orchestra.fired f set outcome = 'buffered'
      where f.project = begin_retry.project and f.workload = begin_retry.workload
        and f.scheduled_for = begin_retry.scheduled_for;
    end if;
    return;
  end if;
  if scheduled_for is null then
    scheduled_for := run.scheduled_for;
    perform orchestra.begin_run(begin_retry.project, begin_retry.workload, token, scheduled_for,
      run.attempt + case when run.sqlstate = 'ORC02' then 0 else 1 end);
  else
    perform orchestra.begin_run(begin_retry.project, begin_retry.workload, token, scheduled_for, 1);
  end if;
end
$$;

-- What removed workloads have left behind, except their dead letters, which are somebody's data. The registry knows their
-- names. They stand in the statements as they are, so that the planner sees how little of a table is theirs and asks an
-- index for it.
create or replace function orchestra.prune_removed(project text, at_most int) returns void
language plpgsql set search_path = '' set enable_seqscan = off set enable_bitmapscan = off set jit = off
as $$
declare
  names constant text[] := array(
    select r.name from orchestra.registry r
    where r.project = prune_removed.project and r.kind = 'workload' and r.tombstoned_at is not null
      and not exists (select from orchestra.workload w where w.project = r.project and w.name = r.name)
  );
  theirs constant text := format('o.project = %L and o.workload = any (%L::text[])', project, names);
  removed regclass;
begin
  if names = '{}' then
    return;
  end if;
  execute format(
    'delete from orchestra.task t
     where t.ctid = any (array(
       select k.ctid from orchestra.run o join orchestra.task k on k.run = o.id where %s limit $1
     ))', theirs)
  using at_most;
  for removed in
    select c.oid::regclass
    from pg_catalog.pg_class c
    where c.relnamespace = 'orchestra'::regnamespace and c.relname in (
      'delivery', 'fired', 'scheduled_run', 'call', 'run', 'idempotency', 'debounce', 'rate', 'reader', 'knock'
    )
  loop
    execute format(
      'delete from %1$s d where d.ctid = any (array(select o.ctid from %1$s o where %2$s %3$s limit $1))',
      removed, theirs,
      -- A run is what its tasks are found by.
      case when removed = 'orchestra.run'::regclass
           then 'and not exists (select from orchestra.task t where t.run = o.id)' end)
    using at_most;
  end loop;
end
$$;

create or replace procedure orchestra.housekeep(project text)
language plpgsql
as $$
declare
  item record;
  more boolean;
begin
  call orchestra.watch(housekeep.project);

  perform pg_catalog.set_config('search_path', '', true);
  perform orchestra.reap_calls(housekeep.project);
  commit;
  perform pg_catalog.set_config('search_path', '', true);
  begin
    perform orchestra.note_traffic(housekeep.project);
  exception when others then
    raise warning 'orchestra: noting the traffic of %: %', housekeep.project, sqlerrm;
  end;
  commit;
  perform pg_catalog.set_config('search_path', '', true);
  for item in
    select w.name from orchestra.workload w where w.project = housekeep.project order by w.name
  loop
    loop
      begin
        more := orchestra.prune_workload(housekeep.project, item.name, 5000);
      exception when others then
        more := false;
        raise warning 'orchestra: retention of %/%: %', housekeep.project, item.name, sqlerrm;
      end;
      commit;
      perform pg_catalog.set_config('search_path', '', true);
      -- What a busy workload leaves behind in a minute has to go within one.
      exit when not more or pg_catalog.clock_timestamp() > pg_catalog.statement_timestamp() + interval '20 seconds';
    end loop;
  end loop;
  begin
    perform orchestra.prune_cron(housekeep.project, 20000);
  exception when others then
    raise warning 'orchestra: pruning the run history of cron: %', sqlerrm;
  end;
  -- With it goes its lock on the project, for which whoever pauses it would wait.
  commit;
  perform pg_catalog.set_config('search_path', '', true);
  begin
    perform orchestra.prune_removed(housekeep.project, 5000);
  exception when others then
    raise warning 'orchestra: pruning what removed workloads left: %', sqlerrm;
  end;
  commit;
end
$$;

-- The job of each minute for projects with schedules: what was missed is made up for, and what failed is tried again when
-- its wait is over. Scheduled SQL runs right here, as long as it takes: so this is a job of its own, and the housekeeping
-- watches over it. Nothing begins that the call's statement timeout would cut off; the next minute goes on.
create or replace procedure orchestra.catch_up(project text)
language plpgsql
as $$
declare
  item record;
  started record;
  ran boolean := false;
begin
  perform pg_catalog.set_config('search_path', '', true);
  for item in
    select s.workload, s.position, w.timeout_ms
    from orchestra.schedule s join orchestra.workload w on w.project = s.project and w.name = s.workload
    where s.project = catch_up.project and s.catchup_window_ms is not null
    order by s.workload, s.position
  loop
    continue when ran and pg_catalog.clock_timestamp() > orchestra.call_ends(item.timeout_ms);
    started := null;
    begin
      select * into started
      from orchestra.fire_due(catch_up.project, item.workload, item.position, catching_up => true);
    exception when others then
      raise warning 'orchestra: catching up with %/%: %', catch_up.project, item.workload, sqlerrm;
    end;
    commit;
    if started.token is not null then
      ran := true;
      call orchestra.run_scheduled(catch_up.project, item.workload, started.token, started.scheduled_for);
    end if;
    perform pg_catalog.set_config('search_path', '', true);
  end loop;
  for item in
    select r.workload, w.timeout_ms
    from (
      select r.workload from orchestra.scheduled_run r
      where r.project = catch_up.project and r.retry_at <= pg_catalog.clock_timestamp()
      union
      select f.workload from orchestra.fired f
      where f.project = catch_up.project and f.outcome = 'buffered'
    ) r
    join orchestra.workload w on w.project = catch_up.project and w.name = r.workload
    order by r.workload
  loop
    continue when ran and pg_catalog.clock_timestamp() > orchestra.call_ends(item.timeout_ms);
    started := null;
    begin
      select * into started from orchestra.begin_retry(catch_up.project, item.workload);
    exception when others then
      raise warning 'orchestra: retrying %/%: %', catch_up.project, item.workload, sqlerrm;
    end;
    commit;
    if started.token is not null then
      ran := true;
      call orchestra.run_scheduled(catch_up.project, item.workload, started.token, started.scheduled_for);
    end if;
    perform pg_catalog.set_config('search_path', '', true);
  end loop;
  commit;
end
$$;
