-- shop: background work, compiled by orchestra VERSION (sha256 …).
-- Do not edit: change the spec and compile again.
--
-- 2 requirements, 4 extensions, 1 runtime, 1 project, 3 secrets, 3 queues, 5 workloads, 1 grant, 2 Edge Functions, 8 cron jobs, 2 table triggers
--
-- Run it as the role that shall own the jobs; running it again changes nothing. It opens no transaction of its own:
-- give psql --single-transaction, or let a migration tool wrap it. A database built from this file alone starts
-- paused: `orchestra apply` opens the gate.

-- requirement.orders-table
do $orchestra$
begin
  if not (to_regclass('"shop"."order"') is not null) then
    raise exception '%', 'requirement orders-table does not hold'
      using detail = 'shop needs the relation shop.order';
  end if;
end
$orchestra$;

-- requirement.products-table
do $orchestra$
begin
  if not (to_regclass('"shop"."product"') is not null) then
    raise exception '%', 'requirement products-table does not hold'
      using detail = 'shop needs the relation shop.product';
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

-- project.shop
select orchestra.claim('shop', 'project.shop', 'shop', '{}');
select orchestra.register_project('shop');

-- secret.function_key
--   Nothing to run: only its presence is checked.

-- secret.function_url
--   Nothing to run: only its presence is checked.

-- secret.stripe_webhook
--   Nothing to run: only its presence is checked.

-- queue.deliver-email
select orchestra.claim('shop', 'queue.deliver-email', 'deliver_email', '{"name": "deliver_email"}');
select pgmq.create('deliver_email');

-- queue.import-product
select orchestra.claim('shop', 'queue.import-product', 'import_product', '{"name": "import_product"}');
select pgmq.create('import_product');

-- queue.send-receipt
select orchestra.claim('shop', 'queue.send-receipt', 'send_receipt', '{"name": "send_receipt"}');
select pgmq.create('send_receipt');

-- workload.deliver-email
--   Hand a written receipt to the mail provider
select orchestra.claim('shop', 'workload.deliver-email', 'deliver-email', '{"backoff_factor": 2, "backoff_initial_ms": 1000, "backoff_max_ms": 60000, "batch_size": 20, "concurrency": 8, "contract": "9910eb7d20c96195", "handler": "edge", "key_secret": "orchestra_function_key", "max_attempts": 3, "pattern": "queue", "poll_interval_ms": 5000, "queue_name": "deliver_email", "summary": "Hand a written receipt to the mail provider", "timeout_ms": 20000, "url_secret": "orchestra_function_url", "visibility_timeout_ms": 50000}');
select orchestra.set_workload('shop', 'deliver-email');

-- workload.import-product
--   Import one product of a supplier's catalogue
select orchestra.claim('shop', 'workload.import-product', 'import-product', '{"backoff_factor": 2, "backoff_initial_ms": 1000, "backoff_max_ms": 60000, "concurrency": 3, "handler": "sql", "max_attempts": 3, "pattern": "queue", "poll_interval_ms": 5000, "queue_name": "import_product", "retention_failed_ms": 2592000000, "summary": "Import one product of a supplier''s catalogue", "timeout_ms": 5000, "visibility_timeout_ms": 35000}'::jsonb || jsonb_build_object('sql', $sql$insert into shop.product (sku, name, price_cents)
values ($1 ->> 'sku', $1 ->> 'name', ($1 ->> 'price_cents')::int)
on conflict (sku) do update
set name = excluded.name, price_cents = excluded.price_cents, imported_at = now()
$sql$));
select orchestra.set_workload('shop', 'import-product');

-- workload.purge-carts
--   Remove carts that nobody has touched for two days
select orchestra.claim('shop', 'workload.purge-carts', 'purge-carts', '{"backoff_factor": 2, "backoff_initial_ms": 1000, "backoff_max_ms": 60000, "handler": "sql", "pattern": "scheduled_sql", "summary": "Remove carts that nobody has touched for two days", "timeout_ms": 10000, "visibility_timeout_ms": 40000}'::jsonb || jsonb_build_object('sql', $sql$delete from shop.cart where touched_at < now() - interval '2 days'$sql$));
select orchestra.set_workload('shop', 'purge-carts');

