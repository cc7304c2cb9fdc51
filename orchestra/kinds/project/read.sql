select p.project as name,
       jsonb_build_object('environment', p.environment, 'gate', p.gate, 'protect', p.protect) as values,
       jsonb_build_object('owner_role', p.owner_role) as extra
from orchestra.project p
where p.project = any(%(names)s::text[])
  and %(project)s::text is not null
