-- Writes a workload's configuration from what has just been recorded for it in the registry, where every value stands
-- that differs from the defaults below; all others go back to their default, so that what is left out of the spec is not
-- remembered. Only a new workload is paused by it: later that may be an operator's doing, which neither a later apply nor
-- compiled SQL that runs again undoes. Where the spec itself changes its mind, `claim` turns it.
create or replace function orchestra.set_workload(project text, name text) returns void
language plpgsql set search_path = ''
as $$
declare
  config jsonb;
  wanted orchestra.workload;
begin
  select r.applied into strict config
  from orchestra.registry r
  where r.project = set_workload.project and r.address = 'workload.' || set_workload.name;
  wanted := jsonb_populate_record(
    null::orchestra.workload,
    jsonb_build_object(
      'search_path', '[]'::jsonb, 'batch_size', 1, 'concurrency', 1, 'timeout_ms', 0, 'visibility_timeout_ms', 0,
      'max_attempts', 1, 'backoff_initial_ms', 0, 'backoff_factor', 1, 'backoff_max_ms', 0, 'backoff_jitter', 'full',
      'delay_ms', 0, 'paused', false, 'summary', '',
      'per_worker', 10, 'linger_ms', 2000, 'cpu_ms', 5, 'rate_on_excess', 'queue'
    )
    || config
    || jsonb_build_object('project', set_workload.project, 'name', set_workload.name)
  );
  -- Documents travel as text, in the form in which the plan compares them.
  if jsonb_typeof(config -> 'payload_schema') = 'string' then
    wanted.payload_schema := (config ->> 'payload_schema')::jsonb;
  end if;
  if jsonb_typeof(config -> 'steps') = 'string' then
    wanted.steps := (config ->> 'steps')::jsonb;
  end if;
  -- A version of the code that is wanted again has to announce itself again.
  delete from orchestra.contract c
  using orchestra.workload w
  where w.project = set_workload.project and w.name = set_workload.name and w.contract <> wanted.contract
    and c.project = w.project and c.workload = w.name and c.contract = wanted.contract;
  insert into orchestra.workload values (wanted.*)
  on conflict on constraint workload_pkey do update set
    pattern = excluded.pattern,
    handler = excluded.handler,
    sql = excluded.sql,
    run_role = excluded.run_role,
    search_path = excluded.search_path,
    queue_name = excluded.queue_name,
    batch_size = excluded.batch_size,
    concurrency = excluded.concurrency,
    poll_interval_ms = excluded.poll_interval_ms,
    timeout_ms = excluded.timeout_ms,
    visibility_timeout_ms = excluded.visibility_timeout_ms,
    max_attempts = excluded.max_attempts,
    backoff_initial_ms = excluded.backoff_initial_ms,
    backoff_factor = excluded.backoff_factor,
    backoff_max_ms = excluded.backoff_max_ms,
    backoff_jitter = excluded.backoff_jitter,
    delay_ms = excluded.delay_ms,
    retention_completed_ms = excluded.retention_completed_ms,
    retention_failed_ms = excluded.retention_failed_ms,
    max_depth = excluded.max_depth,
    max_age_ms = excluded.max_age_ms,
    summary = excluded.summary,
    payload_schema = excluded.payload_schema,
    per_worker = excluded.per_worker,
    linger_ms = excluded.linger_ms,
    cpu_ms = excluded.cpu_ms,
    contract = excluded.contract,
    url_secret = excluded.url_secret,
    key_secret = excluded.key_secret,
    max_items = excluded.max_items,
    rate_limit = excluded.rate_limit,
    rate_period_ms = excluded.rate_period_ms,
    rate_key = excluded.rate_key,
    rate_on_excess = excluded.rate_on_excess,
    idempotency_key = excluded.idempotency_key,
    idempotency_ttl_ms = excluded.idempotency_ttl_ms,
    debounce_ms = excluded.debounce_ms,
    debounce_key = excluded.debounce_key,
    on_failure = excluded.on_failure,
    dead_letter_queue = excluded.dead_letter_queue,
    steps = excluded.steps,
    removal = excluded.removal;
  if wanted.handler = 'edge' then
    insert into orchestra.wake (project, workload) values (set_workload.project, set_workload.name)
    on conflict do nothing;
  end if;
end
$$;
