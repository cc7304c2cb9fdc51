-- legacy: background work, compiled by orchestra VERSION (sha256 …).
-- Do not edit: change the spec and compile again.
--
-- 2 extensions, 1 runtime, 1 project, 1 queue, 2 workloads, 5 cron jobs
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

-- project.legacy
select orchestra.claim('legacy', 'project.legacy', 'legacy', '{}');
select orchestra.register_project('legacy');

-- queue.send-email
select orchestra.claim('legacy', 'queue.send-email', 'emails', '{"name": "emails"}');
select pgmq.create('emails');

-- workload.purge-log
--   Keep a week of the app's log
select orchestra.claim('legacy', 'workload.purge-log', 'purge-log', '{"backoff_factor": 2, "backoff_initial_ms": 5000, "backoff_max_ms": 900000, "handler": "sql", "pattern": "scheduled_sql", "summary": "Keep a week of the app''s log", "timeout_ms": 30000, "visibility_timeout_ms": 60000}'::jsonb || jsonb_build_object('sql', $sql$delete from app.log where at < now() - interval '7 days'$sql$));
select orchestra.set_workload('legacy', 'purge-log');

-- workload.send-email
--   Write the e-mails that the app has put into its old queue
select orchestra.claim('legacy', 'workload.send-email', 'send-email', '{"backoff_factor": 2, "backoff_initial_ms": 5000, "backoff_max_ms": 900000, "handler": "sql", "max_attempts": 5, "pattern": "queue", "poll_interval_ms": 60000, "queue_name": "emails", "summary": "Write the e-mails that the app has put into its old queue", "timeout_ms": 5000, "visibility_timeout_ms": 35000}'::jsonb || jsonb_build_object('sql', $sql$insert into app.email (message_id, recipient, subject)
values ($3, $1 ->> 'to', $1 ->> 'subject')
on conflict (message_id) do nothing
$sql$));
select orchestra.set_workload('legacy', 'send-email');

-- cron_job.catch-up.1m
select orchestra.claim('legacy', 'cron_job.catch-up.1m', 'orchestra:legacy:catch-up.1m', '{"command": "call orchestra.catch_up(''legacy'')", "job": "orchestra:legacy:catch-up.1m", "schedule": "* * * * *"}');
select cron.schedule('orchestra:legacy:catch-up.1m', '* * * * *', $$call orchestra.catch_up('legacy')$$);

-- cron_job.housekeep.1m
select orchestra.claim('legacy', 'cron_job.housekeep.1m', 'orchestra:legacy:housekeep.1m', '{"command": "call orchestra.housekeep(''legacy'')", "job": "orchestra:legacy:housekeep.1m", "schedule": "* * * * *"}');
select cron.schedule('orchestra:legacy:housekeep.1m', '* * * * *', $$call orchestra.housekeep('legacy')$$);

-- cron_job.purge-log
select orchestra.claim('legacy', 'cron_job.purge-log', 'orchestra:legacy:purge-log', '{"command": "call orchestra.fire(''legacy'', ''purge-log'', 1)", "cron": "*/10 * * * *", "job": "orchestra:legacy:purge-log", "overlap": "skip", "position": 1, "schedule": "*/10 * * * *", "workload": "purge-log"}');
insert into orchestra.schedule (project, workload, position, cron, every_ms, timezone, overlap, catchup_window_ms)
values ('legacy', 'purge-log', 1, '*/10 * * * *', null, null, 'skip', null)
on conflict (project, workload, position) do update set
  cron = excluded.cron, every_ms = excluded.every_ms, timezone = excluded.timezone,
  overlap = excluded.overlap, catchup_window_ms = excluded.catchup_window_ms;
select cron.schedule('orchestra:legacy:purge-log', '*/10 * * * *', $$call orchestra.fire('legacy', 'purge-log', 1)$$);

-- cron_job.send-email.worker-1
select orchestra.claim('legacy', 'cron_job.send-email.worker-1', 'orchestra:legacy:send-email.worker-1', '{"command": "call orchestra.drain_sql(''legacy'', ''send-email'', 1)", "job": "orchestra:legacy:send-email.worker-1", "schedule": "* * * * *"}');
select cron.schedule('orchestra:legacy:send-email.worker-1', '* * * * *', $$call orchestra.drain_sql('legacy', 'send-email', 1)$$);

-- cron_job.tick.1m
select orchestra.claim('legacy', 'cron_job.tick.1m', 'orchestra:legacy:tick.1m', '{"command": "call orchestra.tick(''legacy'', 60000)", "job": "orchestra:legacy:tick.1m", "schedule": "* * * * *"}');
select cron.schedule('orchestra:legacy:tick.1m', '* * * * *', $$call orchestra.tick('legacy', 60000)$$);
