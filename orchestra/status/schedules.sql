-- Each workload that is due by itself: when next, what became of the last time, and which due time was dealt with by
-- nobody. Due times are computed once for schedules that are alike. A job has three minutes to begin; one whose run before
-- goes on waits for it. Due times are remembered for a week at least.
with alike as materialized (
  select distinct s.cron, s.every_ms, s.timezone
  from orchestra.schedule s
  where %(project)s::text is null or s.project = %(project)s
),
due as materialized (
  select a.*,
         orchestra.previous_due(a.cron, a.every_ms, a.timezone, now() - interval '3 minutes') as previous,
         orchestra.next_due(a.cron, a.every_ms, a.timezone, now()) as next
  from alike a
),
missed as (
  select s.project, s.workload, min(d.next) as next_at,
         max(d.previous) filter (
           where d.previous > s.since and d.previous > now() - interval '7 days'
             and not exists (
               select from orchestra.fired f
               where f.project = s.project and f.workload = s.workload and f.scheduled_for >= d.previous
                 and (f.position = s.position or f.scheduled_for = d.previous)
             )
             and not exists (
               select from orchestra.scheduled_run r
               where r.project = s.project and r.workload = s.workload and r.status = 'running'
             )
         ) as missed
  from orchestra.schedule s
  join due d on (d.cron, d.every_ms, d.timezone) is not distinct from (s.cron, s.every_ms, s.timezone)
  where %(project)s::text is null or s.project = %(project)s
  group by s.project, s.workload
)
select m.project, m.workload, m.next_at, m.missed,
       coalesce(r.started_at, f.fired_at) as last_at, coalesce(r.status, f.outcome) as last_status,
       r.error as last_error, r.retry_at
from missed m
left join lateral (
  select o.* from orchestra.fired o
  where o.project = m.project and o.workload = m.workload
  order by o.scheduled_for desc limit 1
) f on true
left join lateral (
  select o.* from orchestra.scheduled_run o
  where o.project = m.project and o.workload = m.workload
  order by o.started_at desc limit 1
) r on true
