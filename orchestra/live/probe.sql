-- What the server is and what is installed, in one row. Nothing here needs any of it to be there.
select
  current_user::text as role,
  current_database()::text as database,
  current_setting('server_version') as server_version,
  current_setting('server_version_num')::int as version_num,
  (select rolsuper from pg_catalog.pg_roles where rolname = current_user) as superuser,
  current_setting('max_locks_per_transaction')::int
    * (current_setting('max_connections')::int + current_setting('max_prepared_transactions')::int) as lock_slots,
  current_setting('cron.timezone', true) as cron_timezone,
  current_setting('cron.database_name', true) as cron_database,
  (select extversion from pg_catalog.pg_extension where extname = 'pg_cron') as pg_cron,
  exists (select from pg_catalog.pg_available_extensions where name = 'pgmq') as pgmq_available,
  (select default_version from pg_catalog.pg_available_extensions where name = 'pg_cron') as pg_cron_default,
  to_regclass('pgmq.meta') is not null as pgmq,
  array(
    select r from unnest(array['pgmq.meta', 'cron.job', 'vault.secrets', 'orchestra.version', 'orchestra.project',
                               'orchestra.registry', 'orchestra.workload', 'orchestra.schedule']) r
    where to_regclass(r) is not null
  ) as relations,
  array(
    select s.name
    from (values ('pgmq'), ('cron'), ('orchestra')) s(name)
    join pg_catalog.pg_namespace n on n.nspname = s.name
    where not has_schema_privilege(n.oid, 'usage')
  ) as unusable,
  coalesce(
    (select has_table_privilege(c.oid, 'select')
     from pg_catalog.pg_class c join pg_catalog.pg_namespace n on n.oid = c.relnamespace
     where n.nspname = 'cron' and c.relname = 'job'),
    true
  ) as sees_cron_jobs,
  pg_catalog.now() as now
