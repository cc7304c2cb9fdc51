-- The newest deployments of a project, one row a transaction, with the number of changes by action. Rows of one apply
-- follow each other and have its plan's hash; `newer` counts the applies after a row's own. With a workload only those
-- that changed it are there, and only its changes are counted.
with heads as (
  select d.id,
         d.batches > 1
           and (d.batches, d.plan_hash) is not distinct from (lag(d.batches) over w, lag(d.plan_hash) over w) as goes_on
  from orchestra.deployment d
  where d.project = %(project)s
  window w as (order by d.id)
),
applies as (
  select h.id, sum(case when h.goes_on then 0 else 1 end) over (order by h.id) as apply
  from heads h
),
touched as (
  select a.id, a.apply
  from applies a
  where %(workload)s::text is null or exists (
    select from orchestra.deployment d
    cross join lateral jsonb_array_elements(
      case jsonb_typeof(d.changes) when 'array' then d.changes else d.changes -> 'changes' end) c
    where d.id = a.id and c ->> 'address' ~ %(addresses)s
  )
),
chosen as (
  select distinct t.apply from touched t order by t.apply desc limit %(limit)s
)
select d.id, d.environment, d.deployed_at, d.role_name as role, d.tool_version, d.git_commit, d.plan_hash, d.batch,
       d.batches, n.form, n.actor, n.back_to, n.runtime, n.rest,
       coalesce((
         select jsonb_object_agg(a.action, a.number)
         from (
           select c ->> 'action' as action, count(*) as number
           from jsonb_array_elements(n.changes) c
           where %(workload)s::text is null or c ->> 'address' ~ %(addresses)s
           group by 1
         ) a
       ), '{}') as counts
from chosen
join touched t on t.apply = chosen.apply
join orchestra.deployment d on d.id = t.id
cross join lateral (
  select coalesce((case jsonb_typeof(d.changes) when 'object' then d.changes ->> 'form' end)::int, 1) as form,
         d.changes ->> 'actor' as actor, (d.changes ->> 'back_to')::bigint as back_to,
         (d.changes ->> 'runtime')::int as runtime, d.changes ->> 'rest' as rest,
         case jsonb_typeof(d.changes) when 'array' then d.changes else d.changes -> 'changes' end as changes
) n
order by d.id desc
