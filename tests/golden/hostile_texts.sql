-- hostile-texts: background work, compiled by orchestra VERSION (sha256 …).
-- Do not edit: change the spec and compile again.
--
-- 2 extensions, 1 runtime, 1 project, 4 queues, 4 workloads, 6 cron jobs
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

-- project.hostile-texts
select orchestra.claim('hostile-texts', 'project.hostile-texts', 'hostile-texts', '{}');
select orchestra.register_project('hostile-texts');

-- queue.emoji
select orchestra.claim('hostile-texts', 'queue.emoji', 'emoji', '{"name": "emoji"}');
select pgmq.create('emoji');

-- queue.ends-in-dollar
select orchestra.claim('hostile-texts', 'queue.ends-in-dollar', 'ends_in_dollar', '{"name": "ends_in_dollar"}');
select pgmq.create('ends_in_dollar');

-- queue.lines
select orchestra.claim('hostile-texts', 'queue.lines', 'lines', '{"name": "lines"}');
select pgmq.create('lines');

-- queue.quotes
select orchestra.claim('hostile-texts', 'queue.quotes', 'quotes', '{"name": "quotes"}');
select pgmq.create('quotes');

-- workload.emoji
--   Grüße aus Köln 🚀 — 日本語, ‮ right to left, ​ nothing, é combined
select orchestra.claim('hostile-texts', 'workload.emoji', 'emoji', '{"backoff_factor": 2, "backoff_initial_ms": 5000, "backoff_max_ms": 900000, "handler": "sql", "max_attempts": 5, "pattern": "queue", "poll_interval_ms": 60000, "queue_name": "emoji", "summary": "Grüße aus Köln 🚀 — 日本語, ‮ right to left, ​ nothing, é combined", "timeout_ms": 5000, "visibility_timeout_ms": 35000}'::jsonb || jsonb_build_object('sql', $sql$insert into app.said (name, words) values ('emoji', '🚀 ''日本語'' é ‮')$sql$));
select orchestra.set_workload('hostile-texts', 'emoji');

-- workload.ends-in-dollar
select orchestra.claim('hostile-texts', 'workload.ends-in-dollar', 'ends-in-dollar', '{"backoff_factor": 2, "backoff_initial_ms": 5000, "backoff_max_ms": 900000, "handler": "sql", "max_attempts": 5, "pattern": "queue", "poll_interval_ms": 60000, "queue_name": "ends_in_dollar", "timeout_ms": 5000, "visibility_timeout_ms": 35000}'::jsonb || jsonb_build_object('sql', 'insert into app.said as a$ (name, words) values (''ends-in-dollar'', ($1)::text) returning a$.name as n$'));
select orchestra.set_workload('hostile-texts', 'ends-in-dollar');

