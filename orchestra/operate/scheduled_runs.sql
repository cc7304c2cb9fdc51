-- Attempts of scheduled SQL.
select 's' || r.id as id, 'sql' as kind, r.workload, r.status, r.scheduled_for as due_at, r.started_at, r.finished_at,
       r.attempt, r.error, r.sqlstate, r.retry_at
from orchestra.workload w
cross join lateral (
  select o.* from orchestra.scheduled_run o
  where o.project = w.project and o.workload = w.name
    and (%(since)s::timestamptz is null or o.started_at >= %(since)s)
    and (%(number)s::bigint is null or o.id = %(number)s)
    and (%(statuses)s::text[] is null or o.status = any (%(statuses)s))
  order by o.started_at desc limit %(limit)s
) r
where w.project = %(project)s and (%(workload)s::text is null or w.name = %(workload)s) and w.pattern = 'scheduled_sql'
order by r.started_at desc limit %(limit)s
