-- What the HTTP function of a workload calls: to enqueue, or to put a call into the ledger before it answers and works on.

-- Enqueues the items of a request, in chunks of one transaction: the first call names how many there will be, the others
-- the `run` that it answered. Several items are counted together in a run, where messages can carry its number; one item
-- is a message, or the run of a pipeline. `verdict` is go, unknown or too_many.
create or replace function orchestra.enqueue_v1(
  project text, workload text, contract text, payloads jsonb[], inout run bigint, total int, caller text,
  out verdict text, out ids text[]
)
language plpgsql set search_path = ''
as $$
declare
  target orchestra.workload;
  sent bigint[];
begin
  select w.* into target from orchestra.workload w
  where w.project = enqueue_v1.project and w.name = enqueue_v1.workload and w.pattern = 'queue';
  -- What is being removed is as good as gone.
  if not found or target.removal is not null then
    verdict := 'unknown';
    return;
  end if;
  if total > coalesce(target.max_items, 1) then
    verdict := 'too_many';
    return;
  end if;
  verdict := 'go';
  perform orchestra.announce(target, enqueue_v1.contract);
  if target.steps is null and total > 1 and run is null
     and target.debounce_ms is null and target.idempotency_key is null
     and orchestra.takes_headers(target.queue_name) then
    insert into orchestra.run as r (project, workload, caller)
    values (target.project, target.name, coalesce(enqueue_v1.caller, orchestra.caller()))
    returning r.id into run;
    insert into orchestra.step (run, step, position, status, total, started_at)
    values (enqueue_v1.run, 'items', 1, 'running', enqueue_v1.total, clock_timestamp());
  end if;
  sent := orchestra.enqueue(
    target, payloads,
    headers => case when run is not null and target.steps is null
                    then orchestra.task_headers(run, 1, null, null) end,
    caller => enqueue_v1.caller
  );
  if target.steps is not null and total = 1 then
    run := sent[1];
  end if;
  ids := coalesce(sent::text[], '{}');
end
$$;

-- Puts a call into the ledger. It is overdue, and then lost, half a minute after its handler must have ended.
create or replace function orchestra.accept_v1(
  project text, workload text, contract text, payload jsonb,
  out verdict text, out call_id bigint, out timeout_ms int
)
language plpgsql set search_path = ''
as $$
declare
  target orchestra.workload;
begin
  select w.* into target from orchestra.workload w
  where w.project = accept_v1.project and w.name = accept_v1.workload and w.pattern = 'wait_until';
  if not found then
    verdict := 'unknown';
    return;
  end if;
  perform orchestra.announce(target, accept_v1.contract);
  timeout_ms := target.timeout_ms;
  if not orchestra.is_open(target) then
    verdict := 'paused';
    return;
  end if;
  verdict := 'go';
  insert into orchestra.call (project, workload, contract, payload, due_at)
  values (
    accept_v1.project, accept_v1.workload, accept_v1.contract, accept_v1.payload,
    clock_timestamp() + make_interval(secs => target.timeout_ms / 1000.0 + 30)
  )
  returning id into call_id;
end
$$;

-- Writes down how a call ended; the first word counts, except over `lost`, which was only a guess, and over the last word of
-- an isolate that was shut down (code `shutdown`) and went on for long enough to know better.
create or replace function orchestra.settle_v1(call_id bigint, error text default null, code text default null) returns void
language sql set search_path = ''
as $$
  update orchestra.call c set
    status = case when $2 is null then 'done' else 'failed' end,
    finished_at = clock_timestamp(), error = left($2, 8000), code = $3
  where c.id = $1 and (c.status in ('running', 'lost') or c.code = 'shutdown');
$$;

-- Calls of which nothing was heard in time: their isolate died. They are told in the log of the job too.
create or replace function orchestra.reap_calls(project text) returns bigint
language plpgsql set search_path = ''
as $$
declare
  reaped bigint;
begin
  update orchestra.call c set
    status = 'lost', finished_at = clock_timestamp(), error = 'its isolate went away without a word'
  where c.project = reap_calls.project and c.status = 'running' and c.due_at < clock_timestamp();
  get diagnostics reaped = row_count;
  if reaped > 0 then
    raise warning 'orchestra: % calls of project % were lost', reaped, reap_calls.project;
  end if;
  return reaped;
end
$$;
