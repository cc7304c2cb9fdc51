-- n-m: background work, compiled by orchestra VERSION (sha256 …).
-- Do not edit: change the spec and compile again.
--
-- 2 extensions, 1 runtime, 1 project, 4 queues, 5 workloads, 2 grants, 8 cron jobs, 4 table triggers
--
-- Run it as the role that shall own the jobs; running it again changes nothing. It opens no transaction of its own:
-- give psql --single-transaction, or let a migration tool wrap it. A database built from this file alone starts
-- paused: `orchestra apply` opens the gate.

-- extension.pg_cron
create extension if not exists "pg_cron";

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

-- runtime.orchestra
--   …

-- project.n-m
select orchestra.claim('n-m', 'project.n-m', 'n-m', '{}');
select orchestra.register_project('n-m');

-- queue.a-workload-whose-name-has-37-letters1
select orchestra.claim('n-m', 'queue.a-workload-whose-name-has-37-letters1', 'a_workload_whose_name_has_37_letters1', '{"name": "a_workload_whose_name_has_37_letters1"}');
select pgmq.create('a_workload_whose_name_has_37_letters1');

-- queue.a-workload-whose-name-has-37-letters2
select orchestra.claim('n-m', 'queue.a-workload-whose-name-has-37-letters2', 'a_workload_whose_name_has_37_letters2', '{"name": "a_workload_whose_name_has_37_letters2"}');
select pgmq.create('a_workload_whose_name_has_37_letters2');

-- queue.select
select orchestra.claim('n-m', 'queue.select', 'select', '{"name": "select"}');
select pgmq.create('select');

-- queue.user
select orchestra.claim('n-m', 'queue.user', 'group', '{"name": "group"}');
select pgmq.create('group');

-- workload.a-workload-whose-name-has-37-letters1
select orchestra.claim('n-m', 'workload.a-workload-whose-name-has-37-letters1', 'a-workload-whose-name-has-37-letters1', '{"backoff_factor": 2, "backoff_initial_ms": 5000, "backoff_max_ms": 900000, "handler": "sql", "max_attempts": 5, "pattern": "queue", "poll_interval_ms": 60000, "queue_name": "a_workload_whose_name_has_37_letters1", "timeout_ms": 5000, "visibility_timeout_ms": 35000}'::jsonb || jsonb_build_object('sql', $sql$select 1$sql$));
select orchestra.set_workload('n-m', 'a-workload-whose-name-has-37-letters1');

-- workload.a-workload-whose-name-has-37-letters2
select orchestra.claim('n-m', 'workload.a-workload-whose-name-has-37-letters2', 'a-workload-whose-name-has-37-letters2', '{"backoff_factor": 2, "backoff_initial_ms": 5000, "backoff_max_ms": 900000, "handler": "sql", "max_attempts": 5, "pattern": "queue", "poll_interval_ms": 60000, "queue_name": "a_workload_whose_name_has_37_letters2", "timeout_ms": 5000, "visibility_timeout_ms": 35000}'::jsonb || jsonb_build_object('sql', $sql$select 1$sql$));
select orchestra.set_workload('n-m', 'a-workload-whose-name-has-37-letters2');

-- workload.order
select orchestra.claim('n-m', 'workload.order', 'order', '{"backoff_factor": 2, "backoff_initial_ms": 5000, "backoff_max_ms": 900000, "handler": "sql", "pattern": "scheduled_sql", "timeout_ms": 5000, "visibility_timeout_ms": 35000}'::jsonb || jsonb_build_object('sql', $sql$select 1$sql$));
select orchestra.set_workload('n-m', 'order');

-- workload.select
select orchestra.claim('n-m', 'workload.select', 'select', '{"backoff_factor": 2, "backoff_initial_ms": 5000, "backoff_max_ms": 900000, "handler": "sql", "max_attempts": 5, "pattern": "queue", "poll_interval_ms": 60000, "queue_name": "select", "run_role": "Odd Role", "search_path": ["Odd Schema", "it''s"], "timeout_ms": 5000, "visibility_timeout_ms": 35000}'::jsonb || jsonb_build_object('sql', $sql$insert into "Took" (key) values ($1 ->> 'key')$sql$));
select orchestra.set_workload('n-m', 'select');

