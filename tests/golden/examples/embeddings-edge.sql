-- embeddings: background work, compiled by orchestra VERSION (sha256 …).
-- Do not edit: change the spec and compile again.
--
-- 4 extensions, 1 runtime, 1 project, 3 secrets, 1 queue, 1 workload, 1 edge function, 2 cron jobs, 1 table trigger
--
-- Run it as the role that shall own the jobs; running it again changes nothing. It opens no transaction of its own:
-- give psql --single-transaction, or let a migration tool wrap it. A database built from this file alone starts
-- paused: `orchestra apply` opens the gate.

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

-- project.embeddings
select orchestra.claim('embeddings', 'project.embeddings', 'embeddings', '{}');
select orchestra.register_project('embeddings');

-- secret.function_key
--   Nothing to run: only its presence is checked.

-- secret.function_url
--   Nothing to run: only its presence is checked.

-- secret.model_key
--   Nothing to run: only its presence is checked.

-- queue.embed-document
select orchestra.claim('embeddings', 'queue.embed-document', 'embed_document', '{"name": "embed_document"}');
select pgmq.create('embed_document');

-- workload.embed-document
--   Keep the embedding of each document up to date
select orchestra.claim('embeddings', 'workload.embed-document', 'embed-document', '{"backoff_factor": 2, "backoff_initial_ms": 5000, "backoff_max_ms": 900000, "batch_size": 8, "concurrency": 8, "contract": "9910eb7d20c96195", "handler": "edge", "key_secret": "orchestra_function_key", "max_attempts": 5, "pattern": "queue", "poll_interval_ms": 5000, "queue_name": "embed_document", "rate_limit": 500, "rate_period_ms": 60000, "summary": "Keep the embedding of each document up to date", "timeout_ms": 30000, "url_secret": "orchestra_function_url", "visibility_timeout_ms": 60000}');
select orchestra.set_workload('embeddings', 'embed-document');

-- edge_function.embed-document
--   Nothing to run: it is deployed from its files.

-- cron_job.housekeep.1m
select orchestra.claim('embeddings', 'cron_job.housekeep.1m', 'orchestra:embeddings:housekeep.1m', '{"command": "call orchestra.housekeep(''embeddings'')", "job": "orchestra:embeddings:housekeep.1m", "schedule": "* * * * *"}');
select cron.schedule('orchestra:embeddings:housekeep.1m', '* * * * *', $$call orchestra.housekeep('embeddings')$$);

-- cron_job.tick.5s
select orchestra.claim('embeddings', 'cron_job.tick.5s', 'orchestra:embeddings:tick.5s', '{"command": "call orchestra.tick(''embeddings'', 5000)", "job": "orchestra:embeddings:tick.5s", "schedule": "5 seconds"}');
select cron.schedule('orchestra:embeddings:tick.5s', '5 seconds', $$call orchestra.tick('embeddings', 5000)$$);

-- table_trigger.embed-document
select orchestra.claim('embeddings', 'table_trigger.embed-document', '"public"."documents":orchestra_embeddings_embed_document', '{"base": "orchestra_embeddings_embed_document", "columns": ["body", "title"], "on": ["insert", "update"], "schema": "public", "table": "documents", "workload": "embed-document"}');
drop trigger if exists "orchestra_embeddings_embed_document_delete" on "public"."documents";
create or replace trigger "orchestra_embeddings_embed_document_insert"
after insert on "public"."documents"
referencing new table as orchestra_new
for each statement execute function orchestra.on_table_change('embeddings', 'embed-document', 'key', '["body", "title"]');
create or replace trigger "orchestra_embeddings_embed_document_update"
after update on "public"."documents"
referencing old table as orchestra_old new table as orchestra_new
for each statement execute function orchestra.on_table_change('embeddings', 'embed-document', 'key', '["body", "title"]');
