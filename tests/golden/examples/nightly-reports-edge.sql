-- nightly-reports: background work, compiled by orchestra VERSION (sha256 …).
-- Do not edit: change the spec and compile again.
--
-- 1 requirement, 4 extensions, 1 runtime, 1 project, 2 secrets, 2 queues, 4 workloads, 1 edge function, 8 cron jobs
--
-- Run it as the role that shall own the jobs; running it again changes nothing. It opens no transaction of its own:
-- give psql --single-transaction, or let a migration tool wrap it. A database built from this file alone starts
-- paused: `orchestra apply` opens the gate.

-- requirement.sales-table
do $orchestra$
begin
  if not (to_regclass('"sales"."sale"') is not null) then
    raise exception '%', 'requirement sales-table does not hold'
      using detail = 'nightly-reports needs the relation sales.sale';
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

-- project.nightly-reports
select orchestra.claim('nightly-reports', 'project.nightly-reports', 'nightly-reports', '{}');
select orchestra.register_project('nightly-reports');

-- secret.function_key
--   Nothing to run: only its presence is checked.

-- secret.function_url
--   Nothing to run: only its presence is checked.

-- queue.publish-reports
select orchestra.claim('nightly-reports', 'queue.publish-reports', 'publish_reports', '{"name": "publish_reports"}');
select pgmq.create('publish_reports');

-- queue.write-report
select orchestra.claim('nightly-reports', 'queue.write-report', 'write_report', '{"name": "write_report"}');
select pgmq.create('write_report');

-- workload.order-reports
--   Ask for a report for each customer who bought something
select orchestra.claim('nightly-reports', 'workload.order-reports', 'order-reports', '{"backoff_factor": 2, "backoff_initial_ms": 5000, "backoff_max_ms": 900000, "handler": "sql", "pattern": "scheduled_sql", "summary": "Ask for a report for each customer who bought something", "timeout_ms": 30000, "visibility_timeout_ms": 60000}'::jsonb || jsonb_build_object('sql', $sql$select orchestra.send_many('nightly-reports/write-report', array(
  select jsonb_build_object('customer', d.customer_id, 'day', d.day)
  from sales.daily d
  where d.day = (now() at time zone 'Europe/Berlin')::date - 1
  order by d.customer_id
))
$sql$));
select orchestra.set_workload('nightly-reports', 'order-reports');

-- workload.publish-reports
--   Collect the customers, render a report for each, publish them all
select orchestra.claim('nightly-reports', 'workload.publish-reports', 'publish-reports', E'{"backoff_factor": 2, "backoff_initial_ms": 5000, "backoff_max_ms": 900000, "batch_size": 10, "contract": "ea4faf27549101a9", "handler": "edge", "key_secret": "orchestra_function_key", "max_attempts": 5, "pattern": "queue", "poll_interval_ms": 60000, "queue_name": "publish_reports", "steps": "[{\\"depends_on\\": [], \\"name\\": \\"collect\\", \\"timeout_ms\\": 60000}, {\\"depends_on\\": [\\"collect\\"], \\"map\\": \\"collect\\", \\"name\\": \\"render\\", \\"timeout_ms\\": 90000}, {\\"depends_on\\": [\\"render\\"], \\"name\\": \\"publish\\", \\"timeout_ms\\": 10000}]", "summary": "Collect the customers, render a report for each, publish them all", "timeout_ms": 90000, "url_secret": "orchestra_function_url", "visibility_timeout_ms": 120000}');
select orchestra.set_workload('nightly-reports', 'publish-reports');

