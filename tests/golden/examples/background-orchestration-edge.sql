-- background-orchestration: background work, compiled by orchestra VERSION (sha256 …).
-- Do not edit: change the spec and compile again.
--
-- 4 requirements, 4 extensions, 1 runtime, 1 project, 3 secrets, 2 queues, 4 workloads, 3 Edge Functions, 4 cron jobs
--
-- Run it as the role that shall own the jobs; running it again changes nothing. It opens no transaction of its own:
-- give psql --single-transaction, or let a migration tool wrap it. A database built from this file alone starts
-- paused: `orchestra apply` opens the gate.
--
-- Its place: stage execution-runtime; priority high; after supabase-mcp-verification, database-schema, pgmq, pg_cron; before webhook-handlers, async-pipelines.

-- requirement.database-schema
do $orchestra$
begin
  if not (to_regclass('"app"."task"') is not null) then
    raise exception '%', 'requirement database-schema does not hold'
      using detail = 'background-orchestration needs the relation app.task';
  end if;
end
$orchestra$;

-- requirement.pg_cron
do $orchestra$
begin
  if not (coalesce((select extversion from pg_catalog.pg_extension where extname = 'pg_cron'), (select default_version from pg_catalog.pg_available_extensions where name = 'pg_cron')) is not null) then
    raise exception '%', 'requirement pg_cron does not hold'
      using detail = 'background-orchestration needs the extension pg_cron';
  end if;
end
$orchestra$;

-- requirement.pgmq
do $orchestra$
begin
  if not (coalesce(string_to_array(regexp_replace(coalesce((select extversion from pg_catalog.pg_extension where extname = 'pgmq'), (
  select case
    when to_regclass('pgmq.meta') is null then null
    when 'read_grouped_head_with_poll' = any (f.names) then '1.13'
    when 'bind_topic' = any (f.names) then '1.11'
    when 'last_read_at' = any (c.names) then '1.10'
    when 'read_grouped' = any (f.names) then '1.9'
    when 'enable_notify_insert' = any (f.names) then '1.7'
    when 'headers' = any (c.names) then '1.5'
    else '1.4.4'
  end
  from (
    select array(
      select p.proname::text from pg_catalog.pg_proc p
      join pg_catalog.pg_namespace n on n.oid = p.pronamespace and n.nspname = 'pgmq'
    )
  ) f(names),
  (
    select array(
      select a.attname::text from pg_catalog.pg_attribute a
      join pg_catalog.pg_class r on r.oid = a.attrelid and r.relname = 'message_record'
      join pg_catalog.pg_namespace n on n.oid = r.relnamespace and n.nspname = 'pgmq'
    )
  ) c(names)
), (select default_version from pg_catalog.pg_available_extensions where name = 'pgmq'), '1.13.0'), '[^0-9.].*$|([.]0)+$', ''), '.')::int[] >= array[1, 4, 4]::int[], false)) then
    raise exception '%', 'requirement pgmq does not hold'
      using detail = 'background-orchestration needs the extension pgmq >=1.4.4';
  end if;
end
$orchestra$;

-- requirement.supabase-mcp-verification
do $orchestra$
begin
  if not (coalesce((
select current_setting('server_version_num')::int >= 150000
), false)) then
    raise exception '%', 'requirement supabase-mcp-verification does not hold'
      using detail = 'background-orchestration needs this check to be true: select current_setting(''server_version_num'')::int >= 150000';
  end if;
end
$orchestra$;

-- extension.pg_cron
create extension if not exists "pg_cron";

-- extension.pg_net
create extension if not exists "pg_net";

-- extension.pgmq
do $orchestra$
begin
  if to_regclass('pgmq.meta') is null then
    create extension pgmq;
  end if;
exception when undefined_file or feature_not_supported then
  raise exception 'this server has no pgmq extension' using hint = 'install the SQL of the pgmq package first (orchestra apply does so by itself)';
end
$orchestra$;

-- extension.supabase_vault
create extension if not exists "supabase_vault";

-- runtime.orchestra
--   …

-- project.background-orchestration
select orchestra.claim('background-orchestration', 'project.background-orchestration', 'background-orchestration', '{}');
select orchestra.register_project('background-orchestration');

-- secret.crm_webhook
--   Nothing to run: only its presence is checked.

-- secret.function_key
--   Nothing to run: only its presence is checked.

-- secret.function_url
--   Nothing to run: only its presence is checked.

-- queue.generate-reports
select orchestra.claim('background-orchestration', 'queue.generate-reports', 'generate_reports', '{"name": "generate_reports"}');
select pgmq.create('generate_reports');

-- queue.my-tasks
select orchestra.claim('background-orchestration', 'queue.my-tasks', 'my_tasks', '{"name": "my_tasks"}');
select pgmq.create('my_tasks');

