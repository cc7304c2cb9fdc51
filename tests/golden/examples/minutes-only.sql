-- minutes-only: background work, compiled by orchestra VERSION (sha256 …).
-- Do not edit: change the spec and compile again.
--
-- 1 requirement, 2 extensions, 1 runtime, 1 project, 1 queue, 3 workloads, 7 cron jobs, 1 table trigger
--
-- Run it as the role that shall own the jobs; running it again changes nothing. It opens no transaction of its own:
-- give psql --single-transaction, or let a migration tool wrap it. A database built from this file alone starts
-- paused: `orchestra apply` opens the gate.

-- requirement.pg_cron
do $orchestra$
begin
  if not (coalesce(string_to_array(regexp_replace(coalesce((select extversion from pg_catalog.pg_extension where extname = 'pg_cron'), (select default_version from pg_catalog.pg_available_extensions where name = 'pg_cron')), '[^0-9.].*$|([.]0)+$', ''), '.')::int[] >= array[1, 4]::int[], false)) then
    raise exception '%', 'requirement pg_cron does not hold'
      using detail = 'minutes-only needs the extension pg_cron >=1.4';
  end if;
end
$orchestra$;

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

-- project.minutes-only
select orchestra.claim('minutes-only', 'project.minutes-only', 'minutes-only', '{}');
select orchestra.register_project('minutes-only');

-- queue.check-link
select orchestra.claim('minutes-only', 'queue.check-link', 'check_link', '{"name": "check_link"}');
select pgmq.create('check_link');

