-- Schedules. The row in `fired` is inserted before anything happens, so a due time fires at most once, however many
-- calls there are. A cron job may well call when nothing is due (a time zone's job comes at every hour): what is due
-- is decided here.

-- Writes down how a due time was dealt with; false when it had been already.
create or replace function orchestra.note_fired(
  project text, workload text, "position" int, scheduled_for timestamptz, outcome text, msg_id bigint default null
) returns boolean
language plpgsql set search_path = ''
as $$
begin
  insert into orchestra.fired (project, workload, position, scheduled_for, outcome, msg_id)
  values (note_fired.project, note_fired.workload, note_fired.position, note_fired.scheduled_for,
          note_fired.outcome, note_fired.msg_id)
  on conflict do nothing;
  return found;
end
$$;

-- How many messages of a schedule's earlier firings have not left the queue, and how many of their runs go on.
create or replace function orchestra.unfinished_firings(target orchestra.workload, "position" int) returns int
language plpgsql set search_path = ''
as $$
declare
  ids bigint[];
  runs bigint[];
  counted int;
begin
  select array_agg(f.msg_id), array_agg(f.run) into ids, runs
  from (
    select f.msg_id, f.run from orchestra.fired f
    where f.project = (target).project and f.workload = (target).name and f.position = unfinished_firings.position
      and (f.msg_id is not null or f.run is not null)
    order by f.scheduled_for desc
    limit 32
  ) f;
  execute format('select count(*) from pgmq.%I m where m.msg_id = any ($1)', 'q_' || (target).queue_name)
  into counted using ids;
  return counted + (
    select count(*) from orchestra.run r where r.id = any (runs) and r.status in ('waiting', 'running')
  );
end
$$;

-- Takes what holds of a due time into account and deals with it: enqueues the message of a queue, or takes the slot
-- for scheduled SQL and answers its token. Only due times after `since` and not older than ten minutes (a call
-- that pg_cron started late) or the catch-up window are looked at; of several that were missed, the last one counts,
-- and the others with it only where runs may overlap. Catching up leaves to the schedule's own job what has become due
-- within the last minute and a half.
create or replace function orchestra.fire_due(
  project text, workload text, "position" int, catching_up boolean default false,
  out scheduled_for timestamptz, out token uuid
)
language plpgsql set search_path = '' set lock_timeout = '5s'
as $$
declare
  plan orchestra.schedule;
  target orchestra.workload;
  until_ts timestamptz := clock_timestamp();
  catchup interval;
  due timestamptz;
  last_one boolean;
  sent bigint;
begin
  select s.* into plan from orchestra.schedule s
  where s.project = fire_due.project and s.workload = fire_due.workload and s.position = fire_due.position;
  if not found then
    return;
  end if;
  select w.* into target from orchestra.workload w
  where w.project = fire_due.project and w.name = fire_due.workload;
  catchup := coalesce(make_interval(secs => plan.catchup_window_ms / 1000.0), '0');
  if catching_up then
    until_ts := until_ts - least(interval '90 seconds', catchup / 2);
  end if;

  for due, last_one in
    select d.t, d.t = max(d.t) over ()
    from orchestra.due(
      plan.cron, plan.every_ms, plan.timezone,
      greatest(plan.since, clock_timestamp() - case
        when catching_up then catchup
        else greatest(catchup, interval '10 minutes')
      end), until_ts,
      case when plan.catchup_window_ms is null then -1 else -100 end
    ) d(t)
    where not exists (
      select from orchestra.fired f
      where f.project = fire_due.project and f.workload = fire_due.workload and f.scheduled_for = d.t
    )
    order by d.t
  loop
    continue when not last_one and due < clock_timestamp() - catchup;
    if not orchestra.is_open(target) then
      perform orchestra.note_fired(fire_due.project, fire_due.workload, fire_due.position, due, 'paused');
    elsif not last_one and plan.overlap <> 'allow' then
      perform orchestra.note_fired(fire_due.project, fire_due.workload, fire_due.position, due, 'skipped');
    elsif target.pattern = 'queue' then
      if plan.overlap <> 'allow'
         and orchestra.unfinished_firings(target, fire_due.position)
             > (case plan.overlap when 'buffer_one' then 1 else 0 end) then
        perform orchestra.note_fired(fire_due.project, fire_due.workload, fire_due.position, due, 'skipped');
      elsif orchestra.note_fired(fire_due.project, fire_due.workload, fire_due.position, due, 'enqueued') then
        sent := (orchestra.enqueue(target, array[jsonb_build_object('scheduled_for', orchestra.iso(due))]))[1];
        update orchestra.fired f set
          msg_id = case when target.steps is null then sent end,
          run = case when target.steps is not null then sent end
        where f.project = fire_due.project and f.workload = fire_due.workload and f.scheduled_for = due;
      end if;
    elsif target.pattern = 'scheduled_sql' then
      -- A call that waited in pg_cron for the run before it comes late: its time was due while that run went on.
      if plan.overlap = 'skip' and exists (
        select from orchestra.scheduled_run r
        where r.project = fire_due.project and r.workload = fire_due.workload
          and r.status <> 'lost' and r.started_at <= due and r.finished_at > due
      ) then
        perform orchestra.note_fired(fire_due.project, fire_due.workload, fire_due.position, due, 'skipped');
      elsif orchestra.note_fired(fire_due.project, fire_due.workload, fire_due.position, due, 'run') then
        token := orchestra.slot_enter(fire_due.project, fire_due.workload, 1);
        if token is null then
          update orchestra.fired f set outcome = case
            when plan.overlap = 'skip' or exists (
              select from orchestra.fired b
              where b.project = fire_due.project and b.workload = fire_due.workload and b.outcome = 'buffered'
            ) then 'skipped'
            else 'buffered'
          end
          where f.project = fire_due.project and f.workload = fire_due.workload and f.scheduled_for = due;
        else
          scheduled_for := due;
          perform orchestra.begin_run(fire_due.project, fire_due.workload, token, due, 1);
        end if;
      end if;
    end if;
  end loop;
end
$$;

-- Opens the record of an attempt, and the time that it has. The next attempt of an earlier due time is superseded.
create or replace function orchestra.begin_run(
  project text, workload text, token uuid, scheduled_for timestamptz, attempt int
) returns bigint
language plpgsql set search_path = ''
as $$
declare
  run_id bigint;
begin
  update orchestra.scheduled_run r set retry_at = null
  where r.project = begin_run.project and r.workload = begin_run.workload and r.retry_at is not null;
  update orchestra.slot s set
    due_at = clock_timestamp() + make_interval(secs => nullif(w.timeout_ms, 0) / 1000.0),
    lease_until = clock_timestamp() + make_interval(secs => w.timeout_ms / 1000.0) + interval '1 minute',
    cancelled_at = null
  from orchestra.workload w
  where w.project = begin_run.project and w.name = begin_run.workload
    and s.project = begin_run.project and s.workload = begin_run.workload and s.slot = 1
    and s.token = begin_run.token;
  insert into orchestra.scheduled_run (project, workload, scheduled_for, attempt)
  values (begin_run.project, begin_run.workload, begin_run.scheduled_for, begin_run.attempt)
  returning id into run_id;
  return run_id;
end
$$;

-- Closes the record of the attempt that is running, and says when the next one is due, if there is to be one: SQLSTATE
-- ORC01 is permanent, ORC02 asks for another time (the interval in HINT) at no attempt.
create or replace function orchestra.end_run(
  project text, workload text, error text default null, sqlstate text default null, hint text default null,
  out wait interval, out attempt int
)
language plpgsql set search_path = ''
as $$
declare
  target orchestra.workload;
  run orchestra.scheduled_run;
begin
  select w.* into target from orchestra.workload w
  where w.project = end_run.project and w.name = end_run.workload;
  select r.* into run from orchestra.scheduled_run r
  where r.project = end_run.project and r.workload = end_run.workload and r.status = 'running'
  order by r.id desc limit 1;
  attempt := run.attempt + 1;
  if error is null or sqlstate = 'ORC01' then
    wait := null;
  elsif sqlstate = 'ORC02' then
    begin
      wait := greatest(hint::interval, interval '0');
      attempt := run.attempt;
    exception when others then
      error := format('snoozed without an interval in its hint (%s): %s', hint, error);
    end;
  end if;
  if error is not null and wait is null and sqlstate <> 'ORC01' and run.attempt < target.max_attempts then
    wait := orchestra.backoff(target, run.attempt);
  end if;
  update orchestra.scheduled_run r set
    finished_at = clock_timestamp(),
    status = case when end_run.error is null then 'done' else 'failed' end,
    error = left(end_run.error, 8000),
    sqlstate = end_run.sqlstate,
    retry_at = clock_timestamp() + wait
  where r.id = run.id;
end
$$;

-- The due time that waits for the run which has just ended, if one does.
create or replace function orchestra.take_buffered(project text, workload text) returns timestamptz
language sql set search_path = ''
as $$
  update orchestra.fired f set outcome = 'run'
  where (f.project, f.workload, f.scheduled_for) = (
    select b.project, b.workload, b.scheduled_for from orchestra.fired b
    where b.project = $1 and b.workload = $2 and b.outcome = 'buffered'
    order by b.scheduled_for desc limit 1
    for update skip locked
  )
  returning f.scheduled_for;
$$;

-- Runs scheduled SQL whose slot and record are taken and committed: its attempts, as long as their waits are short, and
-- what was buffered meanwhile. A later attempt is left to the housekeeping.
create or replace procedure orchestra.run_scheduled(project text, workload text, token uuid, scheduled_for timestamptz)
language plpgsql
as $$
declare
  target record;
  due timestamptz := run_scheduled.scheduled_for;
  attempt int;
  error text;
  error_state text;
  error_hint text;
  again record;
begin
  loop
    perform pg_catalog.set_config('search_path', '', true);
    select w.sql, w.run_role, w.timeout_ms, r.attempt,
           (select pg_catalog.string_agg(pg_catalog.quote_ident(p.name), ', ' order by p.place)
            from pg_catalog.unnest(w.search_path) with ordinality p(name, place)) as handler_path
    into target
    from orchestra.workload w
    join orchestra.scheduled_run r on r.project = w.project and r.workload = w.name and r.status = 'running'
    where w.project = run_scheduled.project and w.name = run_scheduled.workload;
    exit when not found;
    error := null;
    error_state := null;
    error_hint := null;
    -- A handler may take long; what has been read for it must not keep an upgrade of these tables waiting.
    commit;
    begin
      perform pg_catalog.set_config('search_path', '', true);
      perform orchestra.run_handler(
        run_scheduled.project, run_scheduled.workload, 1, run_scheduled.token,
        target.sql, target.run_role, coalesce(target.handler_path, ''), target.timeout_ms,
        pg_catalog.jsonb_build_object('scheduled_for', orchestra.iso(due)), target.attempt, null);
    exception
      when query_canceled or assert_failure or others then
        get stacked diagnostics
          error = message_text, error_state = returned_sqlstate, error_hint = pg_exception_hint;
    end;
    if error_state is not null then
      if orchestra.slot_hold_after_failure(
        run_scheduled.project, run_scheduled.workload, 1, run_scheduled.token, error_state = '57014'
      ) and error_state = '57014' then
        error := pg_catalog.format('timed out after %s ms', target.timeout_ms);
      end if;
    end if;
    select * into again
    from orchestra.end_run(run_scheduled.project, run_scheduled.workload, error, error_state, error_hint);
    -- Whoever has paused it meanwhile finds nothing begun: the housekeeping goes on from here once that is over.
    exit when not exists (
      select from orchestra.workload w
      where w.project = run_scheduled.project and w.name = run_scheduled.workload and orchestra.is_open(w)
    );
    if again.wait <= interval '20 seconds'
       and pg_catalog.clock_timestamp() + again.wait < orchestra.call_ends(target.timeout_ms) then
      update orchestra.slot s set due_at = null
      where s.project = run_scheduled.project and s.workload = run_scheduled.workload and s.slot = 1
        and s.token = run_scheduled.token;
      commit;
      perform pg_catalog.pg_sleep(extract(epoch from again.wait));
      attempt := again.attempt;
    else
      exit when pg_catalog.clock_timestamp() > orchestra.call_ends(target.timeout_ms);
      due := orchestra.take_buffered(run_scheduled.project, run_scheduled.workload);
      exit when due is null;
      attempt := 1;
    end if;
    perform orchestra.begin_run(run_scheduled.project, run_scheduled.workload, run_scheduled.token, due, attempt);
    commit;
  end loop;
  perform orchestra.slot_leave(run_scheduled.project, run_scheduled.workload, 1, run_scheduled.token);
  commit;
end
$$;

-- What the cron job of a schedule calls.
create or replace procedure orchestra.fire(project text, workload text, "position" int)
language plpgsql
as $$
declare
  started record;
begin
  -- A project with nothing but schedules has no tick: each of its jobs looks after the others.
  call orchestra.watch(fire.project);
  perform pg_catalog.set_config('search_path', '', true);
  select * into started from orchestra.fire_due(fire.project, fire.workload, fire.position);
  commit;
  if started.token is null then
    return;
  end if;
  call orchestra.run_scheduled(fire.project, fire.workload, started.token, started.scheduled_for);
  -- All is written down and committed. What has failed for good fails its cron job too, so that it shows there.
  select r.status, r.error, r.retry_at into started
  from orchestra.scheduled_run r
  where r.project = fire.project and r.workload = fire.workload
  order by r.id desc limit 1;
  if started.status = 'failed' and started.retry_at is null then
    raise exception 'the scheduled run of %/% failed: %', fire.project, fire.workload, started.error
      using errcode = 'ORC04';
  end if;
end
$$;
