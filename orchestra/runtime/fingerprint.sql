-- One hash over what makes the runtime what it is. Only columns that read alike on every PostgreSQL that is supported;
-- roles by name, rights only of those who shall have none, so that it does not matter who installed it. What somebody
-- else put into the schema is not ours to look at: the names that the runtime brings are filled in.
with functions as (
  select p.oid, p.proname, p.prokind, p.prosecdef, p.provolatile, p.proconfig, p.prosrc, p.proowner, p.proacl,
         pg_get_function_identity_arguments(p.oid) as arguments
  from pg_catalog.pg_proc p
  where p.pronamespace = to_regnamespace('orchestra') and p.proname = any(:functions)
),
tables as (
  select c.oid, c.relname, c.relrowsecurity, c.relpersistence, c.relowner, c.relacl
  from pg_catalog.pg_class c
  where c.relnamespace = to_regnamespace('orchestra') and c.relkind = 'r' and c.relname = any(:tables)
)
select md5(string_agg(item, e'\n' order by item collate "C")) as fingerprint
from (
  select format('function %s(%s) %s %s %s %s %s',
                f.proname, f.arguments, f.prokind, f.prosecdef, f.provolatile, f.proconfig, md5(f.prosrc))
  from functions f
  union all
  select format('column %s.%s %s %s', t.relname, a.attname, format_type(a.atttypid, a.atttypmod), a.attnotnull)
  from tables t
  join pg_catalog.pg_attribute a on a.attrelid = t.oid and a.attnum > 0 and not a.attisdropped
  union all
  select format('table %s %s %s', t.relname, t.relrowsecurity, t.relpersistence)
  from tables t
  union all
  select format('right %s %s', r.what, r.grantee)
  from (
    select format('%s(%s)', f.proname, f.arguments), a.grantee, f.proowner
    from functions f, aclexplode(coalesce(f.proacl, acldefault('f', f.proowner))) a
    union all
    select format('%s %s', t.relname, a.privilege_type), a.grantee, t.relowner
    from tables t, aclexplode(t.relacl) a
    union all
    select format('schema %s', a.privilege_type), a.grantee, n.nspowner
    from pg_catalog.pg_namespace n, aclexplode(n.nspacl) a
    where n.nspname = 'orchestra'
  ) given(what, role, owner)
  cross join lateral (
    select given.what, case when given.role = 0 then 'public' else pg_get_userbyid(given.role)::text end as grantee
  ) r
  -- Those who may read the progress of their runs need the schema, which alone lets them do nothing.
  where given.role <> given.owner and r.grantee in ('public', 'anon', 'authenticated')
    and not (given.what = 'schema USAGE' and r.grantee <> 'public')
) items(item)
