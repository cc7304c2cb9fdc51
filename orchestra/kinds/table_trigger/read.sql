-- Triggers are found by their names on their tables; one that calls another function is somebody else's.
with named as (
  select g.tgrelid, g.tgenabled, n.nspname, c.relname,
         regexp_replace(g.tgname, '_(insert|update|delete)$', '') as base,
         case when g.tgtype & 4 > 0 then 'insert' when g.tgtype & 8 > 0 then 'delete' else 'update' end as event,
         case when g.tgfoid = to_regproc('orchestra.on_table_change')
              then string_to_array(encode(g.tgargs, 'escape'), '\000') end as arguments
  from pg_catalog.pg_trigger g
  join pg_catalog.pg_class c on c.oid = g.tgrelid
  join pg_catalog.pg_namespace n on n.oid = c.relnamespace
  where not g.tgisinternal
    and g.tgname ~ '_(insert|update|delete)$'
),
grouped as (
  select '"' || replace(nspname, '"', '""') || '"."' || replace(relname, '"', '""') || '":' || base as name,
         jsonb_build_object(
           'schema', nspname, 'table', relname, 'base', base,
           'workload', arguments[2],
           'on', jsonb_agg(event order by event),
           'columns', coalesce(nullif(arguments[4], '')::jsonb, '[]'),
           'payload', arguments[3],
           'enabled', bool_and(tgenabled = 'O')
         ) as values
  from named
  group by nspname, relname, base, arguments
)
select name, values, '{}'::jsonb as extra
from grouped
where name = any(%(names)s::text[])
  and %(project)s::text is not null
