-- What orchestra works with: installed and in which schema, or only offered by the server.
select jsonb_object_agg(w.name, jsonb_build_object(
  'superuser', exists (
    select from pg_catalog.pg_available_extension_versions v
    where v.name = w.name and v.version = a.default_version and v.superuser and not v.trusted
  ),
  'installed', e.extversion, 'schema', n.nspname, 'offered', a.default_version,
  -- The stand-in of the embedded database is plain SQL.
  'native', exists (
    select from pg_catalog.pg_proc p
    join pg_catalog.pg_depend d on d.classid = 'pg_catalog.pg_proc'::regclass and d.objid = p.oid and d.deptype = 'e'
    join pg_catalog.pg_language l on l.oid = p.prolang
    where d.refclassid = 'pg_catalog.pg_extension'::regclass and d.refobjid = e.oid and l.lanname = 'c'
  )
))::text
from (values ('pgmq'), ('pg_cron'), ('pg_net'), ('supabase_vault')) w(name)
left join pg_catalog.pg_extension e on e.extname = w.name
left join pg_catalog.pg_namespace n on n.oid = e.extnamespace
left join pg_catalog.pg_available_extensions a on a.name = w.name
