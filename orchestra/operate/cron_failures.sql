-- Runs of schedules' cron jobs that failed, but those that say themselves that it was the scheduled run: that is told by its
-- own name. A run that never got a connection has no time; it is that of the one before it.
with recent as materialized (
  select d.runid, d.jobid, d.status, d.return_message, d.end_time,
         max(coalesce(d.start_time, d.end_time)) over (order by d.runid) as at
  from cron.job_run_details d
  where d.runid > (select max(m.runid) from cron.job_run_details m) - %(newest)s
)
select 'j' || r.runid as id, 'job' as kind, g.applied ->> 'workload' as workload, r.status,
       r.at as started_at, r.end_time as finished_at, r.return_message as error, g.name as job
from orchestra.registry g
join cron.job j on j.jobname = g.name
join recent r on r.jobid = j.jobid
where g.project = %(project)s and g.kind = 'cron_job' and g.tombstoned_at is null and g.applied ->> 'workload' is not null
  and (%(workload)s::text is null or g.applied ->> 'workload' = %(workload)s)
  and r.status = 'failed' and r.return_message !~ '^(ERROR:  )?the scheduled run of '
  and (%(since)s::timestamptz is null or r.at >= %(since)s)
  and (%(number)s::bigint is null or r.runid = %(number)s)
  and (%(statuses)s::text[] is null or r.status = any (%(statuses)s))
order by r.runid desc limit %(limit)s