-- workload.generate-reports
--   One report for each customer
select orchestra.claim('background-orchestration', 'workload.generate-reports', 'generate-reports', E'{"backoff_factor": 2, "backoff_initial_ms": 5000, "backoff_max_ms": 900000, "batch_size": 10, "contract": "07076abf98c802a5", "handler": "edge", "key_secret": "orchestra_function_key", "max_attempts": 5, "max_items": 2000, "pattern": "queue", "payload_schema": "{\\"$schema\\": \\"https://json-schema.org/draft/2020-12/schema\\", \\"additionalProperties\\": false, \\"properties\\": {\\"customer\\": {\\"minimum\\": 1, \\"type\\": \\"integer\\"}, \\"month\\": {\\"pattern\\": \\"^[0-9]{4}-[0-9]{2}$\\", \\"type\\": \\"string\\"}}, \\"required\\": [\\"customer\\", \\"month\\"], \\"title\\": \\"One report to be made\\", \\"type\\": \\"object\\"}", "poll_interval_ms": 5000, "queue_name": "generate_reports", "summary": "One report for each customer", "timeout_ms": 45000, "url_secret": "orchestra_function_url", "visibility_timeout_ms": 75000}');
select orchestra.set_workload('background-orchestration', 'generate-reports');

-- workload.my-tasks
--   Process the tasks that the app has put aside
select orchestra.claim('background-orchestration', 'workload.my-tasks', 'my-tasks', '{"backoff_factor": 2, "backoff_initial_ms": 2000, "backoff_max_ms": 60000, "handler": "sql", "max_attempts": 3, "pattern": "queue", "poll_interval_ms": 30000, "queue_name": "my_tasks", "summary": "Process the tasks that the app has put aside", "timeout_ms": 5000, "visibility_timeout_ms": 30000}'::jsonb || jsonb_build_object('sql', $sql$with done as (
  update app.task
  set state = 'processed', processed_at = now(), attempts = $2
  where id = ($1 ->> 'id')::bigint and state = 'waiting'
  returning id
)
insert into app.task_log (task_id, message_id, action)
select id, $3, $1 ->> 'action' from done
$sql$));
select orchestra.set_workload('background-orchestration', 'my-tasks');

-- workload.relay-webhook
--   Relay payment webhooks to the CRM
select orchestra.claim('background-orchestration', 'workload.relay-webhook', 'relay-webhook', '{"backoff_factor": 2, "backoff_initial_ms": 5000, "backoff_max_ms": 900000, "contract": "9910eb7d20c96195", "handler": "edge", "pattern": "wait_until", "summary": "Relay payment webhooks to the CRM", "timeout_ms": 10000, "visibility_timeout_ms": 40000}');
select orchestra.set_workload('background-orchestration', 'relay-webhook');

-- workload.send-email
--   Send one e-mail
select orchestra.claim('background-orchestration', 'workload.send-email', 'send-email', '{"backoff_factor": 2, "backoff_initial_ms": 5000, "backoff_max_ms": 900000, "contract": "9910eb7d20c96195", "handler": "edge", "pattern": "wait_until", "summary": "Send one e-mail", "timeout_ms": 15000, "visibility_timeout_ms": 45000}');
select orchestra.set_workload('background-orchestration', 'send-email');

-- edge_function.generate-reports
--   Nothing to run: it is deployed from its files.

-- edge_function.relay-webhook
--   Nothing to run: it is deployed from its files.

-- edge_function.send-email
--   Nothing to run: it is deployed from its files.

-- cron_job.housekeep.1m
select orchestra.claim('background-orchestration', 'cron_job.housekeep.1m', 'orchestra:background-orchestration:housekeep.1m', '{"command": "call orchestra.housekeep(''background-orchestration'')", "job": "orchestra:background-orchestration:housekeep.1m", "schedule": "* * * * *"}');
select cron.schedule('orchestra:background-orchestration:housekeep.1m', '* * * * *', $$call orchestra.housekeep('background-orchestration')$$);

-- cron_job.my-tasks.worker-1
select orchestra.claim('background-orchestration', 'cron_job.my-tasks.worker-1', 'orchestra:background-orchestration:my-tasks.worker-1', '{"command": "call orchestra.drain_sql(''background-orchestration'', ''my-tasks'', 1)", "job": "orchestra:background-orchestration:my-tasks.worker-1", "schedule": "30 seconds"}');
select cron.schedule('orchestra:background-orchestration:my-tasks.worker-1', '30 seconds', $$call orchestra.drain_sql('background-orchestration', 'my-tasks', 1)$$);

-- cron_job.tick.30s
select orchestra.claim('background-orchestration', 'cron_job.tick.30s', 'orchestra:background-orchestration:tick.30s', '{"command": "call orchestra.tick(''background-orchestration'', 30000)", "job": "orchestra:background-orchestration:tick.30s", "schedule": "30 seconds"}');
select cron.schedule('orchestra:background-orchestration:tick.30s', '30 seconds', $$call orchestra.tick('background-orchestration', 30000)$$);

-- cron_job.tick.5s
select orchestra.claim('background-orchestration', 'cron_job.tick.5s', 'orchestra:background-orchestration:tick.5s', '{"command": "call orchestra.tick(''background-orchestration'', 5000)", "job": "orchestra:background-orchestration:tick.5s", "schedule": "5 seconds"}');
select cron.schedule('orchestra:background-orchestration:tick.5s', '5 seconds', $$call orchestra.tick('background-orchestration', 5000)$$);
