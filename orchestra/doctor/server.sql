-- The server and this session, for whoever may connect.
select jsonb_build_object(
  'in_recovery', pg_catalog.pg_is_in_recovery(),
  'read_only', current_setting('default_transaction_read_only') = 'on',
  'read_only_source', (
    select s.source from pg_catalog.pg_settings s where s.name = 'default_transaction_read_only'
  ),
  'create', pg_catalog.has_database_privilege(pg_catalog.current_database(), 'create'),
  -- There the platform's own role may create what elsewhere takes a superuser.
  'managed', exists (
    select from pg_catalog.pg_roles p where p.rolname in (
      'supabase_admin', 'rds_superuser', 'cloudsqlsuperuser', 'alloydbsuperuser', 'azure_pg_admin', 'neon_superuser'
    )
  ),
  'pid', pg_catalog.pg_backend_pid(),
  'now', pg_catalog.clock_timestamp(),
  'timezone', current_setting('TimeZone'),
  'max_connections', current_setting('max_connections')::int,
  'max_prepared', current_setting('max_prepared_transactions')::int,
  'locks_per_transaction', current_setting('max_locks_per_transaction')::int,
  'connections', (select count(*) from pg_catalog.pg_stat_activity a where a.backend_type = 'client backend'),
  'createrole', r.rolcreaterole,
  'bypassrls', r.rolbypassrls or r.rolsuper,
  'sees_sessions', pg_catalog.pg_has_role(r.oid, 'pg_read_all_stats', 'usage'),
  -- The view leaves out what this role may not read, and what a server does not have.
  'settings', (
    select jsonb_object_agg(s.name, s.setting) from pg_catalog.pg_settings s
    where s.name like 'cron.%' or s.name like 'pg_net.%' or s.name = 'max_worker_processes'
  ),
  'ssl', (select s.ssl from pg_catalog.pg_stat_ssl s where s.pid = pg_catalog.pg_backend_pid())
)::text
from pg_catalog.pg_roles r where r.rolname = current_user
