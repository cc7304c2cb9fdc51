-- What keeps vacuum from removing what is dead: the oldest of each sort, with the age of what it still sees.
select jsonb_build_object(
  'transactions', (
    select coalesce(jsonb_agg(to_jsonb(o)), '[]') from (
      select a.pid, a.usename as role, a.application_name as application, a.state,
             extract(epoch from pg_catalog.clock_timestamp() - a.xact_start)::float8 as seconds
      from pg_catalog.pg_stat_activity a
      where a.xact_start is not null and a.backend_type = 'client backend' and a.pid <> pg_catalog.pg_backend_pid()
        and (a.backend_xmin is not null or a.backend_xid is not null or a.state like 'idle in transaction%')
        and a.datname = current_database()
      order by a.xact_start limit 3
    ) o
  ),
  'prepared', (
    select coalesce(jsonb_agg(to_jsonb(o)), '[]') from (
      select p.gid, p.owner as role,
             extract(epoch from pg_catalog.clock_timestamp() - p.prepared)::float8 as seconds
      from pg_catalog.pg_prepared_xacts p where p.database = current_database() order by p.prepared limit 3
    ) o
  ),
  'slots', (
    select coalesce(jsonb_agg(to_jsonb(o)), '[]') from (
      select s.slot_name as name, s.active,
             greatest(pg_catalog.age(s.xmin), pg_catalog.age(s.catalog_xmin))::bigint as transactions
      from pg_catalog.pg_replication_slots s
      where s.xmin is not null or s.catalog_xmin is not null
      order by 3 desc nulls last limit 3
    ) o
  )
)::text
