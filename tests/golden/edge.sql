-- edge: background work, compiled by orchestra VERSION (sha256 …).
-- Do not edit: change the spec and compile again.
--
-- 4 extensions, 1 runtime, 1 project, 3 secrets, 6 queues, 7 workloads, 1 grant, 2 progress functions, 6 Edge Functions, 4 cron jobs, 2 table triggers
--
-- Run it as the role that shall own the jobs; running it again changes nothing. It opens no transaction of its own:
-- give psql --single-transaction, or let a migration tool wrap it. A database built from this file alone starts
-- paused: `orchestra apply` opens the gate.

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

-- project.edge
select orchestra.claim('edge', 'project.edge', 'edge', '{}');
select orchestra.register_project('edge');

-- secret.function_key
--   Nothing to run: only its presence is checked.

-- secret.function_url
--   Nothing to run: only its presence is checked.

-- secret.github
--   Nothing to run: only its presence is checked.

-- queue.import
select orchestra.claim('edge', 'queue.import', 'import', '{"name": "import"}');
select pgmq.create('import');

-- queue.import.dead-letters
select orchestra.claim('edge', 'queue.import.dead-letters', 'import_failed', '{"name": "import_failed"}');
select pgmq.create('import_failed');

-- queue.index
select orchestra.claim('edge', 'queue.index', 'index', '{"name": "index"}');
select pgmq.create('index');

-- queue.report
select orchestra.claim('edge', 'queue.report', 'report', '{"name": "report"}');
select pgmq.create('report');

-- queue.tally
select orchestra.claim('edge', 'queue.tally', 'tally', '{"name": "tally"}');
select pgmq.create('tally');

-- queue.tell-somebody
select orchestra.claim('edge', 'queue.tell-somebody', 'tell_somebody', '{"name": "tell_somebody"}');
select pgmq.create('tell_somebody');

-- workload.import
--   Everything that a queue can be told
select orchestra.claim('edge', 'workload.import', 'import', E'{"backoff_factor": 3, "backoff_initial_ms": 1000, "backoff_jitter": "none", "backoff_max_ms": 300000, "batch_size": 25, "concurrency": 25, "contract": "b3476f8b4d370d3a", "cpu_ms": 20, "dead_letter_queue": "import_failed", "delay_ms": 1000, "handler": "edge", "idempotency_key": "id", "idempotency_ttl_ms": 172800000, "key_secret": "orchestra_function_key", "linger_ms": 5000, "max_age_ms": 3600000, "max_attempts": 4, "max_depth": 20000, "max_items": 5000, "on_failure": "tell-somebody", "pattern": "queue", "payload_schema": "{\\"$schema\\": \\"https://json-schema.org/draft/2020-12/schema\\", \\"additionalProperties\\": false, \\"properties\\": {\\"customer\\": {\\"maxLength\\": 40, \\"type\\": \\"string\\"}, \\"id\\": {\\"type\\": \\"integer\\"}, \\"tags\\": {\\"items\\": {\\"enum\\": [\\"new\\", \\"old\\"]}, \\"type\\": \\"array\\"}}, \\"required\\": [\\"id\\", \\"customer\\"], \\"type\\": \\"object\\"}", "per_worker": 5, "poll_interval_ms": 60000, "queue_name": "import", "rate_key": "customer", "rate_limit": 100, "rate_period_ms": 60000, "retention_completed_ms": 86400000, "retention_failed_ms": 2592000000, "summary": "Everything that a queue can be told", "timeout_ms": 20000, "url_secret": "edge_url", "visibility_timeout_ms": 45000}');
select orchestra.set_workload('edge', 'import');

-- workload.index
select orchestra.claim('edge', 'workload.index', 'index', '{"backoff_factor": 2, "backoff_initial_ms": 5000, "backoff_max_ms": 900000, "contract": "9910eb7d20c96195", "debounce_key": "key.id", "debounce_ms": 10000, "handler": "edge", "key_secret": "orchestra_function_key", "pattern": "queue", "per_worker": 1, "poll_interval_ms": 60000, "queue_name": "index", "timeout_ms": 30000, "url_secret": "edge_url", "visibility_timeout_ms": 60000}');
select orchestra.set_workload('edge', 'index');

