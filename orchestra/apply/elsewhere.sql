-- What is amiss outside the addresses that a batch touches: rows that this very transaction wrote, and objects that the
-- registry knows and that are not there. Looked at before and after the changes; what is new is the changes' doing.
-- It runs twice a batch on tables that the same apply is filling, which have no statistics yet: so the transaction's own
-- rows are found by one scan, and all else by subplans that are hashed whatever the planner believes (`coalesce` keeps it
-- from making joins of them).
with xact as (
  select pg_current_xact_id_if_assigned()::xid as mine
),
owned as materialized (
  select r.address, r.kind, r.name
  from orchestra.registry r
  where r.project = %(project)s and r.tombstoned_at is null and r.address <> all(%(touched)s::text[])
)
select 'the registry entry of ' || r.address as what
from orchestra.registry r
where r.xmin = (select mine from xact) and r.address <> all(%(touched)s::text[])
union all
select 'the row of ' || o.address
from owned o
where o.kind = 'workload'
  and coalesce(
    o.address in (
      select 'workload.' || w.name from orchestra.workload w
      where w.project = %(project)s and w.xmin = (select mine from xact)
    ),
    false
  )
union all
select 'the job of ' || o.address
from owned o
where o.kind = 'cron_job'
  and coalesce(o.name in (select j.jobname from cron.job j where j.xmin = (select mine from xact)), false)
union all
select o.address || ', which is gone'
from owned o
where (o.kind = 'queue' and o.name not in (select m.queue_name::text from pgmq.meta m))
   or (o.kind = 'cron_job' and o.name not in (select j.jobname from cron.job j where j.jobname is not null))
   or (o.kind = 'workload'
       and o.address not in (select 'workload.' || w.name from orchestra.workload w where w.project = %(project)s))
