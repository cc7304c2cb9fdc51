-- schedules: background work, compiled by orchestra VERSION (sha256 …).
-- Do not edit: change the spec and compile again.
--
-- 2 extensions, 1 runtime, 1 project, 2 queues, 7 workloads, 15 cron jobs
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

-- project.schedules
select orchestra.claim('schedules', 'project.schedules', 'schedules', '{}');
select orchestra.register_project('schedules');

-- queue.queued
select orchestra.claim('schedules', 'queue.queued', 'queued', '{"name": "queued"}');
select pgmq.create('queued');

-- queue.several
select orchestra.claim('schedules', 'queue.several', 'several', '{"name": "several"}');
select pgmq.create('several');

-- workload.each-minute
select orchestra.claim('schedules', 'workload.each-minute', 'each-minute', '{"backoff_factor": 2, "backoff_initial_ms": 5000, "backoff_max_ms": 900000, "handler": "sql", "pattern": "scheduled_sql", "timeout_ms": 5000, "visibility_timeout_ms": 35000}'::jsonb || jsonb_build_object('sql', $sql$select 1$sql$));
select orchestra.set_workload('schedules', 'each-minute');

-- workload.half-hour-of-summer
select orchestra.claim('schedules', 'workload.half-hour-of-summer', 'half-hour-of-summer', '{"backoff_factor": 2, "backoff_initial_ms": 5000, "backoff_max_ms": 900000, "handler": "sql", "pattern": "scheduled_sql", "timeout_ms": 5000, "visibility_timeout_ms": 35000}'::jsonb || jsonb_build_object('sql', $sql$select 1$sql$));
select orchestra.set_workload('schedules', 'half-hour-of-summer');

-- workload.half-hour-zone
select orchestra.claim('schedules', 'workload.half-hour-zone', 'half-hour-zone', '{"backoff_factor": 2, "backoff_initial_ms": 5000, "backoff_max_ms": 900000, "handler": "sql", "pattern": "scheduled_sql", "timeout_ms": 5000, "visibility_timeout_ms": 35000}'::jsonb || jsonb_build_object('sql', $sql$select 1$sql$));
select orchestra.set_workload('schedules', 'half-hour-zone');

-- workload.last-day
select orchestra.claim('schedules', 'workload.last-day', 'last-day', '{"backoff_factor": 2, "backoff_initial_ms": 5000, "backoff_max_ms": 900000, "handler": "sql", "max_attempts": 3, "pattern": "scheduled_sql", "timeout_ms": 5000, "visibility_timeout_ms": 35000}'::jsonb || jsonb_build_object('sql', $sql$select 1$sql$));
select orchestra.set_workload('schedules', 'last-day');

-- workload.queued
select orchestra.claim('schedules', 'workload.queued', 'queued', '{"backoff_factor": 2, "backoff_initial_ms": 5000, "backoff_max_ms": 900000, "handler": "sql", "max_attempts": 5, "pattern": "queue", "poll_interval_ms": 60000, "queue_name": "queued", "timeout_ms": 5000, "visibility_timeout_ms": 35000}'::jsonb || jsonb_build_object('sql', $sql$select $1$sql$));
select orchestra.set_workload('schedules', 'queued');

-- workload.several
select orchestra.claim('schedules', 'workload.several', 'several', '{"backoff_factor": 2, "backoff_initial_ms": 5000, "backoff_max_ms": 900000, "handler": "sql", "max_attempts": 5, "pattern": "queue", "poll_interval_ms": 5000, "queue_name": "several", "timeout_ms": 5000, "visibility_timeout_ms": 35000}'::jsonb || jsonb_build_object('sql', $sql$select 1$sql$));
select orchestra.set_workload('schedules', 'several');

-- workload.wildcard-hour
select orchestra.claim('schedules', 'workload.wildcard-hour', 'wildcard-hour', '{"backoff_factor": 2, "backoff_initial_ms": 5000, "backoff_max_ms": 900000, "handler": "sql", "pattern": "scheduled_sql", "timeout_ms": 5000, "visibility_timeout_ms": 35000}'::jsonb || jsonb_build_object('sql', $sql$select 1$sql$));
select orchestra.set_workload('schedules', 'wildcard-hour');