-- workload.on-push
select orchestra.claim('edge', 'workload.on-push', 'on-push', '{"backoff_factor": 2, "backoff_initial_ms": 5000, "backoff_max_ms": 900000, "contract": "9910eb7d20c96195", "handler": "edge", "pattern": "wait_until", "timeout_ms": 10000, "visibility_timeout_ms": 40000}');
select orchestra.set_workload('edge', 'on-push');

-- workload.relay
select orchestra.claim('edge', 'workload.relay', 'relay', E'{"backoff_factor": 2, "backoff_initial_ms": 5000, "backoff_max_ms": 900000, "contract": "b3476f8b4d370d3a", "handler": "edge", "pattern": "wait_until", "payload_schema": "{\\"$schema\\": \\"https://json-schema.org/draft/2020-12/schema\\", \\"additionalProperties\\": false, \\"properties\\": {\\"customer\\": {\\"maxLength\\": 40, \\"type\\": \\"string\\"}, \\"id\\": {\\"type\\": \\"integer\\"}, \\"tags\\": {\\"items\\": {\\"enum\\": [\\"new\\", \\"old\\"]}, \\"type\\": \\"array\\"}}, \\"required\\": [\\"id\\", \\"customer\\"], \\"type\\": \\"object\\"}", "timeout_ms": 20000, "visibility_timeout_ms": 50000}');
select orchestra.set_workload('edge', 'relay');

-- workload.report
select orchestra.claim('edge', 'workload.report', 'report', E'{"backoff_factor": 2, "backoff_initial_ms": 5000, "backoff_max_ms": 900000, "batch_size": 10, "concurrency": 8, "contract": "4d07f6273f1ac84d", "handler": "edge", "key_secret": "orchestra_function_key", "max_attempts": 5, "pattern": "queue", "payload_schema": "{\\"$schema\\": \\"https://json-schema.org/draft/2020-12/schema\\", \\"additionalProperties\\": false, \\"properties\\": {\\"customer\\": {\\"maxLength\\": 40, \\"type\\": \\"string\\"}, \\"id\\": {\\"type\\": \\"integer\\"}, \\"tags\\": {\\"items\\": {\\"enum\\": [\\"new\\", \\"old\\"]}, \\"type\\": \\"array\\"}}, \\"required\\": [\\"id\\", \\"customer\\"], \\"type\\": \\"object\\"}", "poll_interval_ms": 60000, "queue_name": "report", "steps": "[{\\"depends_on\\": [], \\"name\\": \\"collect\\", \\"timeout_ms\\": 60000}, {\\"depends_on\\": [\\"collect\\"], \\"name\\": \\"legal\\", \\"timeout_ms\\": 5000}, {\\"depends_on\\": [\\"collect\\"], \\"failure_policy\\": \\"continue\\", \\"map\\": \\"collect\\", \\"name\\": \\"render\\", \\"timeout_ms\\": 90000}, {\\"depends_on\\": [\\"legal\\", \\"render\\"], \\"name\\": \\"publish\\", \\"timeout_ms\\": 10000}]", "timeout_ms": 90000, "url_secret": "edge_url", "visibility_timeout_ms": 120000}');
select orchestra.set_workload('edge', 'report');

-- workload.tally
select orchestra.claim('edge', 'workload.tally', 'tally', E'{"backoff_factor": 2, "backoff_initial_ms": 5000, "backoff_max_ms": 900000, "handler": "sql", "max_attempts": 5, "pattern": "queue", "poll_interval_ms": 60000, "queue_name": "tally", "steps": "[{\\"answers\\": true, \\"depends_on\\": [], \\"name\\": \\"count\\", \\"sql\\": \\"select array_to_json(array_agg(i.id)) from public.item i\\", \\"timeout_ms\\": 5000}, {\\"answers\\": false, \\"depends_on\\": [\\"count\\"], \\"map\\": \\"count\\", \\"name\\": \\"each\\", \\"run_role\\": \\"clerk\\", \\"sql\\": \\"update public.item set counted = true where id = ($1)::text::bigint\\", \\"timeout_ms\\": 5000}]", "timeout_ms": 5000, "visibility_timeout_ms": 35000}');
select orchestra.set_workload('edge', 'tally');

