select n.nspname::text as schema, c.relname::text as "table", t.tgname::text as name,
       array_remove(array[
         case when t.tgtype & 4 > 0 then 'insert' end, case when t.tgtype & 16 > 0 then 'update' end,
         case when t.tgtype & 8 > 0 then 'delete' end, case when t.tgtype & 32 > 0 then 'truncate' end
       ], null) as events,
       array(
         select a.attname::text from unnest(t.tgattr) with ordinality k(number, place)
         join pg_catalog.pg_attribute a on a.attrelid = t.tgrelid and a.attnum = k.number
         order by k.place
       ) as columns,
       fn.nspname::text as function_schema, p.proname::text as function, t.tgenabled <> 'D' as enabled
from pg_catalog.pg_trigger t
join pg_catalog.pg_class c on c.oid = t.tgrelid
join pg_catalog.pg_namespace n on n.oid = c.relnamespace
join pg_catalog.pg_proc p on p.oid = t.tgfoid
join pg_catalog.pg_namespace fn on fn.oid = p.pronamespace
where not t.tgisinternal and t.tgparentid = 0
  and n.nspname not in ('pg_catalog', 'information_schema', 'pgmq', 'orchestra', 'cron', 'net', 'vault')
  and n.nspname not like 'pg\_temp\_%'
order by n.nspname collate "C", c.relname collate "C", t.tgname collate "C"