-- workload.roll-up-sales
--   Add up the sales of the day before, for each customer
select orchestra.claim('nightly-reports', 'workload.roll-up-sales', 'roll-up-sales', '{"backoff_factor": 2, "backoff_initial_ms": 5000, "backoff_max_ms": 900000, "handler": "sql", "max_attempts": 3, "pattern": "scheduled_sql", "summary": "Add up the sales of the day before, for each customer", "timeout_ms": 60000, "visibility_timeout_ms": 90000}'::jsonb || jsonb_build_object('sql', $sql$insert into sales.daily (day, customer_id, sales, total_cents)
select (s.sold_at at time zone 'Europe/Berlin')::date, s.customer_id, count(*), sum(s.amount_cents)
from sales.sale s
where (s.sold_at at time zone 'Europe/Berlin')::date = (now() at time zone 'Europe/Berlin')::date - 1
group by 1, 2
on conflict (day, customer_id) do update
set sales = excluded.sales, total_cents = excluded.total_cents
$sql$));
select orchestra.set_workload('nightly-reports', 'roll-up-sales');

-- workload.write-report
--   Write the report of one customer for one day
select orchestra.claim('nightly-reports', 'workload.write-report', 'write-report', '{"backoff_factor": 2, "backoff_initial_ms": 5000, "backoff_max_ms": 900000, "concurrency": 2, "handler": "sql", "max_attempts": 5, "pattern": "queue", "poll_interval_ms": 60000, "queue_name": "write_report", "retention_completed_ms": 86400000, "retention_failed_ms": 7776000000, "summary": "Write the report of one customer for one day", "timeout_ms": 10000, "visibility_timeout_ms": 40000}'::jsonb || jsonb_build_object('sql', $sql$insert into sales.report (customer_id, day, body)
select c.id, d.day, format(E'%s\n%s sales, %s EUR', c.name, d.sales, to_char(d.total_cents / 100.0, 'FM999990.00'))
from sales.daily d
join sales.customer c on c.id = d.customer_id
where d.customer_id = ($1 ->> 'customer')::bigint and d.day = ($1 ->> 'day')::date
on conflict (customer_id, day) do update set body = excluded.body
$sql$));
select orchestra.set_workload('nightly-reports', 'write-report');

-- edge_function.publish-reports
--   Nothing to run: it is deployed from its files.

-- cron_job.catch-up.1m
select orchestra.claim('nightly-reports', 'cron_job.catch-up.1m', 'orchestra:nightly-reports:catch-up.1m', '{"command": "call orchestra.catch_up(''nightly-reports'')", "job": "orchestra:nightly-reports:catch-up.1m", "schedule": "* * * * *"}');
select cron.schedule('orchestra:nightly-reports:catch-up.1m', '* * * * *', $$call orchestra.catch_up('nightly-reports')$$);

-- cron_job.housekeep.1m
select orchestra.claim('nightly-reports', 'cron_job.housekeep.1m', 'orchestra:nightly-reports:housekeep.1m', '{"command": "call orchestra.housekeep(''nightly-reports'')", "job": "orchestra:nightly-reports:housekeep.1m", "schedule": "* * * * *"}');
select cron.schedule('orchestra:nightly-reports:housekeep.1m', '* * * * *', $$call orchestra.housekeep('nightly-reports')$$);

-- cron_job.order-reports
select orchestra.claim('nightly-reports', 'cron_job.order-reports', 'orchestra:nightly-reports:order-reports', '{"catchup_window_ms": 32400000, "command": "call orchestra.fire(''nightly-reports'', ''order-reports'', 1)", "cron": "30 3 * * *", "job": "orchestra:nightly-reports:order-reports", "overlap": "skip", "position": 1, "schedule": "0,30 * * * *", "timezone": "Europe/Berlin", "workload": "order-reports"}');
insert into orchestra.schedule (project, workload, position, cron, every_ms, timezone, overlap, catchup_window_ms)
values ('nightly-reports', 'order-reports', 1, '30 3 * * *', null, 'Europe/Berlin', 'skip', 32400000)
on conflict (project, workload, position) do update set
  cron = excluded.cron, every_ms = excluded.every_ms, timezone = excluded.timezone,
  overlap = excluded.overlap, catchup_window_ms = excluded.catchup_window_ms;
select cron.schedule('orchestra:nightly-reports:order-reports', '0,30 * * * *', $$call orchestra.fire('nightly-reports', 'order-reports', 1)$$);