-- workload.lines
--   first line
--   '; drop schema app cascade; --
--   $orchestra$; \! echo
select orchestra.claim('hostile-texts', 'workload.lines', 'lines', E'{"backoff_factor": 2, "backoff_initial_ms": 5000, "backoff_max_ms": 900000, "handler": "sql", "max_attempts": 5, "pattern": "queue", "poll_interval_ms": 60000, "queue_name": "lines", "summary": "first line\\n''; drop schema app cascade; --\\n$orchestra$; \\\\! echo\\n", "timeout_ms": 5000, "visibility_timeout_ms": 35000}'::jsonb || jsonb_build_object('sql', $sql$insert into app.said (name, words) -- a comment with ' and $$ in it␍
	values ('lines', 'one␍
	two') /* ' $q$ */$sql$));
select orchestra.set_workload('hostile-texts', 'lines');

-- workload.quotes
--   It's "quoted" ''twice'' and `thrice`; \ back \' slash; $$ $1 $sql$ $orchestra$; */ /* -- ; \q :payload
select orchestra.claim('hostile-texts', 'workload.quotes', 'quotes', E'{"backoff_factor": 2, "backoff_initial_ms": 5000, "backoff_max_ms": 900000, "handler": "sql", "max_attempts": 5, "pattern": "queue", "poll_interval_ms": 60000, "queue_name": "quotes", "summary": "It''s \\"quoted\\" ''''twice'''' and `thrice`; \\\\ back \\\\'' slash; $$ $1 $sql$ $orchestra$; */ /* -- ; \\\\q :payload", "timeout_ms": 5000, "visibility_timeout_ms": 35000}'::jsonb || jsonb_build_object('sql', $sql1$insert into app.said (name, words) values ('quotes',
  E'it''s \\ \' \n' || $$dollar 'quoted' :payload$$ || $sql$ inner $orchestra$ $migration$ $sql$ || '-- ; /*')
$sql1$));
select orchestra.set_workload('hostile-texts', 'quotes');

-- cron_job.emoji.worker-1
select orchestra.claim('hostile-texts', 'cron_job.emoji.worker-1', 'orchestra:hostile-texts:emoji.worker-1', '{"command": "call orchestra.drain_sql(''hostile-texts'', ''emoji'', 1)", "job": "orchestra:hostile-texts:emoji.worker-1", "schedule": "* * * * *"}');
select cron.schedule('orchestra:hostile-texts:emoji.worker-1', '* * * * *', $$call orchestra.drain_sql('hostile-texts', 'emoji', 1)$$);

-- cron_job.ends-in-dollar.worker-1
select orchestra.claim('hostile-texts', 'cron_job.ends-in-dollar.worker-1', 'orchestra:hostile-texts:ends-in-dollar.worker-1', '{"command": "call orchestra.drain_sql(''hostile-texts'', ''ends-in-dollar'', 1)", "job": "orchestra:hostile-texts:ends-in-dollar.worker-1", "schedule": "* * * * *"}');
select cron.schedule('orchestra:hostile-texts:ends-in-dollar.worker-1', '* * * * *', $$call orchestra.drain_sql('hostile-texts', 'ends-in-dollar', 1)$$);

-- cron_job.housekeep.1m
select orchestra.claim('hostile-texts', 'cron_job.housekeep.1m', 'orchestra:hostile-texts:housekeep.1m', '{"command": "call orchestra.housekeep(''hostile-texts'')", "job": "orchestra:hostile-texts:housekeep.1m", "schedule": "* * * * *"}');
select cron.schedule('orchestra:hostile-texts:housekeep.1m', '* * * * *', $$call orchestra.housekeep('hostile-texts')$$);

-- cron_job.lines.worker-1
select orchestra.claim('hostile-texts', 'cron_job.lines.worker-1', 'orchestra:hostile-texts:lines.worker-1', '{"command": "call orchestra.drain_sql(''hostile-texts'', ''lines'', 1)", "job": "orchestra:hostile-texts:lines.worker-1", "schedule": "* * * * *"}');
select cron.schedule('orchestra:hostile-texts:lines.worker-1', '* * * * *', $$call orchestra.drain_sql('hostile-texts', 'lines', 1)$$);

-- cron_job.quotes.worker-1
select orchestra.claim('hostile-texts', 'cron_job.quotes.worker-1', 'orchestra:hostile-texts:quotes.worker-1', '{"command": "call orchestra.drain_sql(''hostile-texts'', ''quotes'', 1)", "job": "orchestra:hostile-texts:quotes.worker-1", "schedule": "* * * * *"}');
select cron.schedule('orchestra:hostile-texts:quotes.worker-1', '* * * * *', $$call orchestra.drain_sql('hostile-texts', 'quotes', 1)$$);

-- cron_job.tick.1m
select orchestra.claim('hostile-texts', 'cron_job.tick.1m', 'orchestra:hostile-texts:tick.1m', '{"command": "call orchestra.tick(''hostile-texts'', 60000)", "job": "orchestra:hostile-texts:tick.1m", "schedule": "* * * * *"}');
select cron.schedule('orchestra:hostile-texts:tick.1m', '* * * * *', $$call orchestra.tick('hostile-texts', 60000)$$);
