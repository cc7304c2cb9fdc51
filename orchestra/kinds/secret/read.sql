select s.name, jsonb_build_object('vault', s.name) as values, '{}'::jsonb as extra
from vault.secrets s
where s.name = any(%(names)s::text[])
  and %(project)s::text is not null