-- workload.user
select orchestra.claim('n-m', 'workload.user', 'user', '{"backoff_factor": 2, "backoff_initial_ms": 5000, "backoff_max_ms": 900000, "handler": "sql", "max_attempts": 5, "pattern": "queue", "poll_interval_ms": 60000, "queue_name": "group", "timeout_ms": 5000, "visibility_timeout_ms": 35000}'::jsonb || jsonb_build_object('sql', $sql$select 1$sql$));
select orchestra.set_workload('n-m', 'user');

-- grant.a-workload-whose-name-has-37-letters1
select orchestra.claim('n-m', 'grant.a-workload-whose-name-has-37-letters1', 'public.enqueue_a_workload_whose_name_has_37_letters1', '{"function": "enqueue_a_workload_whose_name_has_37_letters1", "roles": ["Odd Role"], "source": " select orchestra.send(''n-m/a-workload-whose-name-has-37-letters1'', payload) "}');
create or replace function "public"."enqueue_a_workload_whose_name_has_37_letters1"(payload jsonb) returns bigint
language sql security definer set search_path = ''
as $$ select orchestra.send('n-m/a-workload-whose-name-has-37-letters1', payload) $$;
do $orchestra$
declare grantee text;
begin
  for grantee in
    select case when a.grantee = 0 then 'public' else quote_ident(pg_get_userbyid(a.grantee)) end
    from pg_catalog.pg_proc p, aclexplode(coalesce(p.proacl, acldefault('f', p.proowner))) a
    where p.oid = '"public"."enqueue_a_workload_whose_name_has_37_letters1"(jsonb)'::regprocedure and a.grantee <> p.proowner
  loop
    execute format('revoke all on function "public"."enqueue_a_workload_whose_name_has_37_letters1"(jsonb) from %s', grantee);
  end loop;
end
$orchestra$;
grant execute on function "public"."enqueue_a_workload_whose_name_has_37_letters1"(jsonb) to "Odd Role";

-- grant.select
select orchestra.claim('n-m', 'grant.select', 'public.enqueue_select', '{"function": "enqueue_select", "roles": ["Odd Role"], "source": " select orchestra.send(''n-m/select'', payload) "}');
create or replace function "public"."enqueue_select"(payload jsonb) returns bigint
language sql security definer set search_path = ''
as $$ select orchestra.send('n-m/select', payload) $$;
do $orchestra$
declare grantee text;
begin
  for grantee in
    select case when a.grantee = 0 then 'public' else quote_ident(pg_get_userbyid(a.grantee)) end
    from pg_catalog.pg_proc p, aclexplode(coalesce(p.proacl, acldefault('f', p.proowner))) a
    where p.oid = '"public"."enqueue_select"(jsonb)'::regprocedure and a.grantee <> p.proowner
  loop
    execute format('revoke all on function "public"."enqueue_select"(jsonb) from %s', grantee);
  end loop;
end
$orchestra$;
grant execute on function "public"."enqueue_select"(jsonb) to "Odd Role";

-- cron_job.a-workload-whose-name-has-37-letters1.worker-1
select orchestra.claim('n-m', 'cron_job.a-workload-whose-name-has-37-letters1.worker-1', 'orchestra:n-m:a-workload-whose-name-has-37-letters1.worker-1', '{"command": "call orchestra.drain_sql(''n-m'', ''a-workload-whose-name-has-37-letters1'', 1)", "job": "orchestra:n-m:a-workload-whose-name-has-37-letters1.worker-1", "schedule": "* * * * *"}');
select cron.schedule('orchestra:n-m:a-workload-whose-name-has-37-letters1.worker-1', '* * * * *', $$call orchestra.drain_sql('n-m', 'a-workload-whose-name-has-37-letters1', 1)$$);

