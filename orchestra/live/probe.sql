-- What the server is and what is installed, in one row. Nothing here needs any of it to be there, or to be usable:
-- to_regclass would fail in a schema that this role may not use.
with there as (
  select w.schema || '.' || w.relation as name, c.oid, has_table_privilege(c.oid, 'select') as readable
  from (values
    ('pgmq', 'meta'), ('cron', 'job'), ('cron', 'job_run_details'), ('vault', 'secrets'), ('orchestra', 'version'),
    ('orchestra', 'project'), ('orchestra', 'registry'), ('orchestra', 'workload'), ('orchestra', 'schedule'),
    ('orchestra', 'contract'), ('orchestra', 'reader')
  ) w(schema, relation)
  join pg_catalog.pg_namespace n on n.nspname = w.schema
  join pg_catalog.pg_class c on c.relnamespace = n.oid and c.relname = w.relation
)
select
  current_user::text as role,
  current_database()::text as database,
  -- A host name may mean several servers, and one server may have several names.
  coalesce(
    case when has_function_privilege('pg_catalog.pg_control_system()', 'execute')
         then (select c.system_identifier::text from pg_catalog.pg_control_system() c) end
      || '/' || (select d.oid from pg_catalog.pg_database d where d.datname = current_database()),
    ''
  ) as identity,
  current_setting('server_version') as server_version,
  current_setting('server_version_num')::int as version_num,
  (select rolsuper from pg_catalog.pg_roles where rolname = current_user) as superuser,
  current_setting('max_locks_per_transaction')::int
    * (current_setting('max_connections')::int + current_setting('max_prepared_transactions')::int) as lock_slots,
  -- Not every role may read these; for the others the view has no row, where current_setting would fail.
  (select setting from pg_catalog.pg_settings where name = 'cron.timezone') as cron_timezone,
  (select setting from pg_catalog.pg_settings where name = 'cron.database_name') as cron_database,
  (select extversion from pg_catalog.pg_extension where extname = 'pg_cron') as pg_cron,
  exists (select from pg_catalog.pg_available_extensions where name = 'pgmq') as pgmq_available,
  (select default_version from pg_catalog.pg_available_extensions where name = 'pg_cron') as pg_cron_default,
  exists (select from there where name = 'pgmq.meta') as pgmq,
  coalesce(
    (select exists (
       select from pg_catalog.pg_attribute a where a.attrelid = c.oid and a.attname = 'headers' and not a.attisdropped
     )
     from pg_catalog.pg_class c join pg_catalog.pg_namespace n on n.oid = c.relnamespace
     where n.nspname = 'pgmq' and c.relname = 'message_record'),
    (select string_to_array(e.default_version, '.')::int[] >= array[1, 5]
     from pg_catalog.pg_available_extensions e
     where e.name = 'pgmq' and e.default_version ~ '^[0-9]+([.][0-9]+)*$'),
    true
  ) as headers,
  array(
    select e.name::text from pg_catalog.pg_available_extensions e where e.name in ('pg_net', 'supabase_vault')
  ) as available,
  array(
    -- The history of jobs is for people only, so it is left out where this role may not read it.
    select name from there where readable or name <> 'cron.job_run_details'
  ) as relations,
  array(
    select s.name
    from (values ('pgmq'), ('cron'), ('orchestra')) s(name)
    join pg_catalog.pg_namespace n on n.nspname = s.name
    where not has_schema_privilege(n.oid, 'usage')
    order by s.name
  ) as unusable,
  array(
    -- Row security hides rows without a word; on cron.job it is pg_cron's own, and shows a role its jobs.
    select name from there
    where (not readable and name not in ('cron.job_run_details', 'vault.secrets'))
       or (name like 'orchestra.%' and row_security_active(oid))
    order by name
  ) as unreadable,
  (select pg_catalog.pg_get_userbyid(n.nspowner)::text from pg_catalog.pg_namespace n where n.nspname = 'orchestra')
    as owner,
  pg_catalog.now() as now
