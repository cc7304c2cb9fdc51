-- The rows of the apply to which one row belongs, with all their changes.
with mine as (
  select d.id, d.batches, d.plan_hash from orchestra.deployment d
  where d.project = %(project)s and d.id = %(number)s
),
ends as (
  select
    (select max(d.id) from orchestra.deployment d
     where d.project = %(project)s and d.id < m.id
       and (m.batches = 1 or (d.batches, d.plan_hash) is distinct from (m.batches, m.plan_hash))) as before,
    (select min(d.id) from orchestra.deployment d
     where d.project = %(project)s and d.id > m.id
       and (m.batches = 1 or (d.batches, d.plan_hash) is distinct from (m.batches, m.plan_hash))) as after
  from mine m
)
select d.id, d.environment, d.deployed_at, d.role_name as role, d.tool_version, d.git_commit, d.plan_hash, d.batch,
       d.batches,
       coalesce((case jsonb_typeof(d.changes) when 'object' then d.changes ->> 'form' end)::int, 1) as form,
       d.changes ->> 'actor' as actor, (d.changes ->> 'back_to')::bigint as back_to,
       (d.changes ->> 'runtime')::int as runtime, d.changes ->> 'rest' as rest,
       case jsonb_typeof(d.changes) when 'array' then d.changes else d.changes -> 'changes' end as changes
from ends e
join orchestra.deployment d
  on d.project = %(project)s and d.id > coalesce(e.before, 0) and (e.after is null or d.id < e.after)
order by d.id