-- workload.check-link
--   Look whether a new link is one that we know
select orchestra.claim('minutes-only', 'workload.check-link', 'check-link', '{"backoff_factor": 2, "backoff_initial_ms": 5000, "backoff_max_ms": 900000, "concurrency": 2, "handler": "sql", "max_attempts": 5, "pattern": "queue", "poll_interval_ms": 60000, "queue_name": "check_link", "summary": "Look whether a new link is one that we know", "timeout_ms": 5000, "visibility_timeout_ms": 35000}'::jsonb || jsonb_build_object('sql', $sql$update web.link l
set known = exists (select from web.page p where p.path = l.target), checked_at = now()
where l.id = ($1 #>> '{key,id}')::bigint
$sql$));
select orchestra.set_workload('minutes-only', 'check-link');

-- workload.count-visits
--   Add the visits that came in to the count of their page
select orchestra.claim('minutes-only', 'workload.count-visits', 'count-visits', '{"backoff_factor": 2, "backoff_initial_ms": 5000, "backoff_max_ms": 900000, "handler": "sql", "pattern": "scheduled_sql", "summary": "Add the visits that came in to the count of their page", "timeout_ms": 20000, "visibility_timeout_ms": 50000}'::jsonb || jsonb_build_object('sql', $sql$with taken as (delete from web.visit where true returning page)
insert into web.page (path, visits)
select page, count(*) from taken group by page
on conflict (path) do update set visits = web.page.visits + excluded.visits
$sql$));
select orchestra.set_workload('minutes-only', 'count-visits');

-- workload.forget-links
--   Remove links that nobody has checked for a quarter
select orchestra.claim('minutes-only', 'workload.forget-links', 'forget-links', '{"backoff_factor": 2, "backoff_initial_ms": 5000, "backoff_max_ms": 900000, "handler": "sql", "pattern": "scheduled_sql", "summary": "Remove links that nobody has checked for a quarter", "timeout_ms": 20000, "visibility_timeout_ms": 50000}'::jsonb || jsonb_build_object('sql', $sql$delete from web.link where checked_at < now() - interval '90 days'$sql$));
select orchestra.set_workload('minutes-only', 'forget-links');

-- cron_job.catch-up.1m
select orchestra.claim('minutes-only', 'cron_job.catch-up.1m', 'orchestra:minutes-only:catch-up.1m', '{"command": "call orchestra.catch_up(''minutes-only'')", "job": "orchestra:minutes-only:catch-up.1m", "schedule": "* * * * *"}');
select cron.schedule('orchestra:minutes-only:catch-up.1m', '* * * * *', $$call orchestra.catch_up('minutes-only')$$);

-- cron_job.check-link.worker-1
select orchestra.claim('minutes-only', 'cron_job.check-link.worker-1', 'orchestra:minutes-only:check-link.worker-1', '{"command": "call orchestra.drain_sql(''minutes-only'', ''check-link'', 1)", "job": "orchestra:minutes-only:check-link.worker-1", "schedule": "* * * * *"}');
select cron.schedule('orchestra:minutes-only:check-link.worker-1', '* * * * *', $$call orchestra.drain_sql('minutes-only', 'check-link', 1)$$);

-- cron_job.check-link.worker-2
select orchestra.claim('minutes-only', 'cron_job.check-link.worker-2', 'orchestra:minutes-only:check-link.worker-2', '{"command": "call orchestra.drain_sql(''minutes-only'', ''check-link'', 2)", "job": "orchestra:minutes-only:check-link.worker-2", "schedule": "* * * * *"}');
select cron.schedule('orchestra:minutes-only:check-link.worker-2', '* * * * *', $$call orchestra.drain_sql('minutes-only', 'check-link', 2)$$);

-- cron_job.count-visits
select orchestra.claim('minutes-only', 'cron_job.count-visits', 'orchestra:minutes-only:count-visits', '{"command": "call orchestra.fire(''minutes-only'', ''count-visits'', 1)", "every_ms": 60000, "job": "orchestra:minutes-only:count-visits", "overlap": "skip", "position": 1, "schedule": "* * * * *", "workload": "count-visits"}');
insert into orchestra.schedule (project, workload, position, cron, every_ms, timezone, overlap, catchup_window_ms)
values ('minutes-only', 'count-visits', 1, null, 60000, null, 'skip', null)
on conflict (project, workload, position) do update set
  cron = excluded.cron, every_ms = excluded.every_ms, timezone = excluded.timezone,
  overlap = excluded.overlap, catchup_window_ms = excluded.catchup_window_ms;
select cron.schedule('orchestra:minutes-only:count-visits', '* * * * *', $$call orchestra.fire('minutes-only', 'count-visits', 1)$$);

-- cron_job.forget-links
select orchestra.claim('minutes-only', 'cron_job.forget-links', 'orchestra:minutes-only:forget-links', '{"command": "call orchestra.fire(''minutes-only'', ''forget-links'', 1)", "every_ms": 21600000, "job": "orchestra:minutes-only:forget-links", "overlap": "skip", "position": 1, "schedule": "0 */6 * * *", "workload": "forget-links"}');
insert into orchestra.schedule (project, workload, position, cron, every_ms, timezone, overlap, catchup_window_ms)
values ('minutes-only', 'forget-links', 1, null, 21600000, null, 'skip', null)
on conflict (project, workload, position) do update set
  cron = excluded.cron, every_ms = excluded.every_ms, timezone = excluded.timezone,
  overlap = excluded.overlap, catchup_window_ms = excluded.catchup_window_ms;
select cron.schedule('orchestra:minutes-only:forget-links', '0 */6 * * *', $$call orchestra.fire('minutes-only', 'forget-links', 1)$$);

-- cron_job.housekeep.1m
select orchestra.claim('minutes-only', 'cron_job.housekeep.1m', 'orchestra:minutes-only:housekeep.1m', '{"command": "call orchestra.housekeep(''minutes-only'')", "job": "orchestra:minutes-only:housekeep.1m", "schedule": "* * * * *"}');
select cron.schedule('orchestra:minutes-only:housekeep.1m', '* * * * *', $$call orchestra.housekeep('minutes-only')$$);

-- cron_job.tick.1m
select orchestra.claim('minutes-only', 'cron_job.tick.1m', 'orchestra:minutes-only:tick.1m', '{"command": "call orchestra.tick(''minutes-only'', 60000)", "job": "orchestra:minutes-only:tick.1m", "schedule": "* * * * *"}');
select cron.schedule('orchestra:minutes-only:tick.1m', '* * * * *', $$call orchestra.tick('minutes-only', 60000)$$);

-- table_trigger.check-link
select orchestra.claim('minutes-only', 'table_trigger.check-link', '"web"."link":orchestra_minutes_only_check_link', '{"base": "orchestra_minutes_only_check_link", "columns": ["target"], "on": ["insert", "update"], "schema": "web", "table": "link", "workload": "check-link"}');
drop trigger if exists "orchestra_minutes_only_check_link_delete" on "web"."link";
create or replace trigger "orchestra_minutes_only_check_link_insert"
after insert on "web"."link"
referencing new table as orchestra_new
for each statement execute function orchestra.on_table_change('minutes-only', 'check-link', 'key', '["target"]');
create or replace trigger "orchestra_minutes_only_check_link_update"
after update on "web"."link"
referencing old table as orchestra_old new table as orchestra_new
for each statement execute function orchestra.on_table_change('minutes-only', 'check-link', 'key', '["target"]');
