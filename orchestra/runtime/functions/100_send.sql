-- Enqueueing. A message is a row that the caller's transaction inserts: rolled back means never sent.
--
-- These are SECURITY DEFINER, so that a role that may execute them needs no rights on queues. Their search_path names
-- pg_temp last: an empty one looks for types among the caller's temporary objects, and before all others. Rows are
-- inserted by column name: the layouts of pgmq 1.4.4 to 1.13 differ, and so do the overloads of pgmq.send.
--
-- SQLSTATEs: ORC20 no such workload, ORC21 ambiguous name, ORC22 the workload has no queue.

-- The workload called `name`, or `project/name` where two projects have one of that name.
create or replace function orchestra.find_workload(name text) returns orchestra.workload
language plpgsql stable set search_path = pg_catalog, pg_temp
as $$
declare
  slash int := strpos(find_workload.name, '/');
  found_one orchestra.workload;
  projects text[];
begin
  if slash > 0 then
    select w.* into found_one
    from orchestra.workload w
    where w.project = left(find_workload.name, slash - 1)
      and w.name = substr(find_workload.name, slash + 1);
  else
    select array_agg(w.project order by w.project) into projects
    from orchestra.workload w
    where w.name = find_workload.name;
    if cardinality(projects) > 1 then
      raise exception 'workload % exists in the projects %', find_workload.name, array_to_string(projects, ', ')
        using errcode = 'ORC21', hint = format('Say which: %s/%s', projects[1], find_workload.name);
    end if;
    select w.* into found_one
    from orchestra.workload w
    where w.project = projects[1] and w.name = find_workload.name;
  end if;
  if found_one.name is null then
    raise exception 'there is no workload %', find_workload.name
      using errcode = 'ORC20', hint = 'They are listed in orchestra.workload.';
  end if;
  return found_one;
end
$$;

-- The one insert behind everything that enqueues; ids in the order of the payloads. `delay` null is the workload's own.
create or replace function orchestra.enqueue(
  target orchestra.workload, payloads jsonb[], delay interval, headers jsonb
) returns bigint[]
language plpgsql set search_path = pg_catalog, pg_temp
as $$
declare
  queue text := 'q_' || (target).queue_name;
  visible timestamptz;
  ids bigint[];
begin
  if (target).queue_name is null then
    raise exception 'workload % has no queue', (target).name
      using errcode = 'ORC22', hint = format('It is %s; only a queue takes messages.', (target).pattern);
  end if;
  visible := clock_timestamp() + greatest(
    coalesce(enqueue.delay, make_interval(secs => (target).delay_ms / 1000.0)), interval '0'
  );
  if enqueue.headers is not null and not exists (
    select from pg_catalog.pg_attribute a
    where a.attrelid = to_regclass(format('pgmq.%I', queue)) and a.attname = 'headers' and not a.attisdropped
  ) then
    raise exception 'the queue of workload % takes no headers', (target).name
      using errcode = 'feature_not_supported', hint = 'Headers need pgmq 1.5 or later.';
  end if;
  execute format(
    'with sent as (
       insert into pgmq.%I (vt, message%s)
       select $1, p.payload%s from unnest($2) with ordinality p(payload, position) order by p.position
       returning msg_id
     )
     select array_agg(msg_id order by msg_id) from sent',
    queue,
    case when enqueue.headers is not null then ', headers' else '' end,
    case when enqueue.headers is not null then ', $3' else '' end
  )
  into ids using visible, payloads, headers;
  return ids;
end
$$;

-- Enqueues one message and returns its id. Paused workloads take messages too; they wait.
create or replace function orchestra.send(
  workload text, payload jsonb, delay interval default null, headers jsonb default null
) returns bigint
language sql security definer set search_path = pg_catalog, pg_temp
as $$
  select (orchestra.enqueue(orchestra.find_workload($1), array[$2], $3, $4))[1];
$$;

-- Enqueues many messages at once, all or none, and returns their ids in the order of the payloads.
create or replace function orchestra.send_many(
  workload text, payloads jsonb[], delay interval default null, headers jsonb default null
) returns bigint[]
language sql security definer set search_path = pg_catalog, pg_temp
as $$
  select coalesce(orchestra.enqueue(orchestra.find_workload($1), $2, $3, $4), '{}');
$$;
