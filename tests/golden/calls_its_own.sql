-- calls-its-own: background work, compiled by orchestra VERSION (sha256 …).
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

-- project.calls-its-own
select orchestra.claim('calls-its-own', 'project.calls-its-own', 'calls-its-own', '{}');
select orchestra.register_project('calls-its-own');

-- queue.first
select orchestra.claim('calls-its-own', 'queue.first', 'first', '{"name": "first"}');
select pgmq.create('first');

-- queue.second
select orchestra.claim('calls-its-own', 'queue.second', 'second', '{"name": "second"}');
select pgmq.create('second');

-- workload.first
select orchestra.claim('calls-its-own', 'workload.first', 'first', '{"backoff_factor": 2, "backoff_initial_ms": 5000, "backoff_max_ms": 900000, "handler": "sql", "max_attempts": 5, "pattern": "queue", "poll_interval_ms": 60000, "queue_name": "first", "timeout_ms": 5000, "visibility_timeout_ms": 35000}'::jsonb || jsonb_build_object('sql', $sql$select orchestra.send('second', $1)$sql$));
select orchestra.set_workload('calls-its-own', 'first');

-- workload.second
select orchestra.claim('calls-its-own', 'workload.second', 'second', '{"backoff_factor": 2, "backoff_initial_ms": 5000, "backoff_max_ms": 900000, "handler": "sql", "max_attempts": 5, "pattern": "queue", "poll_interval_ms": 60000, "queue_name": "second", "timeout_ms": 5000, "visibility_timeout_ms": 35000}'::jsonb || jsonb_build_object('sql', $sql$insert into app.got (payload) values ($1)$sql$));
select orchestra.set_workload('calls-its-own', 'second');

-- cron_job.first.worker-1
select orchestra.claim('calls-its-own', 'cron_job.first.worker-1', 'orchestra:calls-its-own:first.worker-1', '{"command": "call orchestra.drain_sql(''calls-its-own'', ''first'', 1)", "job": "orchestra:calls-its-own:first.worker-1", "schedule": "* * * * *"}');
select cron.schedule('orchestra:calls-its-own:first.worker-1', '* * * * *', $$call orchestra.drain_sql('calls-its-own', 'first', 1)$$);

-- cron_job.housekeep.1m
select orchestra.claim('calls-its-own', 'cron_job.housekeep.1m', 'orchestra:calls-its-own:housekeep.1m', '{"command": "call orchestra.housekeep(''calls-its-own'')", "job": "orchestra:calls-its-own:housekeep.1m", "schedule": "* * * * *"}');
select cron.schedule('orchestra:calls-its-own:housekeep.1m', '* * * * *', $$call orchestra.housekeep('calls-its-own')$$);

-- cron_job.second.worker-1
select orchestra.claim('calls-its-own', 'cron_job.second.worker-1', 'orchestra:calls-its-own:second.worker-1', '{"command": "call orchestra.drain_sql(''calls-its-own'', ''second'', 1)", "job": "orchestra:calls-its-own:second.worker-1", "schedule": "* * * * *"}');
select cron.schedule('orchestra:calls-its-own:second.worker-1', '* * * * *', $$call orchestra.drain_sql('calls-its-own', 'second', 1)$$);

-- cron_job.tick.1m
select orchestra.claim('calls-its-own', 'cron_job.tick.1m', 'orchestra:calls-its-own:tick.1m', '{"command": "call orchestra.tick(''calls-its-own'', 60000)", "job": "orchestra:calls-its-own:tick.1m", "schedule": "* * * * *"}');
select cron.schedule('orchestra:calls-its-own:tick.1m', '* * * * *', $$call orchestra.tick('calls-its-own', 60000)$$);
