-- Each workload as the runtime tells it, with the limits that its alerts name, and who paused it.
with said as materialized (
  select n.project, n.workload, n.verb, n.at, n.role_name, n.actor, n.detail ->> 'reason' as reason,
         row_number() over (partition by n.project, n.workload order by n.id desc) as place
  from orchestra.project p
  cross join lateral (
    select v.* from orchestra.operator_log v where v.project = p.project order by v.id desc limit 5000
  ) n
  where n.workload is not null and n.verb in ('pause', 'resume')
    and (%(project)s::text is null or p.project = %(project)s)
)
select s.*, w.paused as itself_paused, w.max_depth, w.max_age_ms, w.poll_interval_ms,
       w.rate_limit is not null as rate_limited,
       l.at as pause_at, l.role_name as pause_role, l.actor as pause_actor,
       l.reason as pause_reason
from orchestra.status(%(project)s::text) s
join orchestra.workload w on w.project = s.project and w.name = s.workload
left join said l on l.project = s.project and l.workload = s.workload and l.place = 1 and l.verb = 'pause' and w.paused
order by s.project, s.workload