-- cron_job.catch-up.1m
select orchestra.claim('schedules', 'cron_job.catch-up.1m', 'orchestra:schedules:catch-up.1m', '{"command": "call orchestra.catch_up(''schedules'')", "job": "orchestra:schedules:catch-up.1m", "schedule": "* * * * *"}');
select cron.schedule('orchestra:schedules:catch-up.1m', '* * * * *', $$call orchestra.catch_up('schedules')$$);

-- cron_job.each-minute
select orchestra.claim('schedules', 'cron_job.each-minute', 'orchestra:schedules:each-minute', '{"command": "call orchestra.fire(''schedules'', ''each-minute'', 1)", "every_ms": 60000, "job": "orchestra:schedules:each-minute", "overlap": "skip", "position": 1, "schedule": "* * * * *", "workload": "each-minute"}');
insert into orchestra.schedule (project, workload, position, cron, every_ms, timezone, overlap, catchup_window_ms)
values ('schedules', 'each-minute', 1, null, 60000, null, 'skip', null)
on conflict (project, workload, position) do update set
  cron = excluded.cron, every_ms = excluded.every_ms, timezone = excluded.timezone,
  overlap = excluded.overlap, catchup_window_ms = excluded.catchup_window_ms;
select cron.schedule('orchestra:schedules:each-minute', '* * * * *', $$call orchestra.fire('schedules', 'each-minute', 1)$$);

-- cron_job.half-hour-of-summer
select orchestra.claim('schedules', 'cron_job.half-hour-of-summer', 'orchestra:schedules:half-hour-of-summer', '{"catchup_window_ms": 7200000, "command": "call orchestra.fire(''schedules'', ''half-hour-of-summer'', 1)", "cron": "45 1 * * sun", "job": "orchestra:schedules:half-hour-of-summer", "overlap": "skip", "position": 1, "schedule": "15,30,45 * * * *", "timezone": "Australia/Lord_Howe", "workload": "half-hour-of-summer"}');
insert into orchestra.schedule (project, workload, position, cron, every_ms, timezone, overlap, catchup_window_ms)
values ('schedules', 'half-hour-of-summer', 1, '45 1 * * sun', null, 'Australia/Lord_Howe', 'skip', 7200000)
on conflict (project, workload, position) do update set
  cron = excluded.cron, every_ms = excluded.every_ms, timezone = excluded.timezone,
  overlap = excluded.overlap, catchup_window_ms = excluded.catchup_window_ms;
select cron.schedule('orchestra:schedules:half-hour-of-summer', '15,30,45 * * * *', $$call orchestra.fire('schedules', 'half-hour-of-summer', 1)$$);

-- cron_job.half-hour-zone
select orchestra.claim('schedules', 'cron_job.half-hour-zone', 'orchestra:schedules:half-hour-zone', '{"command": "call orchestra.fire(''schedules'', ''half-hour-zone'', 1)", "cron": "15 5 * * *", "job": "orchestra:schedules:half-hour-zone", "overlap": "skip", "position": 1, "schedule": "45 * * * *", "timezone": "Asia/Kolkata", "workload": "half-hour-zone"}');
insert into orchestra.schedule (project, workload, position, cron, every_ms, timezone, overlap, catchup_window_ms)
values ('schedules', 'half-hour-zone', 1, '15 5 * * *', null, 'Asia/Kolkata', 'skip', null)
on conflict (project, workload, position) do update set
  cron = excluded.cron, every_ms = excluded.every_ms, timezone = excluded.timezone,
  overlap = excluded.overlap, catchup_window_ms = excluded.catchup_window_ms;
select cron.schedule('orchestra:schedules:half-hour-zone', '45 * * * *', $$call orchestra.fire('schedules', 'half-hour-zone', 1)$$);

-- cron_job.housekeep.1m
select orchestra.claim('schedules', 'cron_job.housekeep.1m', 'orchestra:schedules:housekeep.1m', '{"command": "call orchestra.housekeep(''schedules'')", "job": "orchestra:schedules:housekeep.1m", "schedule": "* * * * *"}');
select cron.schedule('orchestra:schedules:housekeep.1m', '* * * * *', $$call orchestra.housekeep('schedules')$$);

