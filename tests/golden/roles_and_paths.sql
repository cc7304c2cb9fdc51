-- roles-and-paths: background work, compiled by orchestra VERSION (sha256 …).
-- Do not edit: change the spec and compile again.
--
-- 2 extensions, 1 runtime, 1 project, 2 queues, 2 workloads, 4 cron jobs
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

-- project.roles-and-paths
select orchestra.claim('roles-and-paths', 'project.roles-and-paths', 'roles-and-paths', '{}');
select orchestra.register_project('roles-and-paths');

-- queue.by-default
select orchestra.claim('roles-and-paths', 'queue.by-default', 'by_default', '{"name": "by_default"}');
select pgmq.create('by_default');

-- queue.by-itself
select orchestra.claim('roles-and-paths', 'queue.by-itself', 'by_itself', '{"name": "by_itself"}');
select pgmq.create('by_itself');

-- workload.by-default
select orchestra.claim('roles-and-paths', 'workload.by-default', 'by-default', '{"backoff_factor": 2, "backoff_initial_ms": 5000, "backoff_max_ms": 900000, "handler": "sql", "max_attempts": 5, "pattern": "queue", "poll_interval_ms": 60000, "queue_name": "by_default", "run_role": "app_worker", "search_path": ["app"], "timeout_ms": 5000, "visibility_timeout_ms": 35000}'::jsonb || jsonb_build_object('sql', $sql$insert into who (name) values (current_user || ' ' || current_setting('search_path'))$sql$));
select orchestra.set_workload('roles-and-paths', 'by-default');

-- workload.by-itself
select orchestra.claim('roles-and-paths', 'workload.by-itself', 'by-itself', '{"backoff_factor": 2, "backoff_initial_ms": 5000, "backoff_max_ms": 900000, "handler": "sql", "max_attempts": 5, "pattern": "queue", "poll_interval_ms": 60000, "queue_name": "by_itself", "run_role": "app_other", "timeout_ms": 5000, "visibility_timeout_ms": 35000}'::jsonb || jsonb_build_object('sql', $sql$insert into app.who (name) values (current_user || ' ' || current_setting('search_path'))$sql$));
select orchestra.set_workload('roles-and-paths', 'by-itself');

-- cron_job.by-default.worker-1
select orchestra.claim('roles-and-paths', 'cron_job.by-default.worker-1', 'orchestra:roles-and-paths:by-default.worker-1', '{"command": "call orchestra.drain_sql(''roles-and-paths'', ''by-default'', 1)", "job": "orchestra:roles-and-paths:by-default.worker-1", "schedule": "* * * * *"}');
select cron.schedule('orchestra:roles-and-paths:by-default.worker-1', '* * * * *', $$call orchestra.drain_sql('roles-and-paths', 'by-default', 1)$$);

-- cron_job.by-itself.worker-1
select orchestra.claim('roles-and-paths', 'cron_job.by-itself.worker-1', 'orchestra:roles-and-paths:by-itself.worker-1', '{"command": "call orchestra.drain_sql(''roles-and-paths'', ''by-itself'', 1)", "job": "orchestra:roles-and-paths:by-itself.worker-1", "schedule": "* * * * *"}');
select cron.schedule('orchestra:roles-and-paths:by-itself.worker-1', '* * * * *', $$call orchestra.drain_sql('roles-and-paths', 'by-itself', 1)$$);

-- cron_job.housekeep.1m
select orchestra.claim('roles-and-paths', 'cron_job.housekeep.1m', 'orchestra:roles-and-paths:housekeep.1m', '{"command": "call orchestra.housekeep(''roles-and-paths'')", "job": "orchestra:roles-and-paths:housekeep.1m", "schedule": "* * * * *"}');
select cron.schedule('orchestra:roles-and-paths:housekeep.1m', '* * * * *', $$call orchestra.housekeep('roles-and-paths')$$);

-- cron_job.tick.1m
select orchestra.claim('roles-and-paths', 'cron_job.tick.1m', 'orchestra:roles-and-paths:tick.1m', '{"command": "call orchestra.tick(''roles-and-paths'', 60000)", "job": "orchestra:roles-and-paths:tick.1m", "schedule": "* * * * *"}');
select cron.schedule('orchestra:roles-and-paths:tick.1m', '* * * * *', $$call orchestra.tick('roles-and-paths', 60000)$$);
