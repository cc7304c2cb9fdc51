-- Jobs as far as this role sees them: row security shows a role its own.
select jsonb_build_object(
  'active', count(*) filter (where j.active),
  'inactive', count(*) filter (where not j.active),
  'frequent', count(*) filter (where j.active and (j.schedule ~ '^[0-9]+ seconds?$' or j.schedule = '* * * * *')),
  'roles', coalesce(jsonb_agg(distinct j.username) filter (where j.username <> current_user), '[]'),
  'without_role', coalesce(
    jsonb_agg(distinct j.username) filter (
      where not exists (select from pg_catalog.pg_roles r where r.rolname = j.username)
    ), '[]'
  ),
  'elsewhere', count(*) filter (where j.database <> current_database())
)::text
from cron.job j
