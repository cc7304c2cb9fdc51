select n.nspname::text as schema, array_agg(c.relname::text order by c.relname) as relations
from pg_catalog.pg_class c
join pg_catalog.pg_namespace n on n.oid = c.relnamespace
where c.relname = any(%(markers)s) and c.relkind in ('r', 'p', 'v', 'f')
  and n.nspname not in ('pg_catalog', 'information_schema') and n.nspname not like 'pg\_%%'
group by n.nspname
order by n.nspname
