-- Runs: the steps of a pipeline, or the items of one request that are counted together.
--
-- A task is a message of the workload's queue with {"orchestra": {"run": 7, "a": 1, "step": "render", "i": 3}} in its headers
-- and its own payload: the run's input for a step without dependencies, an element for a mapped step, and for any other
-- step {"dependency": what it answered, …}. A message of a pipeline without a step begins a run.
--
-- Locks are taken in one order: the row of the step that a batch settles, then the run's, then those of steps that wait,
-- which nobody else touches. So two that finish at the same time meet at the run's row, and the second one sees what the
-- first one did.

create or replace function orchestra.task_headers(run bigint, attempt int, step text, i int) returns jsonb
language sql immutable set search_path = pg_catalog, pg_temp
as $$
  select jsonb_build_object('orchestra', jsonb_strip_nulls(
    jsonb_build_object('run', $1, 'a', $2, 'step', $3, 'i', $4)
  ));
$$;

-- A run of a pipeline that begins when its message comes up: with the run's number, and no step.
create or replace function orchestra.plan_run(
  target orchestra.workload, payload jsonb, visible timestamptz, caller text, out run bigint, out msg_id bigint
)
language plpgsql set search_path = pg_catalog, pg_temp
as $$
begin
  insert into orchestra.run (project, workload, status, input, caller)
  values ((target).project, (target).name, 'waiting', payload, coalesce(plan_run.caller, orchestra.caller()))
  returning id into run;
  msg_id := (orchestra.insert_messages(
    target, array[payload], array[orchestra.task_headers(run, 1, null, null)], visible))[1];
end
$$;

-- A run for each payload, begun at once where nothing is to be waited for; their ids.
create or replace function orchestra.start_runs(
  target orchestra.workload, payloads jsonb[], visible timestamptz, caller text
) returns bigint[]
language plpgsql set search_path = pg_catalog, pg_temp
as $$
declare
  payload jsonb;
  runs bigint[] := array[]::bigint[];
begin
  foreach payload in array payloads loop
    if visible > clock_timestamp() then
      runs := runs || (select p.run from orchestra.plan_run(target, payload, visible, caller) p);
    else
      runs := runs || orchestra.start_run(target, null, payload, caller);
    end if;
  end loop;
  return runs;
end
$$;

-- Begins a run, a new one or one that was planned, with the steps that depend on nothing. Answers its id; null where the
-- planned one has begun or been cancelled.
create or replace function orchestra.start_run(target orchestra.workload, planned bigint, input jsonb, caller text)
returns bigint
language plpgsql set search_path = pg_catalog, pg_temp
as $$
declare
  run_id bigint;
begin
  if planned is null then
    insert into orchestra.run (project, workload, input, caller)
    values ((target).project, (target).name, start_run.input, coalesce(start_run.caller, orchestra.caller()))
    returning id into run_id;
  else
    update orchestra.run r set status = 'running', input = start_run.input, started_at = clock_timestamp()
    where r.id = planned and r.status = 'waiting'
    returning r.id into run_id;
    if run_id is null then
      return null;
    end if;
  end if;
  insert into orchestra.step (run, step, position)
  select run_id, s.step ->> 'name', s.position
  from jsonb_array_elements((target).steps) with ordinality s(step, position);
  perform orchestra.advance_run(target, run_id);
  return run_id;
end
$$;

-- What a step has answered: for a mapped one an array in the order of its elements, with null where one failed.
create or replace function orchestra.step_result(target orchestra.workload, run bigint, step text) returns jsonb
language sql stable set search_path = pg_catalog, pg_temp
as $$
  select case
    when (select s ->> 'map' from jsonb_array_elements((target).steps) s where s ->> 'name' = $3) is not null
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
-- does not wait any more.
create or replace function orchestra.start_step(target orchestra.workload, the_run orchestra.run, step jsonb) returns boolean
language plpgsql set search_path = pg_catalog, pg_temp
as $$
declare
  name constant text := step ->> 'name';
  payloads jsonb[];
  places int[];
  ready int;