-- cron_job.last-day
select orchestra.claim('schedules', 'cron_job.last-day', 'orchestra:schedules:last-day', '{"command": "call orchestra.fire(''schedules'', ''last-day'', 1)", "cron": "0 23 28 * *", "job": "orchestra:schedules:last-day", "overlap": "skip", "position": 1, "schedule": "0 23 28 * *", "timezone": "UTC", "workload": "last-day"}');
insert into orchestra.schedule (project, workload, position, cron, every_ms, timezone, overlap, catchup_window_ms)
values ('schedules', 'last-day', 1, '0 23 28 * *', null, 'UTC', 'skip', null)
on conflict (project, workload, position) do update set
  cron = excluded.cron, every_ms = excluded.every_ms, timezone = excluded.timezone,
  overlap = excluded.overlap, catchup_window_ms = excluded.catchup_window_ms;
select cron.schedule('orchestra:schedules:last-day', '0 23 28 * *', $$call orchestra.fire('schedules', 'last-day', 1)$$);

-- cron_job.queued
select orchestra.claim('schedules', 'cron_job.queued', 'orchestra:schedules:queued', '{"command": "call orchestra.fire(''schedules'', ''queued'', 1)", "cron": "0 4 * * *", "job": "orchestra:schedules:queued", "overlap": "allow", "position": 1, "schedule": "0 * * * *", "timezone": "Europe/Berlin", "workload": "queued"}');
insert into orchestra.schedule (project, workload, position, cron, every_ms, timezone, overlap, catchup_window_ms)
values ('schedules', 'queued', 1, '0 4 * * *', null, 'Europe/Berlin', 'allow', null)
on conflict (project, workload, position) do update set
  cron = excluded.cron, every_ms = excluded.every_ms, timezone = excluded.timezone,
  overlap = excluded.overlap, catchup_window_ms = excluded.catchup_window_ms;
select cron.schedule('orchestra:schedules:queued', '0 * * * *', $$call orchestra.fire('schedules', 'queued', 1)$$);

-- cron_job.queued.worker-1
select orchestra.claim('schedules', 'cron_job.queued.worker-1', 'orchestra:schedules:queued.worker-1', '{"command": "call orchestra.drain_sql(''schedules'', ''queued'', 1)", "job": "orchestra:schedules:queued.worker-1", "schedule": "* * * * *"}');
select cron.schedule('orchestra:schedules:queued.worker-1', '* * * * *', $$call orchestra.drain_sql('schedules', 'queued', 1)$$);

-- cron_job.several
select orchestra.claim('schedules', 'cron_job.several', 'orchestra:schedules:several', '{"command": "call orchestra.fire(''schedules'', ''several'', 1)", "cron": "0 6 * * 1-5", "job": "orchestra:schedules:several", "overlap": "buffer_one", "position": 1, "schedule": "0 6 * * 1-5", "workload": "several"}');
insert into orchestra.schedule (project, workload, position, cron, every_ms, timezone, overlap, catchup_window_ms)
values ('schedules', 'several', 1, '0 6 * * 1-5', null, null, 'buffer_one', null)
on conflict (project, workload, position) do update set
  cron = excluded.cron, every_ms = excluded.every_ms, timezone = excluded.timezone,
  overlap = excluded.overlap, catchup_window_ms = excluded.catchup_window_ms;
select cron.schedule('orchestra:schedules:several', '0 6 * * 1-5', $$call orchestra.fire('schedules', 'several', 1)$$);

-- cron_job.several.schedule-2
select orchestra.claim('schedules', 'cron_job.several.schedule-2', 'orchestra:schedules:several.schedule-2', '{"command": "call orchestra.fire(''schedules'', ''several'', 2)", "cron": "30 9,17 1,15 jan-jun *", "job": "orchestra:schedules:several.schedule-2", "overlap": "skip", "position": 2, "schedule": "0,30 * * * *", "timezone": "America/New_York", "workload": "several"}');
insert into orchestra.schedule (project, workload, position, cron, every_ms, timezone, overlap, catchup_window_ms)
values ('schedules', 'several', 2, '30 9,17 1,15 jan-jun *', null, 'America/New_York', 'skip', null)
on conflict (project, workload, position) do update set
  cron = excluded.cron, every_ms = excluded.every_ms, timezone = excluded.timezone,
  overlap = excluded.overlap, catchup_window_ms = excluded.catchup_window_ms;
