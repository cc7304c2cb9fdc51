select w.name as name,
       to_jsonb(w) - 'project' - 'name'
         || jsonb_build_object(
              'protect', (
                select r.protect from orchestra.registry r
                where r.project = w.project and r.address = 'workload.' || w.name and r.tombstoned_at is null
              )
            ) as values,
       '{}'::jsonb as extra
from orchestra.workload w
where w.project = %(project)s
  and w.name = any(%(names)s::text[])
