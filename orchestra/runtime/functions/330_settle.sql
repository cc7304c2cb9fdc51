-- Settling hand-outs: acknowledged, failed, or given back unstarted.

-- Takes finished messages off their queue, those whose hand-out is still the caller's: their ids, and in the same order the
-- headers of those that are tasks of a run, for settle_tasks.
create or replace function orchestra.take_finished(
  target orchestra.workload, ids bigint[], cts int[], out taken bigint[], out tasks jsonb[]
)
language plpgsql
set search_path = '' set enable_seqscan = off set enable_sort = off set enable_bitmapscan = off set jit = off
as $$
declare
  queue constant text := format('pgmq.%I', 'q_' || (target).queue_name);
  task constant text := case when orchestra.takes_headers((target).queue_name)
    then 'case when m.headers ? ''orchestra'' then m.headers end' else 'null::jsonb' end;
begin
  if (target).retention_completed_ms is null then
    execute format(
      'with gone as (
         delete from %s m
         where m.msg_id = any ($1) and (m.msg_id, m.read_ct) in (select a.id, a.ct from unnest($1, $2) a(id, ct))
         returning m.msg_id, %s as task
       )
       select coalesce(array_agg(g.msg_id), ''{}''), coalesce(array_agg(g.task), ''{}'') from gone g', queue, task)
    into taken, tasks using ids, cts;
  else
    execute format(
      'select coalesce(array_agg(g.msg_id), ''{}''), coalesce(array_agg(g.task), ''{}'')
       from (
         select m.msg_id, %s as task from %s m
         where m.msg_id = any ($1) and (m.msg_id, m.read_ct) in (select a.id, a.ct from unnest($1, $2) a(id, ct))
         order by m.msg_id
         for update
       ) g', task, queue)
    into taken, tasks using ids, cts;
    if cardinality(taken) > 0 then
      -- pgmq's own statement, because the columns of archives differ between its versions.
      perform pgmq.archive((target).queue_name, taken);
    end if;
  end if;
  if 1 < any (cts) then
    delete from orchestra.delivery d
    where d.project = (target).project and d.workload = (target).name and d.msg_id = any (taken);
  end if;
end
$$;

-- What these messages have answered, in their order.
create or replace function orchestra.answers_of(ids bigint[], results jsonb) returns jsonb[]
language sql immutable set search_path = ''
as $$
  select array(select $2 -> s.id::text from unnest($1) with ordinality s(id, position) order by s.position);
$$;

-- Takes finished messages off their queue with what follows from it for their runs; `results` holds by id what the tasks
-- of a run have answered.
create or replace function orchestra.ack_messages(
  target orchestra.workload, ids bigint[], cts int[], results jsonb default null
) returns bigint[]
language plpgsql set search_path = ''
as $$
declare
  gone record;
begin
  gone := orchestra.take_finished(target, ids, cts);
  if cardinality(array_remove(gone.tasks, null)) > 0 then
    perform orchestra.settle_tasks(
      target, gone.tasks, orchestra.answers_of(gone.taken, results),
      array_fill(null::text, array[cardinality(gone.taken)]));
  end if;
  return gone.taken;
end
$$;

-- Gives messages back that were handed out and not started: at once, and at no attempt. The hand-out is refunded; read_ct
-- stays, or the fence would break. One that was suspected of having killed its worker has proved nothing by that and stays
-- so. Answers the ids of those that were still the caller's; giving back once more, after an answer was lost, changes nothing.
create or replace function orchestra.give_back(target orchestra.workload, ids bigint[], cts int[]) returns bigint[]
language plpgsql
set search_path = '' set enable_seqscan = off set enable_sort = off set enable_bitmapscan = off set jit = off
as $$
declare
  given bigint[];
begin
  execute format(
    'with given as (
       update pgmq.%I m set vt = clock_timestamp()
       from unnest($1, $2) b(id, ct) where m.msg_id = b.id and m.read_ct = b.ct
         and not exists (
           select from orchestra.delivery d
           where d.project = $3 and d.workload = $4 and d.msg_id = b.id and d.refunded = b.ct
         )
       returning m.msg_id, m.read_ct
     ),
     noted as (
       insert into orchestra.delivery as d (project, workload, msg_id, free, refunded, settled)
       select $3, $4, g.msg_id, 1, g.read_ct, case when g.read_ct = 1 then 1 else 0 end from given g order by g.msg_id
       on conflict on constraint delivery_pkey do update set
         free = d.free + 1, refunded = excluded.refunded, updated_at = now(),
         settled = d.settled + case
           when d.settled = (select g.read_ct - 1 from given g where g.msg_id = d.msg_id) then 1 else 0
         end
       returning d.msg_id
     )
     select coalesce(array_agg(n.msg_id), ''{}'') from noted n', 'q_' || (target).queue_name)
  into given using ids, cts, (target).project, (target).name;
  return given;
end
$$;

-- Everything that a worker reports in one turn. `fails` is
-- [{"id": "12", "ct": 1, "error": "text", "code": "ORC01" | "timeout" | null, "snooze_ms": 1000 | null}, …].
-- Answers the ids of what came too late: somebody else has had the message since.
create or replace function orchestra.settle(
  target orchestra.workload, ack bigint[], ack_ct int[], results jsonb, fails jsonb, back bigint[], back_ct int[]
) returns bigint[]
language plpgsql set search_path = ''
as $$
declare
  late bigint[] := array[]::bigint[];
  settled bigint[];
  gone record;
  failure record;
  outcome record;
  failed bigint[];
  failed_ct int[];
  -- Tasks of runs that have left the queue: their headers, what they answered, why they failed.
  tasks jsonb[] := array[]::jsonb[];
  answers jsonb[] := array[]::jsonb[];
  errors text[] := array[]::text[];
begin
  if cardinality(ack) > 0 then
    gone := orchestra.take_finished(target, ack, ack_ct);
    if cardinality(gone.taken) < cardinality(ack) then
      late := array(select a from unnest(ack) a where a <> all (gone.taken));
    end if;
    if cardinality(array_remove(gone.tasks, null)) > 0 then
      tasks := gone.tasks;
      answers := orchestra.answers_of(gone.taken, results);
      errors := array_fill(null::text, array[cardinality(gone.taken)]);
    end if;
  end if;
  if cardinality(back) > 0 then
    settled := orchestra.give_back(target, back, back_ct);
    late := late || array(select b from unnest(back) b where b <> all (settled));
  end if;
  if jsonb_array_length(fails) > 0 then
    -- All messages and runs at once, before anybody is told of the first failure.
    select array_agg((f ->> 'id')::bigint), array_agg((f ->> 'ct')::int) into failed, failed_ct
    from jsonb_array_elements(fails) f;
    perform orchestra.hold_runs(tasks || orchestra.hold_messages(target, failed, failed_ct));
  end if;
  for failure in
    select (f ->> 'id')::bigint as id, (f ->> 'ct')::int as ct, f ->> 'error' as error,
           case when f ->> 'snooze_ms' is not null then 'ORC02'
                when f ->> 'code' = 'timeout' then '57014'
                else f ->> 'code' end as code,
           (f ->> 'snooze_ms') || ' milliseconds' as hint
    from jsonb_array_elements(fails) f
    order by 1
  loop
    outcome := orchestra.fail_hand_out(
      target, failure.id, failure.ct, failure.error, failure.code, failure.hint, true);
    if outcome.verdict = 'lost' then
      late := late || failure.id;
    elsif outcome.task is not null then
      tasks := array_append(tasks, outcome.task);
      answers := array_append(answers, null);
      errors := array_append(errors, coalesce(failure.error, 'no error was recorded'));
    end if;
  end loop;
  if cardinality(tasks) > 0 then
    perform orchestra.settle_tasks(target, tasks, answers, errors);
  end if;
  return late;
end
$$;
