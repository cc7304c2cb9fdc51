-- Enqueueing. A message is a row that the caller's transaction inserts: rolled back means never sent.
--
-- These are SECURITY DEFINER, so that a role that may execute them needs no rights on queues. Their search_path names
-- pg_temp last: an empty one looks for types among the caller's temporary objects, and before all others. Rows are
-- inserted by column name: the layouts of pgmq 1.4.4 to 1.13 differ, and so do the overloads of pgmq.send.
--
-- SQLSTATEs: ORC20 no such workload, ORC21 ambiguous name, ORC22 the workload has no queue,
-- ORC27 it is being removed.

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

-- Whether anything of a workload may begin: neither it nor its project is paused.
create or replace function orchestra.is_open(target orchestra.workload) returns boolean
language plpgsql stable set search_path = pg_catalog, pg_temp
as $$
begin
  return not (target).paused
    and exists (select from orchestra.project p where p.project = (target).project and p.gate = 'open');
end
$$;

-- Whether the messages of a queue can carry headers: pgmq 1.5 and later. Not in SQL, whose functions are parsed and planned
-- at every call: this one is asked twice a turn.
create or replace function orchestra.takes_headers(queue_name text) returns boolean
language plpgsql stable set search_path = pg_catalog, pg_temp
as $$
begin
  return exists (
    select from pg_catalog.pg_attribute a
    where a.attrelid = to_regclass(format('pgmq.%I', 'q_' || takes_headers.queue_name))
      and a.attname = 'headers' and not a.attisdropped
  );
end
$$;

-- Who is asking: the subject of the JWT that PostgREST has verified, or else the role.
create or replace function orchestra.caller() returns text
language sql stable set search_path = pg_catalog, pg_temp
as $$
  select coalesce(
    nullif(current_setting('request.jwt.claims', true), '')::jsonb ->> 'sub',
    'role:' || coalesce(nullif(current_setting('role', true), 'none'), session_user)
  );
$$;

-- The one insert of messages; ids in the order of the payloads. `headers` are null, or one for each payload.
create or replace function orchestra.insert_messages(
  target orchestra.workload, payloads jsonb[], headers jsonb[], visible timestamptz
) returns bigint[]
language plpgsql set search_path = pg_catalog, pg_temp
as $$
declare
  queue constant text := 'q_' || (target).queue_name;
  ids bigint[];
begin
  if insert_messages.headers is null then
    execute format(
      'with sent as (
         insert into pgmq.%I (vt, message)
         select $1, p.payload from unnest($2) with ordinality p(payload, position) order by p.position
         returning msg_id
       )
       select array_agg(msg_id order by msg_id) from sent', queue)
    into ids using visible, payloads;
  else
    if not orchestra.takes_headers((target).queue_name) then
      raise exception 'the queue of workload % takes no headers', (target).name
        using errcode = 'feature_not_supported', hint = 'Headers need pgmq 1.5 or later.';
    end if;
    execute format(
      'with sent as (
         insert into pgmq.%I (vt, message, headers)
         select $1, p.payload, p.headers
         from unnest($2, $3) with ordinality p(payload, headers, position) order by p.position
         returning msg_id
       )
       select array_agg(msg_id order by msg_id) from sent', queue)
    into ids using visible, payloads, headers;
  end if;
  perform orchestra.knock(target, cardinality(payloads), visible);
  return ids;
end
$$;

-- What is behind everything that enqueues; ids in the order of the payloads: of messages, or of runs where the workload is
-- a pipeline. What is there already under an idempotency key, or waits under a debounce key, gives the id that it has.
-- `scheduled_at` goes before `delay`; neither is the workload's own delay.
create or replace function orchestra.enqueue(
  target orchestra.workload, payloads jsonb[], delay interval default null, headers jsonb default null,
  scheduled_at timestamptz default null, idempotency_key text default null, caller text default null
) returns bigint[]
language plpgsql set search_path = pg_catalog, pg_temp
as $$
declare
  visible timestamptz;
begin
  if (target).queue_name is null then
    raise exception 'workload % has no queue', (target).name
      using errcode = 'ORC22', hint = format('It is %s; only a queue takes messages.', (target).pattern);
  end if;
  if (target).removal is not null then
    raise exception 'workload % is being removed and takes no more', (target).name
      using errcode = 'ORC27', hint = 'It works off what it has. To keep it, put it back into the spec and apply.';
  end if;
  if (target).steps is not null and enqueue.headers is not null then
    raise exception 'a run of workload % takes no headers', (target).name
      using errcode = 'feature_not_supported', hint = 'Put it into the payload, which its first steps get.';
  end if;
  visible := coalesce(enqueue.scheduled_at, clock_timestamp() + greatest(
    coalesce(enqueue.delay, make_interval(secs => (target).delay_ms / 1000.0)), interval '0'
  ));
  if enqueue.idempotency_key is null and (target).idempotency_key is null then
    return orchestra.enqueue_now(target, payloads, headers, visible, caller);
  end if;
  return orchestra.enqueue_once(target, payloads, headers, visible, enqueue.idempotency_key, caller);
end
$$;

-- The same with what keys decide behind it.
create or replace function orchestra.enqueue_now(
  target orchestra.workload, payloads jsonb[], headers jsonb, visible timestamptz, caller text
) returns bigint[]
language plpgsql set search_path = pg_catalog, pg_temp
as $$
begin
  if (target).debounce_ms is not null then
    return orchestra.enqueue_last(target, payloads, headers, visible, caller);
  elsif (target).steps is not null then
    return orchestra.start_runs(target, payloads, visible, caller);
  end if;
  return orchestra.insert_messages(
    target, payloads,
    case when enqueue_now.headers is not null
         then array_fill(enqueue_now.headers, array[cardinality(payloads)]) end,
    visible
  );
end
$$;

-- Enqueues one message and returns its id (a run's id where the workload is a pipeline). Paused workloads take messages
-- too; they wait.
create or replace function orchestra.send(
  workload text, payload jsonb, delay interval default null, headers jsonb default null,
  scheduled_at timestamptz default null, idempotency_key text default null
) returns bigint
language sql security definer set search_path = pg_catalog, pg_temp
as $$
  select (orchestra.enqueue(orchestra.find_workload($1), array[$2], $3, $4, $5, $6))[1];
$$;

-- Enqueues many messages at once, all or none, and returns their ids in the order of the payloads.
create or replace function orchestra.send_many(
  workload text, payloads jsonb[], delay interval default null, headers jsonb default null,
  scheduled_at timestamptz default null
) returns bigint[]
language sql security definer set search_path = pg_catalog, pg_temp
as $$
  select coalesce(orchestra.enqueue(orchestra.find_workload($1), $2, $3, $4, $5), '{}');
$$;