-- workload.relay-payment
--   Mark an order as paid when Stripe says so
select orchestra.claim('shop', 'workload.relay-payment', 'relay-payment', '{"backoff_factor": 2, "backoff_initial_ms": 1000, "backoff_max_ms": 60000, "contract": "9910eb7d20c96195", "handler": "edge", "pattern": "wait_until", "summary": "Mark an order as paid when Stripe says so", "timeout_ms": 10000, "visibility_timeout_ms": 40000}');
select orchestra.set_workload('shop', 'relay-payment');

-- workload.send-receipt
--   Write the receipt of an order that has been paid
select orchestra.claim('shop', 'workload.send-receipt', 'send-receipt', '{"backoff_factor": 2, "backoff_initial_ms": 1000, "backoff_max_ms": 60000, "handler": "sql", "max_attempts": 3, "pattern": "queue", "poll_interval_ms": 5000, "queue_name": "send_receipt", "retention_completed_ms": 604800000, "retention_failed_ms": 2592000000, "summary": "Write the receipt of an order that has been paid", "timeout_ms": 5000, "visibility_timeout_ms": 35000}'::jsonb || jsonb_build_object('sql', $sql$insert into shop.outbox (order_id, recipient, subject)
select o.id, o.email, format('Your order %s: %s EUR', o.id, to_char(o.total_cents / 100.0, 'FM999990.00'))
from shop."order" o
where o.id = ($1 #>> '{key,id}')::bigint and o.state = 'paid'
on conflict (order_id) do nothing
$sql$));
select orchestra.set_workload('shop', 'send-receipt');

-- grant.import-product
select orchestra.claim('shop', 'grant.import-product', 'public.enqueue_import_product', '{"function": "enqueue_import_product", "roles": ["authenticated"], "source": " select orchestra.send(''shop/import-product'', payload) "}');
create or replace function "public"."enqueue_import_product"(payload jsonb) returns bigint
language sql security definer set search_path = ''
as $$ select orchestra.send('shop/import-product', payload) $$;
do $orchestra$
declare grantee text;
begin
  for grantee in
    select case when a.grantee = 0 then 'public' else quote_ident(pg_get_userbyid(a.grantee)) end
    from pg_catalog.pg_proc p, aclexplode(coalesce(p.proacl, acldefault('f', p.proowner))) a
    where p.oid = '"public"."enqueue_import_product"(jsonb)'::regprocedure and a.grantee <> p.proowner
  loop
    execute format('revoke all on function "public"."enqueue_import_product"(jsonb) from %s', grantee);
  end loop;
end
$orchestra$;
grant execute on function "public"."enqueue_import_product"(jsonb) to "authenticated";

-- edge_function.deliver-email
--   Nothing to run: it is deployed from its files.

-- edge_function.relay-payment
--   Nothing to run: it is deployed from its files.

-- cron_job.catch-up.1m
select orchestra.claim('shop', 'cron_job.catch-up.1m', 'orchestra:shop:catch-up.1m', '{"command": "call orchestra.catch_up(''shop'')", "job": "orchestra:shop:catch-up.1m", "schedule": "* * * * *"}');
select cron.schedule('orchestra:shop:catch-up.1m', '* * * * *', $$call orchestra.catch_up('shop')$$);

-- cron_job.housekeep.1m
select orchestra.claim('shop', 'cron_job.housekeep.1m', 'orchestra:shop:housekeep.1m', '{"command": "call orchestra.housekeep(''shop'')", "job": "orchestra:shop:housekeep.1m", "schedule": "* * * * *"}');
select cron.schedule('orchestra:shop:housekeep.1m', '* * * * *', $$call orchestra.housekeep('shop')$$);

-- cron_job.import-product.worker-1
select orchestra.claim('shop', 'cron_job.import-product.worker-1', 'orchestra:shop:import-product.worker-1', '{"command": "call orchestra.drain_sql(''shop'', ''import-product'', 1)", "job": "orchestra:shop:import-product.worker-1", "schedule": "5 seconds"}');
select cron.schedule('orchestra:shop:import-product.worker-1', '5 seconds', $$call orchestra.drain_sql('shop', 'import-product', 1)$$);

-- cron_job.import-product.worker-2
select orchestra.claim('shop', 'cron_job.import-product.worker-2', 'orchestra:shop:import-product.worker-2', '{"command": "call orchestra.drain_sql(''shop'', ''import-product'', 2)", "job": "orchestra:shop:import-product.worker-2", "schedule": "5 seconds"}');
select cron.schedule('orchestra:shop:import-product.worker-2', '5 seconds', $$call orchestra.drain_sql('shop', 'import-product', 2)$$);

-- cron_job.import-product.worker-3
select orchestra.claim('shop', 'cron_job.import-product.worker-3', 'orchestra:shop:import-product.worker-3', '{"command": "call orchestra.drain_sql(''shop'', ''import-product'', 3)", "job": "orchestra:shop:import-product.worker-3", "schedule": "5 seconds"}');
select cron.schedule('orchestra:shop:import-product.worker-3', '5 seconds', $$call orchestra.drain_sql('shop', 'import-product', 3)$$);

-- cron_job.purge-carts
select orchestra.claim('shop', 'cron_job.purge-carts', 'orchestra:shop:purge-carts', '{"command": "call orchestra.fire(''shop'', ''purge-carts'', 1)", "cron": "*/15 * * * *", "job": "orchestra:shop:purge-carts", "overlap": "skip", "position": 1, "schedule": "*/15 * * * *", "workload": "purge-carts"}');
insert into orchestra.schedule (project, workload, position, cron, every_ms, timezone, overlap, catchup_window_ms)
values ('shop', 'purge-carts', 1, '*/15 * * * *', null, null, 'skip', null)
on conflict (project, workload, position) do update set
  cron = excluded.cron, every_ms = excluded.every_ms, timezone = excluded.timezone,
  overlap = excluded.overlap, catchup_window_ms = excluded.catchup_window_ms;
select cron.schedule('orchestra:shop:purge-carts', '*/15 * * * *', $$call orchestra.fire('shop', 'purge-carts', 1)$$);

-- cron_job.send-receipt.worker-1
select orchestra.claim('shop', 'cron_job.send-receipt.worker-1', 'orchestra:shop:send-receipt.worker-1', '{"command": "call orchestra.drain_sql(''shop'', ''send-receipt'', 1)", "job": "orchestra:shop:send-receipt.worker-1", "schedule": "5 seconds"}');
select cron.schedule('orchestra:shop:send-receipt.worker-1', '5 seconds', $$call orchestra.drain_sql('shop', 'send-receipt', 1)$$);

-- cron_job.tick.5s
select orchestra.claim('shop', 'cron_job.tick.5s', 'orchestra:shop:tick.5s', '{"command": "call orchestra.tick(''shop'', 5000)", "job": "orchestra:shop:tick.5s", "schedule": "5 seconds"}');
select cron.schedule('orchestra:shop:tick.5s', '5 seconds', $$call orchestra.tick('shop', 5000)$$);

-- table_trigger.deliver-email
select orchestra.claim('shop', 'table_trigger.deliver-email', '"shop"."outbox":orchestra_shop_deliver_email', '{"base": "orchestra_shop_deliver_email", "on": ["insert"], "schema": "shop", "table": "outbox", "workload": "deliver-email"}');
drop trigger if exists "orchestra_shop_deliver_email_update" on "shop"."outbox";
drop trigger if exists "orchestra_shop_deliver_email_delete" on "shop"."outbox";
create or replace trigger "orchestra_shop_deliver_email_insert"
after insert on "shop"."outbox"
referencing new table as orchestra_new
for each statement execute function orchestra.on_table_change('shop', 'deliver-email', 'key', '[]');

-- table_trigger.send-receipt
select orchestra.claim('shop', 'table_trigger.send-receipt', '"shop"."order":orchestra_shop_send_receipt', '{"base": "orchestra_shop_send_receipt", "columns": ["state"], "on": ["insert", "update"], "schema": "shop", "table": "order", "workload": "send-receipt"}');
drop trigger if exists "orchestra_shop_send_receipt_delete" on "shop"."order";
create or replace trigger "orchestra_shop_send_receipt_insert"
after insert on "shop"."order"
referencing new table as orchestra_new
for each statement execute function orchestra.on_table_change('shop', 'send-receipt', 'key', '["state"]');
create or replace trigger "orchestra_shop_send_receipt_update"
after update on "shop"."order"
referencing old table as orchestra_old new table as orchestra_new
for each statement execute function orchestra.on_table_change('shop', 'send-receipt', 'key', '["state"]');
