-- Runs: the steps of a pipeline, or the items of one request that are counted together.
--
-- A task is a message of the workload's queue with {"orchestra": {"run": 7, "a": 1, "step": "render", "i": 3}} in its headers
-- and its own payload: the run's input for a step without dependencies, an element for a mapped step, and for any other
-- step {"dependency": what it answered, …}. A message of a pipeline without a step begins a run.
--
-- Locks are taken in one order: first those of all runs that a transaction is to change, by their numbers; what belongs to
-- a run is written under its lock alone. So two that finish at the same time meet at the run's row, the second one sees
-- what the first one did, and nobody waits in a circle. Who claims holds locks already and waits for none: see hold_run.
--
-- A run goes by the steps as they are, and not as they were when it began: see fit_steps.

create or replace function orchestra.task_headers(run bigint, attempt int, step text, i int) returns jsonb
language sql immutable set search_path = pg_catalog, pg_temp
as $$
  select jsonb_build_object('orchestra', jsonb_strip_nulls(
    jsonb_build_object('run', $1, 'a', $2, 'step', $3, 'i', $4)
  ));
$$;

-- A row for each run of a pipeline that has these inputs; their numbers in the order of the inputs.
create or replace function orchestra.insert_runs(
  target orchestra.workload, inputs jsonb[], status text, caller text
) returns bigint[]
language sql set search_path = pg_catalog, pg_temp
as $$
  with made as (
    insert into orchestra.run (project, workload, status, input, caller)
    select ($1).project, ($1).name, $3, i.input, coalesce($4, orchestra.caller())
    from unnest($2) with ordinality i(input, position) order by i.position
    returning id
  )
  select array_agg(id order by id) from made;
$$;

-- Runs that begin when their messages come up: with the run's number, and no step.
create or replace function orchestra.plan_runs(
  target orchestra.workload, inputs jsonb[], visible timestamptz, caller text, out runs bigint[], out msg_ids bigint[]
)
language plpgsql set search_path = pg_catalog, pg_temp
as $$
begin
  runs := orchestra.insert_runs(target, inputs, 'waiting', caller);
  msg_ids := orchestra.insert_messages(
    target, inputs,
    array(
      select orchestra.task_headers(r.run, 1, null, null)
      from unnest(runs) with ordinality r(run, position) order by r.position
    ),
    visible
  );
end
$$;

-- The same for one.
create or replace function orchestra.plan_run(
  target orchestra.workload, payload jsonb, visible timestamptz, caller text, out run bigint, out msg_id bigint
)
language sql set search_path = pg_catalog, pg_temp
as $$
  select p.runs[1], p.msg_ids[1] from orchestra.plan_runs($1, array[$2], $3, $4) p;
$$;

-- A run for each payload, begun at once where nothing is to be waited for; their ids.
create or replace function orchestra.start_runs(
  target orchestra.workload, payloads jsonb[], visible timestamptz, caller text
) returns bigint[]
language plpgsql set search_path = pg_catalog, pg_temp
as $$
declare
  runs bigint[];
begin
  if visible > clock_timestamp() then
    return (select p.runs from orchestra.plan_runs(target, payloads, visible, caller) p);
  end if;
  runs := orchestra.insert_runs(target, payloads, 'running', caller);
  perform orchestra.begin_runs(target, runs, payloads, now());
  return runs;
end
$$;

-- The first tasks of runs: of those steps that depend on nothing, each given the input of its run.
create or replace function orchestra.begin_runs(
  target orchestra.workload, runs bigint[], inputs jsonb[], visible timestamptz
) returns void
language plpgsql set search_path = pg_catalog, pg_temp
as $$
declare
  roots text[];
  messages jsonb[];
  headers jsonb[];
begin
  select coalesce(array_agg(s.step ->> 'name' order by s.position), '{}') into roots
  from jsonb_array_elements((target).steps) with ordinality s(step, position)
  where jsonb_array_length(coalesce(s.step -> 'depends_on', '[]')) = 0;
  insert into orchestra.step (run, step, position, status, total, started_at)
  select r.run, s.name, s.position, case when s.begins then 'running' else 'waiting' end, s.begins::int,
         case when s.begins then clock_timestamp() end
  from unnest(runs) r(run)
  cross join (
    select s.step ->> 'name' as name, s.position, s.step ->> 'name' = any (roots) as begins
    from jsonb_array_elements((target).steps) with ordinality s(step, position)
  ) s;
  select array_agg(r.input order by r.position, s.position),
         array_agg(jsonb_build_object('orchestra', jsonb_build_object('run', r.run, 'a', 1, 'step', s.name, 'i', 0))
                   order by r.position, s.position)
  into messages, headers
  from unnest(runs, inputs) with ordinality r(run, input, position), unnest(roots) with ordinality s(name, position);
  perform orchestra.insert_messages(target, messages, headers, visible);