-- workload.tell-somebody
select orchestra.claim('edge', 'workload.tell-somebody', 'tell-somebody', '{"backoff_factor": 2, "backoff_initial_ms": 5000, "backoff_max_ms": 900000, "batch_size": 10, "contract": "9910eb7d20c96195", "handler": "edge", "key_secret": "orchestra_function_key", "max_attempts": 5, "pattern": "queue", "poll_interval_ms": 60000, "queue_name": "tell_somebody", "rate_limit": 1, "rate_on_excess": "drop", "rate_period_ms": 600000, "timeout_ms": 5000, "url_secret": "edge_url", "visibility_timeout_ms": 35000}');
select orchestra.set_workload('edge', 'tell-somebody');

-- grant.import
select orchestra.claim('edge', 'grant.import', 'public.enqueue_import', '{"function": "enqueue_import", "roles": ["clerk"], "source": " select orchestra.send(''edge/import'', payload) "}');
create or replace function "public"."enqueue_import"(payload jsonb) returns bigint
language sql security definer set search_path = ''
as $$ select orchestra.send('edge/import', payload) $$;
do $orchestra$
declare grantee text;
begin
  for grantee in
    select case when a.grantee = 0 then 'public' else quote_ident(pg_get_userbyid(a.grantee)) end
    from pg_catalog.pg_proc p, aclexplode(coalesce(p.proacl, acldefault('f', p.proowner))) a
    where p.oid = '"public"."enqueue_import"(jsonb)'::regprocedure and a.grantee <> p.proowner
  loop
    execute format('revoke all on function "public"."enqueue_import"(jsonb) from %s', grantee);
  end loop;
end
$orchestra$;
grant execute on function "public"."enqueue_import"(jsonb) to "clerk";

-- progress.import
select orchestra.claim('edge', 'progress.import', 'public.progress_import', '{"function": "progress_import", "readers": ["clerk"], "roles": ["clerk"], "source": " select p from orchestra.run_progress(run) p where exists (select from orchestra.run r where r.id = run and r.project = ''edge'' and r.workload = ''import'') "}');
create or replace function "public"."progress_import"(run bigint) returns jsonb
language sql stable security invoker set search_path = ''
as $$ select p from orchestra.run_progress(run) p where exists (select from orchestra.run r where r.id = run and r.project = 'edge' and r.workload = 'import') $$;
do $orchestra$
declare grantee text;
begin
  for grantee in
    select case when a.grantee = 0 then 'public' else quote_ident(pg_get_userbyid(a.grantee)) end
    from pg_catalog.pg_proc p, aclexplode(coalesce(p.proacl, acldefault('f', p.proowner))) a
    where p.oid = '"public"."progress_import"(bigint)'::regprocedure and a.grantee <> p.proowner
  loop
    execute format('revoke all on function "public"."progress_import"(bigint) from %s', grantee);
  end loop;
end
$orchestra$;
grant execute on function "public"."progress_import"(bigint) to "clerk";
select orchestra.set_readers('edge', 'import', array['clerk']::text[]);

-- progress.report
select orchestra.claim('edge', 'progress.report', 'public.progress_report', '{"function": "progress_report", "readers": ["clerk"], "roles": ["clerk"], "source": " select p from orchestra.run_progress(run) p where exists (select from orchestra.run r where r.id = run and r.project = ''edge'' and r.workload = ''report'') "}');
create or replace function "public"."progress_report"(run bigint) returns jsonb
language sql stable security invoker set search_path = ''
as $$ select p from orchestra.run_progress(run) p where exists (select from orchestra.run r where r.id = run and r.project = 'edge' and r.workload = 'report') $$;
do $orchestra$
declare grantee text;
begin
  for grantee in
    select case when a.grantee = 0 then 'public' else quote_ident(pg_get_userbyid(a.grantee)) end
    from pg_catalog.pg_proc p, aclexplode(coalesce(p.proacl, acldefault('f', p.proowner))) a
    where p.oid = '"public"."progress_report"(bigint)'::regprocedure and a.grantee <> p.proowner
  loop
    execute format('revoke all on function "public"."progress_report"(bigint) from %s', grantee);
  end loop;
