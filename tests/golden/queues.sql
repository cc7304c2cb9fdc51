-- queues: background work, compiled by orchestra VERSION (sha256 …).
-- Do not edit: change the spec and compile again.
--
-- 2 extensions, 1 runtime, 1 project, 3 queues, 3 workloads, 8 cron jobs
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

-- project.queues
select orchestra.claim('queues', 'project.queues', 'queues', '{}');
select orchestra.register_project('queues');

-- queue.careful
select orchestra.claim('queues', 'queue.careful', 'a_queue_whose_name_has_all_of_the_47_characters', '{"name": "a_queue_whose_name_has_all_of_the_47_characters"}');
select pgmq.create('a_queue_whose_name_has_all_of_the_47_characters');

-- queue.fast
select orchestra.claim('queues', 'queue.fast', 'fast_counts', '{"name": "fast_counts", "type": "unlogged"}');
select pgmq.create_unlogged('fast_counts');

-- queue.plain
select orchestra.claim('queues', 'queue.plain', 'plain', '{"name": "plain"}');
select pgmq.create('plain');

-- workload.careful
select orchestra.claim('queues', 'workload.careful', 'careful', '{"backoff_factor": 1.5, "backoff_initial_ms": 250, "backoff_jitter": "none", "backoff_max_ms": 3600000, "concurrency": 3, "delay_ms": 10000, "handler": "sql", "max_attempts": 2, "pattern": "queue", "paused": true, "poll_interval_ms": 300000, "queue_name": "a_queue_whose_name_has_all_of_the_47_characters", "retention_completed_ms": 0, "retention_failed_ms": 7776000000, "timeout_ms": 40000, "visibility_timeout_ms": 120000}'::jsonb || jsonb_build_object('sql', $sql$select 1$sql$), protect => true);
select orchestra.set_workload('queues', 'careful');

-- workload.fast
--   Counts that may be lost
select orchestra.claim('queues', 'workload.fast', 'fast', '{"backoff_factor": 2, "backoff_initial_ms": 5000, "backoff_max_ms": 900000, "handler": "sql", "max_attempts": 7, "pattern": "queue", "poll_interval_ms": 60000, "queue_name": "fast_counts", "summary": "Counts that may be lost", "timeout_ms": 5000, "visibility_timeout_ms": 35000}'::jsonb || jsonb_build_object('sql', $sql$select 1$sql$));
select orchestra.set_workload('queues', 'fast');

-- workload.plain
select orchestra.claim('queues', 'workload.plain', 'plain', '{"backoff_factor": 2, "backoff_initial_ms": 5000, "backoff_max_ms": 900000, "handler": "sql", "max_attempts": 7, "pattern": "queue", "poll_interval_ms": 60000, "queue_name": "plain", "timeout_ms": 5000, "visibility_timeout_ms": 35000}'::jsonb || jsonb_build_object('sql', $sql$select 1$sql$));
select orchestra.set_workload('queues', 'plain');

-- cron_job.careful.worker-1
select orchestra.claim('queues', 'cron_job.careful.worker-1', 'orchestra:queues:careful.worker-1', '{"command": "call orchestra.drain_sql(''queues'', ''careful'', 1)", "job": "orchestra:queues:careful.worker-1", "schedule": "*/5 * * * *"}');
select cron.schedule('orchestra:queues:careful.worker-1', '*/5 * * * *', $$call orchestra.drain_sql('queues', 'careful', 1)$$);

-- cron_job.careful.worker-2
select orchestra.claim('queues', 'cron_job.careful.worker-2', 'orchestra:queues:careful.worker-2', '{"command": "call orchestra.drain_sql(''queues'', ''careful'', 2)", "job": "orchestra:queues:careful.worker-2", "schedule": "*/5 * * * *"}');
select cron.schedule('orchestra:queues:careful.worker-2', '*/5 * * * *', $$call orchestra.drain_sql('queues', 'careful', 2)$$);

-- cron_job.careful.worker-3
select orchestra.claim('queues', 'cron_job.careful.worker-3', 'orchestra:queues:careful.worker-3', '{"command": "call orchestra.drain_sql(''queues'', ''careful'', 3)", "job": "orchestra:queues:careful.worker-3", "schedule": "*/5 * * * *"}');
select cron.schedule('orchestra:queues:careful.worker-3', '*/5 * * * *', $$call orchestra.drain_sql('queues', 'careful', 3)$$);

-- cron_job.fast.worker-1
select orchestra.claim('queues', 'cron_job.fast.worker-1', 'orchestra:queues:fast.worker-1', '{"command": "call orchestra.drain_sql(''queues'', ''fast'', 1)", "job": "orchestra:queues:fast.worker-1", "schedule": "* * * * *"}');
select cron.schedule('orchestra:queues:fast.worker-1', '* * * * *', $$call orchestra.drain_sql('queues', 'fast', 1)$$);

-- cron_job.housekeep.1m
select orchestra.claim('queues', 'cron_job.housekeep.1m', 'orchestra:queues:housekeep.1m', '{"command": "call orchestra.housekeep(''queues'')", "job": "orchestra:queues:housekeep.1m", "schedule": "* * * * *"}');
select cron.schedule('orchestra:queues:housekeep.1m', '* * * * *', $$call orchestra.housekeep('queues')$$);

-- cron_job.plain.worker-1
select orchestra.claim('queues', 'cron_job.plain.worker-1', 'orchestra:queues:plain.worker-1', '{"command": "call orchestra.drain_sql(''queues'', ''plain'', 1)", "job": "orchestra:queues:plain.worker-1", "schedule": "* * * * *"}');
select cron.schedule('orchestra:queues:plain.worker-1', '* * * * *', $$call orchestra.drain_sql('queues', 'plain', 1)$$);

-- cron_job.tick.1m
select orchestra.claim('queues', 'cron_job.tick.1m', 'orchestra:queues:tick.1m', '{"command": "call orchestra.tick(''queues'', 60000)", "job": "orchestra:queues:tick.1m", "schedule": "* * * * *"}');
select cron.schedule('orchestra:queues:tick.1m', '* * * * *', $$call orchestra.tick('queues', 60000)$$);

-- cron_job.tick.5m
select orchestra.claim('queues', 'cron_job.tick.5m', 'orchestra:queues:tick.5m', '{"command": "call orchestra.tick(''queues'', 300000)", "job": "orchestra:queues:tick.5m", "schedule": "*/5 * * * *"}');
select cron.schedule('orchestra:queues:tick.5m', '*/5 * * * *', $$call orchestra.tick('queues', 300000)$$);
