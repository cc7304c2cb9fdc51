select r.name,
       jsonb_build_object(
         'dependent', r.applied -> 'dependent',
         'on', r.applied -> 'on',
         'workload', r.applied -> 'workload',
         'queue', r.applied -> 'queue'
       ) as values,
       '{}'::jsonb as extra
from orchestra.registry r
where r.project = %(project)s
  and r.kind = 'dependency'
  and r.tombstoned_at is null
  and r.name = any(%(names)s::text[])