-- cron_job.a-workload-whose-name-has-37-letters2.worker-1
select orchestra.claim('n-m', 'cron_job.a-workload-whose-name-has-37-letters2.worker-1', 'orchestra:n-m:a-workload-whose-name-has-37-letters2.worker-1', '{"command": "call orchestra.drain_sql(''n-m'', ''a-workload-whose-name-has-37-letters2'', 1)", "job": "orchestra:n-m:a-workload-whose-name-has-37-letters2.worker-1", "schedule": "* * * * *"}');
select cron.schedule('orchestra:n-m:a-workload-whose-name-has-37-letters2.worker-1', '* * * * *', $$call orchestra.drain_sql('n-m', 'a-workload-whose-name-has-37-letters2', 1)$$);

-- cron_job.catch-up.1m
select orchestra.claim('n-m', 'cron_job.catch-up.1m', 'orchestra:n-m:catch-up.1m', '{"command": "call orchestra.catch_up(''n-m'')", "job": "orchestra:n-m:catch-up.1m", "schedule": "* * * * *"}');
select cron.schedule('orchestra:n-m:catch-up.1m', '* * * * *', $$call orchestra.catch_up('n-m')$$);

-- cron_job.housekeep.1m
select orchestra.claim('n-m', 'cron_job.housekeep.1m', 'orchestra:n-m:housekeep.1m', '{"command": "call orchestra.housekeep(''n-m'')", "job": "orchestra:n-m:housekeep.1m", "schedule": "* * * * *"}');
select cron.schedule('orchestra:n-m:housekeep.1m', '* * * * *', $$call orchestra.housekeep('n-m')$$);

-- cron_job.order
select orchestra.claim('n-m', 'cron_job.order', 'orchestra:n-m:order', '{"command": "call orchestra.fire(''n-m'', ''order'', 1)", "cron": "7 7 * * *", "job": "orchestra:n-m:order", "overlap": "skip", "position": 1, "schedule": "7 7 * * *", "workload": "order"}');
insert into orchestra.schedule (project, workload, position, cron, every_ms, timezone, overlap, catchup_window_ms)
values ('n-m', 'order', 1, '7 7 * * *', null, null, 'skip', null)
on conflict (project, workload, position) do update set
  cron = excluded.cron, every_ms = excluded.every_ms, timezone = excluded.timezone,
  overlap = excluded.overlap, catchup_window_ms = excluded.catchup_window_ms;
select cron.schedule('orchestra:n-m:order', '7 7 * * *', $$call orchestra.fire('n-m', 'order', 1)$$);

-- cron_job.select.worker-1
select orchestra.claim('n-m', 'cron_job.select.worker-1', 'orchestra:n-m:select.worker-1', '{"command": "call orchestra.drain_sql(''n-m'', ''select'', 1)", "job": "orchestra:n-m:select.worker-1", "schedule": "* * * * *"}');
select cron.schedule('orchestra:n-m:select.worker-1', '* * * * *', $$call orchestra.drain_sql('n-m', 'select', 1)$$);

-- cron_job.tick.1m
select orchestra.claim('n-m', 'cron_job.tick.1m', 'orchestra:n-m:tick.1m', '{"command": "call orchestra.tick(''n-m'', 60000)", "job": "orchestra:n-m:tick.1m", "schedule": "* * * * *"}');
select cron.schedule('orchestra:n-m:tick.1m', '* * * * *', $$call orchestra.tick('n-m', 60000)$$);

-- cron_job.user.worker-1
select orchestra.claim('n-m', 'cron_job.user.worker-1', 'orchestra:n-m:user.worker-1', '{"command": "call orchestra.drain_sql(''n-m'', ''user'', 1)", "job": "orchestra:n-m:user.worker-1", "schedule": "* * * * *"}');
select cron.schedule('orchestra:n-m:user.worker-1', '* * * * *', $$call orchestra.drain_sql('n-m', 'user', 1)$$);

