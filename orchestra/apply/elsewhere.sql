-- What is amiss outside the addresses that a batch touches: rows that this very transaction wrote, and objects that the
-- registry knows and that are not there. Looked at before and after the changes; what is new is the changes' doing.
with mine as (
  select pg_current_xact_id_if_assigned()::xid as xact
),
owned as (
  select r.address, r.kind, r.name
  from orchestra.registry r
  where r.project = %(project)s and r.tombstoned_at is null and r.address <> all(%(touched)s::text[])
)
select 'the registry entry of ' || r.address as what
from orchestra.registry r, mine
where r.xmin = mine.xact and r.address <> all(%(touched)s::text[])
union all
select 'the row of ' || o.address
from owned o
join orchestra.workload w on w.project = %(project)s and o.address = 'workload.' || w.name
join mine on w.xmin = mine.xact
union all
select 'the job of ' || o.address
from owned o
join cron.job j on o.kind = 'cron_job' and j.jobname = o.name
join mine on j.xmin = mine.xact
union all
select o.address || ', which is gone'
from owned o
where (o.kind = 'queue' and not exists (select from pgmq.meta m where m.queue_name = o.name))
   or (o.kind = 'cron_job' and not exists (select from cron.job j where j.jobname = o.name))
   or (o.kind = 'workload' and not exists (
         select from orchestra.workload w where w.project = %(project)s and o.address = 'workload.' || w.name))