select cron.schedule('orchestra:schedules:several.schedule-2', '0,30 * * * *', $$call orchestra.fire('schedules', 'several', 2)$$);

-- cron_job.several.schedule-3
select orchestra.claim('schedules', 'cron_job.several.schedule-3', 'orchestra:schedules:several.schedule-3', '{"catchup_window_ms": 86400000, "command": "call orchestra.fire(''schedules'', ''several'', 3)", "every_ms": 604800000, "job": "orchestra:schedules:several.schedule-3", "overlap": "skip", "position": 3, "schedule": "0 0 * * 4", "workload": "several"}');
insert into orchestra.schedule (project, workload, position, cron, every_ms, timezone, overlap, catchup_window_ms)
values ('schedules', 'several', 3, null, 604800000, null, 'skip', 86400000)
on conflict (project, workload, position) do update set
  cron = excluded.cron, every_ms = excluded.every_ms, timezone = excluded.timezone,
  overlap = excluded.overlap, catchup_window_ms = excluded.catchup_window_ms;
select cron.schedule('orchestra:schedules:several.schedule-3', '0 0 * * 4', $$call orchestra.fire('schedules', 'several', 3)$$);

-- cron_job.several.worker-1
select orchestra.claim('schedules', 'cron_job.several.worker-1', 'orchestra:schedules:several.worker-1', '{"command": "call orchestra.drain_sql(''schedules'', ''several'', 1)", "job": "orchestra:schedules:several.worker-1", "schedule": "5 seconds"}');
select cron.schedule('orchestra:schedules:several.worker-1', '5 seconds', $$call orchestra.drain_sql('schedules', 'several', 1)$$);

-- cron_job.tick.1m
select orchestra.claim('schedules', 'cron_job.tick.1m', 'orchestra:schedules:tick.1m', '{"command": "call orchestra.tick(''schedules'', 60000)", "job": "orchestra:schedules:tick.1m", "schedule": "* * * * *"}');
select cron.schedule('orchestra:schedules:tick.1m', '* * * * *', $$call orchestra.tick('schedules', 60000)$$);

-- cron_job.tick.5s
select orchestra.claim('schedules', 'cron_job.tick.5s', 'orchestra:schedules:tick.5s', '{"command": "call orchestra.tick(''schedules'', 5000)", "job": "orchestra:schedules:tick.5s", "schedule": "5 seconds"}');
select cron.schedule('orchestra:schedules:tick.5s', '5 seconds', $$call orchestra.tick('schedules', 5000)$$);

-- cron_job.wildcard-hour
select orchestra.claim('schedules', 'cron_job.wildcard-hour', 'orchestra:schedules:wildcard-hour', '{"command": "call orchestra.fire(''schedules'', ''wildcard-hour'', 1)", "cron": "*/20 * * * *", "job": "orchestra:schedules:wildcard-hour", "overlap": "skip", "position": 1, "schedule": "15,35,55 * * * *", "timezone": "Asia/Kathmandu", "workload": "wildcard-hour"}');
insert into orchestra.schedule (project, workload, position, cron, every_ms, timezone, overlap, catchup_window_ms)
values ('schedules', 'wildcard-hour', 1, '*/20 * * * *', null, 'Asia/Kathmandu', 'skip', null)
on conflict (project, workload, position) do update set
  cron = excluded.cron, every_ms = excluded.every_ms, timezone = excluded.timezone,
  overlap = excluded.overlap, catchup_window_ms = excluded.catchup_window_ms;
select cron.schedule('orchestra:schedules:wildcard-hour', '15,35,55 * * * *', $$call orchestra.fire('schedules', 'wildcard-hour', 1)$$);