-- table_trigger.a-workload-whose-name-has-37-letters1
select orchestra.claim('n-m', 'table_trigger.a-workload-whose-name-has-37-letters1', '"Odd Schema"."Order ""Lines""":orchestra_n_m_a_workload_whose_name_has_37_letters1', E'{"base": "orchestra_n_m_a_workload_whose_name_has_37_letters1", "on": ["insert"], "schema": "Odd Schema", "table": "Order \\"Lines\\"", "workload": "a-workload-whose-name-has-37-letters1"}');
drop trigger if exists "orchestra_n_m_a_workload_whose_name_has_37_letters1_update" on "Odd Schema"."Order ""Lines""";
drop trigger if exists "orchestra_n_m_a_workload_whose_name_has_37_letters1_delete" on "Odd Schema"."Order ""Lines""";
create or replace trigger "orchestra_n_m_a_workload_whose_name_has_37_letters1_insert"
after insert on "Odd Schema"."Order ""Lines"""
referencing new table as orchestra_new
for each statement execute function orchestra.on_table_change('n-m', 'a-workload-whose-name-has-37-letters1', 'key', '[]');

-- table_trigger.a-workload-whose-name-has-37-letters2
select orchestra.claim('n-m', 'table_trigger.a-workload-whose-name-has-37-letters2', '"Odd Schema"."Order ""Lines""":orchestra_n_m_a_workload_whose_name_has_37_letters2', E'{"base": "orchestra_n_m_a_workload_whose_name_has_37_letters2", "on": ["insert"], "schema": "Odd Schema", "table": "Order \\"Lines\\"", "workload": "a-workload-whose-name-has-37-letters2"}');
drop trigger if exists "orchestra_n_m_a_workload_whose_name_has_37_letters2_update" on "Odd Schema"."Order ""Lines""";
drop trigger if exists "orchestra_n_m_a_workload_whose_name_has_37_letters2_delete" on "Odd Schema"."Order ""Lines""";
create or replace trigger "orchestra_n_m_a_workload_whose_name_has_37_letters2_insert"
after insert on "Odd Schema"."Order ""Lines"""
referencing new table as orchestra_new
for each statement execute function orchestra.on_table_change('n-m', 'a-workload-whose-name-has-37-letters2', 'key', '[]');

-- table_trigger.a-workload-whose-name-has-37-letters2.table-2
select orchestra.claim('n-m', 'table_trigger.a-workload-whose-name-has-37-letters2.table-2', '"Odd Schema"."Order ""Lines""":orchestra_n_m_a_workload_whose_name_has_37_lett_fc9d8a07', E'{"base": "orchestra_n_m_a_workload_whose_name_has_37_lett_fc9d8a07", "on": ["delete"], "schema": "Odd Schema", "table": "Order \\"Lines\\"", "workload": "a-workload-whose-name-has-37-letters2"}');
drop trigger if exists "orchestra_n_m_a_workload_whose_name_has_37_lett_fc9d8a07_insert" on "Odd Schema"."Order ""Lines""";
drop trigger if exists "orchestra_n_m_a_workload_whose_name_has_37_lett_fc9d8a07_update" on "Odd Schema"."Order ""Lines""";
create or replace trigger "orchestra_n_m_a_workload_whose_name_has_37_lett_fc9d8a07_delete"
after delete on "Odd Schema"."Order ""Lines"""
referencing old table as orchestra_old
for each statement execute function orchestra.on_table_change('n-m', 'a-workload-whose-name-has-37-letters2', 'key', '[]');

-- table_trigger.select
select orchestra.claim('n-m', 'table_trigger.select', '"Odd Schema"."Order ""Lines""":orchestra_n_m_select', E'{"base": "orchestra_n_m_select", "columns": ["To tal", "it''s"], "on": ["delete", "insert", "update"], "schema": "Odd Schema", "table": "Order \\"Lines\\"", "workload": "select"}');
create or replace trigger "orchestra_n_m_select_delete"
after delete on "Odd Schema"."Order ""Lines"""
referencing old table as orchestra_old
for each statement execute function orchestra.on_table_change('n-m', 'select', 'key', '["To tal", "it''s"]');
create or replace trigger "orchestra_n_m_select_insert"
after insert on "Odd Schema"."Order ""Lines"""
referencing new table as orchestra_new
for each statement execute function orchestra.on_table_change('n-m', 'select', 'key', '["To tal", "it''s"]');
create or replace trigger "orchestra_n_m_select_update"
after update on "Odd Schema"."Order ""Lines"""
referencing old table as orchestra_old new table as orchestra_new
for each statement execute function orchestra.on_table_change('n-m', 'select', 'key', '["To tal", "it''s"]');