begin
  perform from orchestra.step s where s.run = the_run.id and s.step = name and s.status = 'waiting' for update;
  if not found then
    return false;
  end if;
  payloads := orchestra.step_payloads(target, the_run, step);
  if payloads is null then
    update orchestra.step s set status = 'failed', finished_at = clock_timestamp()
    where s.run = the_run.id and s.step = name;
    perform orchestra.end_run_as(
      the_run.id, 'failed', format('step %s maps what step %s answered, which is no array', name, step ->> 'map'));
    return true;
  end if;
  select count(*) into ready from orchestra.task t where t.run = the_run.id and t.step = name and not t.failed;
  places := array(
    select i - 1 from generate_series(1, cardinality(payloads)) i
    where ready = 0 or not exists (
      select from orchestra.task t where t.run = the_run.id and t.step = name and t.i = i - 1 and not t.failed
    )
    order by i
  );
  update orchestra.step s set
    status = case when cardinality(places) = 0 then 'done' else 'running' end,
    total = cardinality(payloads), done = ready, failed = 0, started_at = clock_timestamp(),
    finished_at = case when cardinality(places) = 0 then clock_timestamp() end
  where s.run = the_run.id and s.step = name;
  if cardinality(places) > 0 then
    perform orchestra.insert_messages(
      target,
      case when ready = 0 then payloads
           else array(select payloads[p + 1] from unnest(places) with ordinality u(p, n) order by u.n) end,
      array(
        select orchestra.task_headers(the_run.id, the_run.attempt, name, p)
        from unnest(places) with ordinality u(p, n) order by u.n
      ),
      clock_timestamp()
    );
  end if;
  return true;
end
$$;

-- Starts every step whose dependencies are done, and ends the run when none is left.
create or replace function orchestra.advance_run(target orchestra.workload, run bigint) returns void
language plpgsql set search_path = pg_catalog, pg_temp
as $$
declare
  the_run orchestra.run;
  step jsonb;
  moved boolean := true;
begin
  select r.* into the_run from orchestra.run r where r.id = advance_run.run for update;
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
  where s.run = end_run_as.run and s.status = 'waiting';
  return true;
end
$$;

-- Writes down what became of tasks that have just left the queue, once for each batch and step. `tasks` are their headers,
-- `results` what they answered, in the same order. Tasks of an earlier attempt, or of a run that has ended, count nothing.
create or replace function orchestra.settle_tasks(
  target orchestra.workload, tasks jsonb[], results jsonb[], failed boolean, error text default null
) returns void
language plpgsql set search_path = pg_catalog, pg_temp
as $$
declare
  item record;
  mark orchestra.step;
begin
  for item in
    select (t.h #>> '{orchestra,run}')::bigint as run, (t.h #>> '{orchestra,a}')::int as attempt,
           coalesce(t.h #>> '{orchestra,step}', 'items') as step,
           array_agg((t.h #>> '{orchestra,i}')::int) as places, array_agg(results[t.position]) as answers
    from unnest(tasks) with ordinality t(h, position)
    where t.h #>> '{orchestra,run}' is not null
    group by 1, 2, 3
    order by 1, 3
  loop
    if not exists (
      select from orchestra.run r where r.id = item.run and r.status = 'running' and r.attempt = item.attempt
    ) then
      continue;
    end if;
    if item.step <> 'items' then
      insert into orchestra.task (run, step, i, failed, result)
      select item.run, item.step, p.i, settle_tasks.failed, p.answer
      from unnest(item.places, item.answers) p(i, answer)
      on conflict do nothing;
    end if;
    update orchestra.step s set
      done = s.done + case when settle_tasks.failed then 0 else cardinality(item.places) end,
      failed = s.failed + case when settle_tasks.failed then cardinality(item.places) else 0 end
    where s.run = item.run and s.step = item.step
    returning s.* into mark;
    if settle_tasks.failed and item.step <> 'items' and coalesce((
      select s ->> 'failure_policy' from jsonb_array_elements((target).steps) s where s ->> 'name' = item.step
    ), 'fail_run') = 'fail_run' then
      update orchestra.step s set status = 'failed', finished_at = clock_timestamp()
      where s.run = item.run and s.step = item.step;
      perform orchestra.end_run_as(item.run, 'failed', format('step %s failed: %s', item.step, settle_tasks.error));
    elsif mark.done + mark.failed >= mark.total then
      update orchestra.step s set status = 'done', finished_at = clock_timestamp()
      where s.run = item.run and s.step = item.step;
      if item.step = 'items' then
        update orchestra.run r set
          status = case when mark.failed > 0 then 'failed' else 'done' end,
          finished_at = clock_timestamp(),
          error = case when mark.failed > 0 then format('%s of %s items failed', mark.failed, mark.total) end
        where r.id = item.run and r.status = 'running';
      else
        perform orchestra.advance_run(target, item.run);
      end if;
    end if;
  end loop;
end
$$;
