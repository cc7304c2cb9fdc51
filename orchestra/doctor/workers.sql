-- The processes of pg_cron and pg_net, by the names that they give to their sessions: those are seen by every role.
select jsonb_build_object(
  'cron', (select count(*) from pg_catalog.pg_stat_activity a where a.application_name = 'pg_cron scheduler'),
  'net', (select count(*) from pg_catalog.pg_stat_activity a where a.application_name like 'pg\_net %')
)::text
