-- The job as pg_cron has it, beside the schedule row that its guard reads; `active` and the owner are for people.
select j.jobname::text as name,
       jsonb_build_object(
         'job', j.jobname, 'schedule', j.schedule, 'command', j.command,
         'workload', s.workload, 'position', s.position, 'cron', s.cron, 'every_ms', s.every_ms,
         'timezone', s.timezone, 'overlap', s.overlap, 'catchup_window_ms', s.catchup_window_ms
       ) as values,
       jsonb_build_object('active', j.active, 'username', j.username, 'database', j.database,
                          'jobid', j.jobid) as extra
from cron.job j
left join (
  select r.name as job, s.*
  from orchestra.registry r
  join orchestra.schedule s
    on s.project = r.project
   and s.workload = r.applied ->> 'workload'
   and s.position = (r.applied ->> 'position')::int
  where r.kind = 'cron_job' and r.project = %(project)s
) s on s.job = j.jobname
where j.jobname = any(%(names)s::text[])
