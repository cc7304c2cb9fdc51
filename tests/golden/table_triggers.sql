-- table-triggers: background work, compiled by orchestra VERSION (sha256 …).
-- Do not edit: change the spec and compile again.
--
-- 2 extensions, 1 runtime, 1 project, 2 queues, 2 workloads, 4 cron jobs, 3 table triggers
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

-- project.table-triggers
select orchestra.claim('table-triggers', 'project.table-triggers', 'table-triggers', '{}');
select orchestra.register_project('table-triggers');

-- queue.count-page
select orchestra.claim('table-triggers', 'queue.count-page', 'count_page', '{"name": "count_page"}');
select pgmq.create('count_page');

-- queue.index-page
select orchestra.claim('table-triggers', 'queue.index-page', 'index_page', '{"name": "index_page"}');
select pgmq.create('index_page');

-- workload.count-page
select orchestra.claim('table-triggers', 'workload.count-page', 'count-page', '{"backoff_factor": 2, "backoff_initial_ms": 5000, "backoff_max_ms": 900000, "handler": "sql", "max_attempts": 5, "pattern": "queue", "poll_interval_ms": 60000, "queue_name": "count_page", "timeout_ms": 5000, "visibility_timeout_ms": 35000}'::jsonb || jsonb_build_object('sql', $sql$insert into app.seen (payload) values ($1)$sql$));
select orchestra.set_workload('table-triggers', 'count-page');

-- workload.index-page
select orchestra.claim('table-triggers', 'workload.index-page', 'index-page', '{"backoff_factor": 2, "backoff_initial_ms": 5000, "backoff_max_ms": 900000, "handler": "sql", "max_attempts": 5, "pattern": "queue", "poll_interval_ms": 60000, "queue_name": "index_page", "timeout_ms": 5000, "visibility_timeout_ms": 35000}'::jsonb || jsonb_build_object('sql', $sql$insert into app.seen (payload) values ($1)$sql$));
select orchestra.set_workload('table-triggers', 'index-page');

-- cron_job.count-page.worker-1
select orchestra.claim('table-triggers', 'cron_job.count-page.worker-1', 'orchestra:table-triggers:count-page.worker-1', '{"command": "call orchestra.drain_sql(''table-triggers'', ''count-page'', 1)", "job": "orchestra:table-triggers:count-page.worker-1", "schedule": "* * * * *"}');
select cron.schedule('orchestra:table-triggers:count-page.worker-1', '* * * * *', $$call orchestra.drain_sql('table-triggers', 'count-page', 1)$$);

-- cron_job.housekeep.1m
select orchestra.claim('table-triggers', 'cron_job.housekeep.1m', 'orchestra:table-triggers:housekeep.1m', '{"command": "call orchestra.housekeep(''table-triggers'')", "job": "orchestra:table-triggers:housekeep.1m", "schedule": "* * * * *"}');
select cron.schedule('orchestra:table-triggers:housekeep.1m', '* * * * *', $$call orchestra.housekeep('table-triggers')$$);

-- cron_job.index-page.worker-1
select orchestra.claim('table-triggers', 'cron_job.index-page.worker-1', 'orchestra:table-triggers:index-page.worker-1', '{"command": "call orchestra.drain_sql(''table-triggers'', ''index-page'', 1)", "job": "orchestra:table-triggers:index-page.worker-1", "schedule": "* * * * *"}');
select cron.schedule('orchestra:table-triggers:index-page.worker-1', '* * * * *', $$call orchestra.drain_sql('table-triggers', 'index-page', 1)$$);

-- cron_job.tick.1m
select orchestra.claim('table-triggers', 'cron_job.tick.1m', 'orchestra:table-triggers:tick.1m', '{"command": "call orchestra.tick(''table-triggers'', 60000)", "job": "orchestra:table-triggers:tick.1m", "schedule": "* * * * *"}');
select cron.schedule('orchestra:table-triggers:tick.1m', '* * * * *', $$call orchestra.tick('table-triggers', 60000)$$);

-- table_trigger.count-page
select orchestra.claim('table-triggers', 'table_trigger.count-page', '"app"."page":orchestra_table_triggers_count_page', '{"base": "orchestra_table_triggers_count_page", "on": ["update"], "schema": "app", "table": "page", "workload": "count-page"}');
drop trigger if exists "orchestra_table_triggers_count_page_insert" on "app"."page";
drop trigger if exists "orchestra_table_triggers_count_page_delete" on "app"."page";
create or replace trigger "orchestra_table_triggers_count_page_update"
after update on "app"."page"
referencing old table as orchestra_old new table as orchestra_new
for each statement execute function orchestra.on_table_change('table-triggers', 'count-page', 'key', '[]');

-- table_trigger.index-page
select orchestra.claim('table-triggers', 'table_trigger.index-page', '"app"."page":orchestra_table_triggers_index_page', '{"base": "orchestra_table_triggers_index_page", "columns": ["body", "title"], "on": ["delete", "insert", "update"], "schema": "app", "table": "page", "workload": "index-page"}');
create or replace trigger "orchestra_table_triggers_index_page_delete"
after delete on "app"."page"
referencing old table as orchestra_old
for each statement execute function orchestra.on_table_change('table-triggers', 'index-page', 'key', '["body", "title"]');
create or replace trigger "orchestra_table_triggers_index_page_insert"
after insert on "app"."page"
referencing new table as orchestra_new
for each statement execute function orchestra.on_table_change('table-triggers', 'index-page', 'key', '["body", "title"]');
create or replace trigger "orchestra_table_triggers_index_page_update"
after update on "app"."page"
referencing old table as orchestra_old new table as orchestra_new
for each statement execute function orchestra.on_table_change('table-triggers', 'index-page', 'key', '["body", "title"]');

-- table_trigger.index-page.table-2
select orchestra.claim('table-triggers', 'table_trigger.index-page.table-2', '"app"."comment":orchestra_table_triggers_index_page_table_2', '{"base": "orchestra_table_triggers_index_page_table_2", "on": ["insert"], "payload": "new", "schema": "app", "table": "comment", "workload": "index-page"}');
drop trigger if exists "orchestra_table_triggers_index_page_table_2_update" on "app"."comment";
drop trigger if exists "orchestra_table_triggers_index_page_table_2_delete" on "app"."comment";
create or replace trigger "orchestra_table_triggers_index_page_table_2_insert"
after insert on "app"."comment"
referencing new table as orchestra_new
for each statement execute function orchestra.on_table_change('table-triggers', 'index-page', 'new', '[]');
