select w.name as name,
       to_jsonb(w) - 'project' - 'name'
         || jsonb_build_object('protect', r.protect, 'on_delete', r.applied ->> 'on_delete') as values,
       '{}'::jsonb as extra
from orchestra.workload w
left join orchestra.registry r
  on r.project = w.project and r.address = 'workload.' || w.name and r.tombstoned_at is null
where w.project = %(project)s
  and w.name = any(%(names)s::text[])
