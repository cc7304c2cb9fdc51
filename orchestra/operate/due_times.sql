-- Due times at which no run of the runtime's own began: of queues, and those that were skipped, paused or have to wait.
-- Runs of pipelines are told as runs.
select f.workload || '@' || orchestra.iso(f.scheduled_for) as id,
       case when f.outcome = 'enqueued' then 'message' else 'due' end as kind,
       f.workload,
       case f.outcome when 'buffered' then 'waiting' when 'enqueued' then 'ended' else f.outcome end as status,
       f.scheduled_for as due_at, f.msg_id as message_id, w.queue_name as queue,
       case when f.outcome = 'enqueued' then f.fired_at end as started_at,
       exists (
         select from orchestra.slot s
         where s.project = f.project and s.workload = f.workload and s.token is not null and s.lease_until > now()
           and f.msg_id = any (s.held)
       ) as held,
       (select d.last_error from orchestra.delivery d
        where d.project = f.project and d.workload = f.workload and d.msg_id = f.msg_id) as last_error
from orchestra.workload w
cross join lateral (
  select o.* from orchestra.fired o
  where o.project = w.project and o.workload = w.name and o.outcome <> 'run' and o.run is null
    and (o.outcome <> 'enqueued' or o.msg_id is not null)
    and (%(since)s::timestamptz is null or o.scheduled_for >= %(since)s)
    and (%(due)s::timestamptz is null or o.scheduled_for = %(due)s)
  order by o.scheduled_for desc limit %(limit)s
) f
where w.project = %(project)s and (%(workload)s::text is null or w.name = %(workload)s)
order by f.scheduled_for desc limit %(limit)s