end
$$;

-- Begins the run whose message, or plain message, has come up; its id, or null where it has begun or been cancelled. Its
-- first tasks come before what became visible with it, so that a line of such messages is worked off run by run.
create or replace function orchestra.start_run(
  target orchestra.workload, planned bigint, input jsonb, visible timestamptz
) returns bigint
language plpgsql set search_path = pg_catalog, pg_temp
as $$
declare
  run_id bigint;
begin
  if planned is null then
    run_id := (orchestra.insert_runs(target, array[start_run.input], 'running', null))[1];
  else
    update orchestra.run r set status = 'running', input = start_run.input, started_at = clock_timestamp()
    where r.id = planned and r.status = 'waiting'
    returning r.id into run_id;
    if run_id is null then
      return null;
    end if;
  end if;
  perform orchestra.begin_runs(
    target, array[run_id], array[start_run.input], start_run.visible - interval '1 microsecond');
  return run_id;
end
$$;

-- Locks the runs of these tasks' headers that go on, before anything of them is looked at.
create or replace function orchestra.hold_runs(tasks jsonb[]) returns void
language plpgsql set search_path = pg_catalog, pg_temp
as $$
begin
  perform from orchestra.run r
  where r.id = any (array(select distinct (h #>> '{orchestra,run}')::bigint from unnest(tasks) h))
    and r.status in ('waiting', 'running')
  order by r.id
  for no key update;
end
$$;

-- The same for one run and without waiting: false when somebody else has it. A run that is not there is nobody's.
create or replace function orchestra.hold_run(run bigint) returns boolean
language plpgsql set search_path = pg_catalog, pg_temp
as $$
begin
  perform from orchestra.run r where r.id = hold_run.run for no key update skip locked;
  return found or not exists (select from orchestra.run r where r.id = hold_run.run);
end
$$;

-- A step of a pipeline by its name; null where there is none of that name.
create or replace function orchestra.step_of(target orchestra.workload, name text) returns jsonb
language sql immutable set search_path = pg_catalog, pg_temp
as $$
  select s from jsonb_array_elements(($1).steps) s where s ->> 'name' = $2;
$$;

-- Whether this task is still to be done: its run goes on, and is still at the attempt that sent it.
create or replace function orchestra.run_goes_on(task jsonb) returns boolean
language sql stable set search_path = pg_catalog, pg_temp
as $$
  select exists (
    select from orchestra.run r
    where r.id = ($1 ->> 'run')::bigint and r.status = 'running' and r.attempt = ($1 ->> 'a')::int
  );
$$;

-- What a step has answered: for a mapped one an array in the order of its elements, with null where one failed.
create or replace function orchestra.step_result(target orchestra.workload, run bigint, step text) returns jsonb
language sql stable set search_path = pg_catalog, pg_temp
as $$
  select case
    when orchestra.step_of($1, $3) ->> 'map' is not null
    then (select coalesce(jsonb_agg(t.result order by t.i), '[]') from orchestra.task t where t.run = $2 and t.step = $3)
    else (select t.result from orchestra.task t where t.run = $2 and t.step = $3 and t.i = 0)
  end;
$$;

-- The payloads of a step's tasks, in the order of their `i`; null where what it maps is no array.
create or replace function orchestra.step_payloads(target orchestra.workload, the_run orchestra.run, step jsonb)
returns jsonb[]
language plpgsql stable set search_path = pg_catalog, pg_temp
as $$
declare
  source jsonb;
begin
  if step ->> 'map' is not null then
    source := orchestra.step_result(target, the_run.id, step ->> 'map');
    if jsonb_typeof(source) is distinct from 'array' then
      return null;
    end if;
    return array(select e.value from jsonb_array_elements(source) with ordinality e(value, i) order by e.i);
  elsif jsonb_array_length(coalesce(step -> 'depends_on', '[]')) = 0 then
    return array[the_run.input];
  end if;
  return (
    select array[jsonb_object_agg(d.name, orchestra.step_result(target, the_run.id, d.name))]
    from jsonb_array_elements_text(step -> 'depends_on') d(name)
  );
end
$$;

-- Sends the tasks of a step that waits; of one that has been tried before, those that have not been done. False when it
-- does not wait any more. They are visible to the claim of this very transaction: the worker whose turn settles the last
-- task of a step is handed the next one with it.
create or replace function orchestra.start_step(target orchestra.workload, the_run orchestra.run, step jsonb) returns boolean
language plpgsql set search_path = pg_catalog, pg_temp
as $$
declare
  name constant text := step ->> 'name';
  fault text;
  payloads jsonb[];
  places int[];
  ready int;
begin
  if not exists (
    select from orchestra.step s where s.run = the_run.id and s.step = name and s.status = 'waiting'
  ) then
    return false;
  end if;
  fault := format('step %s maps what step %s answered, which is no array', name, step ->> 'map');
  begin
    payloads := orchestra.step_payloads(target, the_run, step);
  exception when program_limit_exceeded then
    fault := format('what step %s is to be given is too large: %s', name, sqlerrm);
  end;
  if payloads is null then
    update orchestra.step s set status = 'failed', finished_at = clock_timestamp()
    where s.run = the_run.id and s.step = name;
    perform orchestra.end_run_as(the_run.id, 'failed', fault);
    return true;
  end if;
  select count(*) into ready from orchestra.task t where t.run = the_run.id and t.step = name and not t.failed;
  places := array(
    select p.place from generate_series(0, cardinality(payloads) - 1) p(place)
    where ready = 0 or not exists (
      select from orchestra.task t where t.run = the_run.id and t.step = name and t.i = p.place and not t.failed
    )
    order by p.place
  );
  update orchestra.step s set
    status = case when cardinality(places) = 0 then 'done' else 'running' end,
    total = cardinality(payloads), done = ready, failed = 0, started_at = clock_timestamp(),
    finished_at = case when cardinality(places) = 0 then clock_timestamp() end
  where s.run = the_run.id and s.step = name;
  if the_run.attempt > 1 then
    -- What stands of steps behind it answers to what other steps gave them before the spec changed.
    delete from orchestra.task t
    where t.run = the_run.id and t.step in (
      select s.step ->> 'name'
      from jsonb_array_elements((target).steps) s(step)
      join orchestra.step o on o.run = the_run.id and o.step = s.step ->> 'name' and o.status = 'waiting'
      where s.step -> 'depends_on' ? name
    );
  end if;
  if cardinality(places) > 0 then
    perform orchestra.insert_messages(
      target,
      case when ready = 0 then payloads
           else array(select payloads[p + 1] from unnest(places) with ordinality u(p, n) order by u.n) end,
      array(
        select jsonb_build_object('orchestra', jsonb_build_object(
          'run', the_run.id, 'a', the_run.attempt, 'step', name, 'i', p))
        from unnest(places) with ordinality u(p, n) order by u.n
      ),
      now()
    );
  end if;
  return true;
end
$$;

-- Fits a run to the steps of its workload, which may have changed since it began: a step that is no longer there and has
-- not begun is skipped, and a new one waits for its turn like all others. Tasks of a step that is no longer there fail
-- when they come up.
create or replace function orchestra.fit_steps(target orchestra.workload, run bigint) returns void
language sql set search_path = pg_catalog, pg_temp
as $$
  insert into orchestra.step (run, step, position)
  select $2, s.step ->> 'name', s.position
  from jsonb_array_elements(($1).steps) with ordinality s(step, position)
  on conflict do nothing;
  update orchestra.step s set status = case s.status when 'waiting' then 'skipped' else 'waiting' end
  where s.run = $2 and s.status in ('waiting', 'skipped')
    and (s.status = 'waiting') <> exists (
      select from jsonb_array_elements(($1).steps) t where t ->> 'name' = s.step
    );
$$;

-- Starts every step whose dependencies are done, and ends the run when none is left. The run's lock is the caller's.
create or replace function orchestra.advance_run(target orchestra.workload, run bigint) returns void
language plpgsql set search_path = pg_catalog, pg_temp
as $$
declare
  the_run orchestra.run;
  step jsonb;
  moved boolean := true;
begin
  perform orchestra.fit_steps(target, advance_run.run);
  while moved loop
    moved := false;
    for step in
      select s.step
      from jsonb_array_elements((target).steps) with ordinality s(step, position)
      join orchestra.step w on w.run = advance_run.run and w.step = s.step ->> 'name' and w.status = 'waiting'
      where not exists (
        select from jsonb_array_elements_text(coalesce(s.step -> 'depends_on', '[]')) d(name)
        join orchestra.step o on o.run = advance_run.run and o.step = d.name
        where o.status <> 'done'
      )
      order by s.position
    loop
      select r.* into the_run from orchestra.run r where r.id = advance_run.run;
      if the_run.status <> 'running' then
        return;
      end if;
      moved := orchestra.start_step(target, the_run, step) or moved;
    end loop;
  end loop;
  update orchestra.run r set status = 'done', finished_at = clock_timestamp()
  where r.id = advance_run.run and r.status = 'running'
    and not exists (select from orchestra.step s where s.run = r.id and s.status in ('waiting', 'running'));
end
$$;

-- A run that does not go on: what waits will not begin, what is queued is nobody's, what runs is told so when it asks.
-- False when it has ended already.
create or replace function orchestra.end_run_as(run bigint, status text, error text) returns boolean
language plpgsql set search_path = pg_catalog, pg_temp
as $$
begin
  update orchestra.run r set
    status = end_run_as.status, finished_at = clock_timestamp(), error = left(end_run_as.error, 8000)
  where r.id = end_run_as.run and r.status in ('waiting', 'running');
  if not found then
    return false;
  end if;
  update orchestra.step s set status = 'cancelled', finished_at = clock_timestamp()
  where s.run = end_run_as.run and s.status in ('waiting', 'running');
  return true;
end
$$;

-- Writes down what became of tasks that have just left the queue, once for each batch and step. `tasks` are their headers,
-- `answers` what they answered and `errors` why they failed, in the same order; null where they did not. Tasks of an
-- earlier attempt, or of a run that has ended, count nothing.
create or replace function orchestra.settle_tasks(
  target orchestra.workload, tasks jsonb[], answers jsonb[], errors text[]
) returns void
language plpgsql set search_path = pg_catalog, pg_temp
as $$
declare
  item record;
  well int;
  badly int;
  fatal boolean;
  mark orchestra.step;
begin
  perform orchestra.hold_runs(tasks);
  for item in
    select (t.h #>> '{orchestra,run}')::bigint as run, (t.h #>> '{orchestra,a}')::int as attempt,
           t.h #>> '{orchestra,step}' as step, array_agg((t.h #>> '{orchestra,i}')::int) as places,
           array_agg(t.answer) as answers, array_agg(t.error) as errors
    from unnest(tasks, answers, errors) t(h, answer, error)
    where t.h #>> '{orchestra,run}' is not null
    group by 1, 2, 3
    order by 1, 3
  loop
    if not exists (
      select from orchestra.run r where r.id = item.run and r.status = 'running' and r.attempt = item.attempt
    ) then
      continue;
    end if;
    if item.step is null then
      badly := cardinality(array_remove(item.errors, null));
      well := cardinality(item.errors) - badly;
    else
      with noted as (
        insert into orchestra.task (run, step, i, failed, result)
        select item.run, item.step, p.i, p.error is not null, p.answer
        from unnest(item.places, item.answers, item.errors) p(i, answer, error)
        on conflict do nothing
        returning failed
      )
      select count(*) filter (where not n.failed), count(*) filter (where n.failed) into well, badly from noted n;
      continue when well + badly = 0;
    end if;
    fatal := badly > 0 and item.step is not null
      and coalesce(orchestra.step_of(target, item.step) ->> 'failure_policy', 'fail_run') = 'fail_run';
    update orchestra.step s set
      done = s.done + well, failed = s.failed + badly,
      status = case when fatal then 'failed' when s.done + s.failed + well + badly >= s.total then 'done' else s.status end,
      finished_at = case when fatal or s.done + s.failed + well + badly >= s.total then clock_timestamp() end
    where s.run = item.run and s.step = coalesce(item.step, 'items')
    returning s.* into mark;
    if fatal then
      perform orchestra.end_run_as(
        item.run, 'failed', format('step %s failed: %s', item.step, (array_remove(item.errors, null))[1]));
    elsif mark.status = 'done' and item.step is not null then
      perform orchestra.advance_run(target, item.run);
    elsif mark.status = 'done' then
      update orchestra.run r set
        status = case when mark.failed > 0 then 'failed' else 'done' end,
        finished_at = clock_timestamp(),
        error = case when mark.failed > 0 then format('%s of %s items failed', mark.failed, mark.total) end
      where r.id = item.run;
    end if;
  end loop;
end
$$;
