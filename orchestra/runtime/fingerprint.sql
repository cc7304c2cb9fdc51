-- One hash over what makes the runtime what it is. Only columns that read alike on every PostgreSQL that is
-- supported; roles by name, the owner as a word of its own, so that it does not matter who installed it.
select md5(string_agg(item, e'\n' order by item collate "C")) as fingerprint
from (
  select format('function %s(%s) %s %s %s %s %s',
                p.proname, pg_get_function_identity_arguments(p.oid), p.prokind, p.prosecdef, p.provolatile,
                p.proconfig, md5(p.prosrc))
  from pg_catalog.pg_proc p
  where p.pronamespace = to_regnamespace('orchestra')
  union all
  select format('column %s.%s %s %s', c.relname, a.attname, format_type(a.atttypid, a.atttypmod), a.attnotnull)
  from pg_catalog.pg_class c
  join pg_catalog.pg_attribute a on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
  where c.relnamespace = to_regnamespace('orchestra') and c.relkind in ('r', 'v')
  union all
  select format('table %s %s %s', c.relname, c.relrowsecurity, c.relpersistence)
  from pg_catalog.pg_class c
  where c.relnamespace = to_regnamespace('orchestra') and c.relkind = 'r'
  union all
  select format('execute %s(%s) %s', p.proname, pg_get_function_identity_arguments(p.oid),
                case when a.grantee = 0 then 'public' else pg_get_userbyid(a.grantee)::text end)
  from pg_catalog.pg_proc p, aclexplode(coalesce(p.proacl, acldefault('f', p.proowner))) a
  where p.pronamespace = to_regnamespace('orchestra') and a.grantee <> p.proowner
    and (a.grantee = 0 or pg_get_userbyid(a.grantee) in ('anon', 'authenticated'))
) items(item)
