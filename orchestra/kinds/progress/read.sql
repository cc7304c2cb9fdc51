select 'public.' || p.proname as name,
       jsonb_build_object(
         'function', p.proname,
         'source', p.prosrc,
         'invoker', not p.prosecdef and coalesce(p.proconfig = array['search_path=""'], false),
         'roles', coalesce((
           select jsonb_agg(g.role order by g.role collate "C")
           from aclexplode(coalesce(p.proacl, acldefault('f', p.proowner))) a,
                lateral (select case when a.grantee = 0 then 'public'
                                     else pg_get_userbyid(a.grantee)::text end as role) g
           where a.grantee <> p.proowner
         ), '[]'),
         'readers', coalesce((
           select jsonb_agg(d.role_name order by d.role_name collate "C")
           from orchestra.reader d
           where d.project = %(project)s
             and 'progress_' || replace(d.workload, '-', '_') = p.proname
         ), '[]')
       ) as values,
       '{}'::jsonb as extra
from pg_catalog.pg_proc p
where p.pronamespace = to_regnamespace('public')
  and 'public.' || p.proname = any(%(names)s::text[])
  and p.proargtypes = array['bigint'::regtype::oid]::oidvector
