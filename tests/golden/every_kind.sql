-- every-kind: background work, compiled by orchestra VERSION (sha256 …).
-- Do not edit: change the spec and compile again.
--
-- 1 requirement, 2 extensions, 1 runtime, 1 project, 1 secret, 1 queue, 2 workloads, 1 grant, 5 cron jobs, 1 table trigger
--
-- Run it as the role that shall own the jobs; running it again changes nothing. It opens no transaction of its own:
-- give psql --single-transaction, or let a migration tool wrap it. A database built from this file alone starts
-- paused: `orchestra apply` opens the gate.

-- requirement.table
do $orchestra$
begin
  if not (to_regclass('"app"."item"') is not null) then
    raise exception '%', 'requirement table does not hold'
      using detail = 'every-kind needs the relation app.item';
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

-- project.every-kind
select orchestra.claim('every-kind', 'project.every-kind', 'every-kind', '{}');
select orchestra.register_project('every-kind');

-- secret.api_key
--   Nothing to run: only its presence is checked.

-- queue.take-item
select orchestra.claim('every-kind', 'queue.take-item', 'take_item', '{"name": "take_item"}');
select pgmq.create('take_item');

-- workload.drop-items
--   Drop what was taken
select orchestra.claim('every-kind', 'workload.drop-items', 'drop-items', '{"backoff_factor": 2, "backoff_initial_ms": 5000, "backoff_max_ms": 900000, "handler": "sql", "pattern": "scheduled_sql", "summary": "Drop what was taken", "timeout_ms": 5000, "visibility_timeout_ms": 35000}'::jsonb || jsonb_build_object('sql', $sql$delete from app.item where taken$sql$));
select orchestra.set_workload('every-kind', 'drop-items');

-- workload.take-item
--   Take an item
select orchestra.claim('every-kind', 'workload.take-item', 'take-item', '{"backoff_factor": 2, "backoff_initial_ms": 5000, "backoff_max_ms": 900000, "handler": "sql", "max_attempts": 5, "pattern": "queue", "poll_interval_ms": 60000, "queue_name": "take_item", "summary": "Take an item", "timeout_ms": 5000, "visibility_timeout_ms": 35000}'::jsonb || jsonb_build_object('sql', $sql$update app.item set taken = true where id = ($1 #>> '{key,id}')::int$sql$));
select orchestra.set_workload('every-kind', 'take-item');

-- grant.take-item
select orchestra.claim('every-kind', 'grant.take-item', 'public.enqueue_take_item', '{"function": "enqueue_take_item", "roles": ["web"], "source": " select orchestra.send(''every-kind/take-item'', payload) "}');
create or replace function "public"."enqueue_take_item"(payload jsonb) returns bigint
language sql security definer set search_path = ''
as $$ select orchestra.send('every-kind/take-item', payload) $$;
do $orchestra$
declare grantee text;
begin
  for grantee in
    select case when a.grantee = 0 then 'public' else quote_ident(pg_get_userbyid(a.grantee)) end
    from pg_catalog.pg_proc p, aclexplode(coalesce(p.proacl, acldefault('f', p.proowner))) a
    where p.oid = '"public"."enqueue_take_item"(jsonb)'::regprocedure and a.grantee <> p.proowner
  loop
    execute format('revoke all on function "public"."enqueue_take_item"(jsonb) from %s', grantee);
  end loop;
end
$orchestra$;
grant execute on function "public"."enqueue_take_item"(jsonb) to "web";

-- cron_job.catch-up.1m
select orchestra.claim('every-kind', 'cron_job.catch-up.1m', 'orchestra:every-kind:catch-up.1m', '{"command": "call orchestra.catch_up(''every-kind'')", "job": "orchestra:every-kind:catch-up.1m", "schedule": "* * * * *"}');
select cron.schedule('orchestra:every-kind:catch-up.1m', '* * * * *', $$call orchestra.catch_up('every-kind')$$);

-- cron_job.drop-items
select orchestra.claim('every-kind', 'cron_job.drop-items', 'orchestra:every-kind:drop-items', '{"command": "call orchestra.fire(''every-kind'', ''drop-items'', 1)", "every_ms": 3600000, "job": "orchestra:every-kind:drop-items", "overlap": "skip", "position": 1, "schedule": "0 * * * *", "workload": "drop-items"}');
insert into orchestra.schedule (project, workload, position, cron, every_ms, timezone, overlap, catchup_window_ms)
values ('every-kind', 'drop-items', 1, null, 3600000, null, 'skip', null)
on conflict (project, workload, position) do update set
  cron = excluded.cron, every_ms = excluded.every_ms, timezone = excluded.timezone,
  overlap = excluded.overlap, catchup_window_ms = excluded.catchup_window_ms;
select cron.schedule('orchestra:every-kind:drop-items', '0 * * * *', $$call orchestra.fire('every-kind', 'drop-items', 1)$$);

-- cron_job.housekeep.1m
select orchestra.claim('every-kind', 'cron_job.housekeep.1m', 'orchestra:every-kind:housekeep.1m', '{"command": "call orchestra.housekeep(''every-kind'')", "job": "orchestra:every-kind:housekeep.1m", "schedule": "* * * * *"}');
select cron.schedule('orchestra:every-kind:housekeep.1m', '* * * * *', $$call orchestra.housekeep('every-kind')$$);

-- cron_job.take-item.worker-1
select orchestra.claim('every-kind', 'cron_job.take-item.worker-1', 'orchestra:every-kind:take-item.worker-1', '{"command": "call orchestra.drain_sql(''every-kind'', ''take-item'', 1)", "job": "orchestra:every-kind:take-item.worker-1", "schedule": "* * * * *"}');
select cron.schedule('orchestra:every-kind:take-item.worker-1', '* * * * *', $$call orchestra.drain_sql('every-kind', 'take-item', 1)$$);

-- cron_job.tick.1m
select orchestra.claim('every-kind', 'cron_job.tick.1m', 'orchestra:every-kind:tick.1m', '{"command": "call orchestra.tick(''every-kind'', 60000)", "job": "orchestra:every-kind:tick.1m", "schedule": "* * * * *"}');
select cron.schedule('orchestra:every-kind:tick.1m', '* * * * *', $$call orchestra.tick('every-kind', 60000)$$);

-- table_trigger.take-item
select orchestra.claim('every-kind', 'table_trigger.take-item', '"app"."item":orchestra_every_kind_take_item', '{"base": "orchestra_every_kind_take_item", "on": ["insert"], "schema": "app", "table": "item", "workload": "take-item"}');
drop trigger if exists "orchestra_every_kind_take_item_update" on "app"."item";
drop trigger if exists "orchestra_every_kind_take_item_delete" on "app"."item";
create or replace trigger "orchestra_every_kind_take_item_insert"
after insert on "app"."item"
referencing new table as orchestra_new
for each statement execute function orchestra.on_table_change('every-kind', 'take-item', 'key', '[]');