end
$orchestra$;
grant execute on function "public"."progress_report"(bigint) to "clerk";
select orchestra.set_readers('edge', 'report', array['clerk']::text[]);

-- edge_function.import
--   Nothing to run: it is deployed from its files.

-- edge_function.index
--   Nothing to run: it is deployed from its files.

-- edge_function.on-push
--   Nothing to run: it is deployed from its files.

-- edge_function.relay
--   Nothing to run: it is deployed from its files.

-- edge_function.report
--   Nothing to run: it is deployed from its files.

-- edge_function.tell-somebody
--   Nothing to run: it is deployed from its files.

-- cron_job.housekeep.1m
select orchestra.claim('edge', 'cron_job.housekeep.1m', 'orchestra:edge:housekeep.1m', '{"command": "call orchestra.housekeep(''edge'')", "job": "orchestra:edge:housekeep.1m", "schedule": "* * * * *"}');
select cron.schedule('orchestra:edge:housekeep.1m', '* * * * *', $$call orchestra.housekeep('edge')$$);

-- cron_job.import
select orchestra.claim('edge', 'cron_job.import', 'orchestra:edge:import', '{"command": "call orchestra.fire(''edge'', ''import'', 1)", "every_ms": 3600000, "job": "orchestra:edge:import", "overlap": "skip", "position": 1, "schedule": "0 * * * *", "workload": "import"}');
insert into orchestra.schedule (project, workload, position, cron, every_ms, timezone, overlap, catchup_window_ms)
values ('edge', 'import', 1, null, 3600000, null, 'skip', null)
on conflict (project, workload, position) do update set
  cron = excluded.cron, every_ms = excluded.every_ms, timezone = excluded.timezone,
  overlap = excluded.overlap, catchup_window_ms = excluded.catchup_window_ms;
select cron.schedule('orchestra:edge:import', '0 * * * *', $$call orchestra.fire('edge', 'import', 1)$$);

-- cron_job.tally.worker-1
select orchestra.claim('edge', 'cron_job.tally.worker-1', 'orchestra:edge:tally.worker-1', '{"command": "call orchestra.drain_sql(''edge'', ''tally'', 1)", "job": "orchestra:edge:tally.worker-1", "schedule": "* * * * *"}');
select cron.schedule('orchestra:edge:tally.worker-1', '* * * * *', $$call orchestra.drain_sql('edge', 'tally', 1)$$);

-- cron_job.tick.1m
select orchestra.claim('edge', 'cron_job.tick.1m', 'orchestra:edge:tick.1m', '{"command": "call orchestra.tick(''edge'', 60000)", "job": "orchestra:edge:tick.1m", "schedule": "* * * * *"}');
select cron.schedule('orchestra:edge:tick.1m', '* * * * *', $$call orchestra.tick('edge', 60000)$$);

-- table_trigger.import
select orchestra.claim('edge', 'table_trigger.import', '"public"."item":orchestra_edge_import', '{"base": "orchestra_edge_import", "on": ["insert"], "payload": "new", "schema": "public", "table": "item", "workload": "import"}');
drop trigger if exists "orchestra_edge_import_update" on "public"."item";
drop trigger if exists "orchestra_edge_import_delete" on "public"."item";
create or replace trigger "orchestra_edge_import_insert"
after insert on "public"."item"
referencing new table as orchestra_new
for each statement execute function orchestra.on_table_change('edge', 'import', 'new', '[]');

-- table_trigger.index
select orchestra.claim('edge', 'table_trigger.index', '"public"."item":orchestra_edge_index', '{"base": "orchestra_edge_index", "on": ["update"], "schema": "public", "table": "item", "workload": "index"}');
drop trigger if exists "orchestra_edge_index_insert" on "public"."item";
drop trigger if exists "orchestra_edge_index_delete" on "public"."item";
create or replace trigger "orchestra_edge_index_update"
after update on "public"."item"
referencing old table as orchestra_old new table as orchestra_new
for each statement execute function orchestra.on_table_change('edge', 'index', 'key', '[]');
