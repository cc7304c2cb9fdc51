-- Functions of the app that speak of queues or calls, and all that triggers call; not those that extensions brought.
select n.nspname::text as schema, p.proname::text as name,
       coalesce(case when p.prosqlbody is not null then pg_catalog.pg_get_function_sqlbody(p.oid) end, p.prosrc) as body
from pg_catalog.pg_proc p
join pg_catalog.pg_namespace n on n.oid = p.pronamespace
join pg_catalog.pg_language l on l.oid = p.prolang and l.lanname not in ('internal', 'c')
where n.nspname <> all (%(not_in)s)
  and n.nspname not like 'pg\_temp\_%%'
  and not exists (
    select from pg_catalog.pg_depend e
    where e.classid = 'pg_catalog.pg_proc'::regclass and e.objid = p.oid and e.deptype = 'e'
  )
  and (
    p.prosrc ~* 'pgmq|net\.http'
    or p.prosqlbody is not null and pg_catalog.pg_get_function_sqlbody(p.oid) ~* 'pgmq|net\.http'
    or exists (select from pg_catalog.pg_trigger t where t.tgfoid = p.oid and not t.tgisinternal)
  )
order by n.nspname collate "C", p.proname collate "C", p.oid
