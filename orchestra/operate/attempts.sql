-- The attempts of one due time: they follow each other, so they are looked for among the hundred before and after one.
select 's' || r.id as id, 'sql' as kind, r.workload, r.status, r.scheduled_for as due_at, r.started_at, r.finished_at,
       r.attempt, r.error, r.sqlstate, r.retry_at
from (
  (select o.* from orchestra.scheduled_run o
   where o.project = %(project)s and o.workload = %(workload)s and o.started_at <= %(at)s
   order by o.started_at desc limit 100)
  union all
  (select o.* from orchestra.scheduled_run o
   where o.project = %(project)s and o.workload = %(workload)s and o.started_at > %(at)s
   order by o.started_at limit 100)
) r
where r.scheduled_for = %(due)s
order by r.id
