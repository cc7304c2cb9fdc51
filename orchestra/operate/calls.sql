-- Calls that functions accepted. `code` stands where scheduled SQL has its SQLSTATE.
select 'c' || c.id as id, 'call' as kind, c.workload, c.status, c.accepted_at as started_at, c.finished_at, c.error,
       c.code as sqlstate, case when %(number)s::bigint is not null then c.payload::text end as input
from orchestra.workload w
cross join lateral (
  select o.* from orchestra.call o
  where o.project = w.project and o.workload = w.name
    and (%(since)s::timestamptz is null or o.accepted_at >= %(since)s)
    and (%(number)s::bigint is null or o.id = %(number)s)
    and (%(statuses)s::text[] is null or o.status = any (%(statuses)s))
  order by o.accepted_at desc limit %(limit)s
) c
where w.project = %(project)s and (%(workload)s::text is null or w.name = %(workload)s) and w.pattern = 'wait_until'
order by c.accepted_at desc limit %(limit)s