-- cron_job.publish-reports
select orchestra.claim('nightly-reports', 'cron_job.publish-reports', 'orchestra:nightly-reports:publish-reports', '{"command": "call orchestra.fire(''nightly-reports'', ''publish-reports'', 1)", "cron": "0 4 * * *", "job": "orchestra:nightly-reports:publish-reports", "overlap": "skip", "position": 1, "schedule": "0 * * * *", "timezone": "Europe/Berlin", "workload": "publish-reports"}');
insert into orchestra.schedule (project, workload, position, cron, every_ms, timezone, overlap, catchup_window_ms)
values ('nightly-reports', 'publish-reports', 1, '0 4 * * *', null, 'Europe/Berlin', 'skip', null)
on conflict (project, workload, position) do update set
  cron = excluded.cron, every_ms = excluded.every_ms, timezone = excluded.timezone,
  overlap = excluded.overlap, catchup_window_ms = excluded.catchup_window_ms;
select cron.schedule('orchestra:nightly-reports:publish-reports', '0 * * * *', $$call orchestra.fire('nightly-reports', 'publish-reports', 1)$$);

-- cron_job.roll-up-sales
select orchestra.claim('nightly-reports', 'cron_job.roll-up-sales', 'orchestra:nightly-reports:roll-up-sales', '{"catchup_window_ms": 32400000, "command": "call orchestra.fire(''nightly-reports'', ''roll-up-sales'', 1)", "cron": "0 3 * * *", "job": "orchestra:nightly-reports:roll-up-sales", "overlap": "skip", "position": 1, "schedule": "0 * * * *", "timezone": "Europe/Berlin", "workload": "roll-up-sales"}');
insert into orchestra.schedule (project, workload, position, cron, every_ms, timezone, overlap, catchup_window_ms)
values ('nightly-reports', 'roll-up-sales', 1, '0 3 * * *', null, 'Europe/Berlin', 'skip', 32400000)
on conflict (project, workload, position) do update set
  cron = excluded.cron, every_ms = excluded.every_ms, timezone = excluded.timezone,
  overlap = excluded.overlap, catchup_window_ms = excluded.catchup_window_ms;
select cron.schedule('orchestra:nightly-reports:roll-up-sales', '0 * * * *', $$call orchestra.fire('nightly-reports', 'roll-up-sales', 1)$$);

-- cron_job.tick.1m
select orchestra.claim('nightly-reports', 'cron_job.tick.1m', 'orchestra:nightly-reports:tick.1m', '{"command": "call orchestra.tick(''nightly-reports'', 60000)", "job": "orchestra:nightly-reports:tick.1m", "schedule": "* * * * *"}');
select cron.schedule('orchestra:nightly-reports:tick.1m', '* * * * *', $$call orchestra.tick('nightly-reports', 60000)$$);

-- cron_job.write-report.worker-1
select orchestra.claim('nightly-reports', 'cron_job.write-report.worker-1', 'orchestra:nightly-reports:write-report.worker-1', '{"command": "call orchestra.drain_sql(''nightly-reports'', ''write-report'', 1)", "job": "orchestra:nightly-reports:write-report.worker-1", "schedule": "* * * * *"}');
select cron.schedule('orchestra:nightly-reports:write-report.worker-1', '* * * * *', $$call orchestra.drain_sql('nightly-reports', 'write-report', 1)$$);

-- cron_job.write-report.worker-2
select orchestra.claim('nightly-reports', 'cron_job.write-report.worker-2', 'orchestra:nightly-reports:write-report.worker-2', '{"command": "call orchestra.drain_sql(''nightly-reports'', ''write-report'', 2)", "job": "orchestra:nightly-reports:write-report.worker-2", "schedule": "* * * * *"}');
select cron.schedule('orchestra:nightly-reports:write-report.worker-2', '* * * * *', $$call orchestra.drain_sql('nightly-reports', 'write-report', 2)$$);
