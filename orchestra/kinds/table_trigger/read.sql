-- Triggers are found by their names on their tables; one that calls another function is somebody else's. The arguments
-- are texts that each end in a zero byte, which no text may hold: they are taken apart as hexadecimal digits.
with named as materialized (
  select g.oid, g.tgenabled, g.tgargs, g.tgfoid, n.nspname, c.relname,
         regexp_replace(g.tgname, '_(insert|update|delete)$', '') as base,
         case when g.tgtype & 4 > 0 then 'insert' when g.tgtype & 8 > 0 then 'delete' else 'update' end as event
  from pg_catalog.pg_trigger g
  join pg_catalog.pg_class c on c.oid = g.tgrelid
  join pg_catalog.pg_namespace n on n.oid = c.relnamespace
  where not g.tgisinternal
    and '"' || replace(n.nspname, '"', '""') || '"."' || replace(c.relname, '"', '""') || '":'
        || regexp_replace(g.tgname, '_(insert|update|delete)$', '') = any(%(names)s::text[])
    and g.tgname ~ '_(insert|update|delete)$'
),
read as (
  select n.*,
         case when n.tgfoid = to_regproc('orchestra.on_table_change') then array(
           select convert_from(decode(replace(part, ' ', ''), 'hex'), getdatabaseencoding())
           from regexp_split_to_table(regexp_replace(encode(n.tgargs, 'hex'), '(..)', '\1 ', 'g'), '00 ')
                with ordinality p(part, place)
           order by place
         ) end as arguments
  from named n
),
grouped as (
  select '"' || replace(nspname, '"', '""') || '"."' || replace(relname, '"', '""') || '":' || base as name,
         jsonb_build_object(
           'schema', nspname, 'table', relname, 'base', base,
           'workload', arguments[2],
           'on', jsonb_agg(event order by event),
           'columns', case when arguments[4] ~ '^\[("([^"\\]|\\.)*"(, |))*\]$' then arguments[4]::jsonb else '[]' end,
           'payload', arguments[3],
           'enabled', bool_and(tgenabled = 'O')
         ) as values
  from read
  group by nspname, relname, base, arguments
)
select name, values, '{}'::jsonb as extra
from grouped
where %(project)s::text is not null
