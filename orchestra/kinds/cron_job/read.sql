-- The job as pg_cron has it, beside the schedule row that its guard reads; `active` and the owner are for people. A name
-- is unique for each role only: this role's own job comes first, `also` names the others that have one of the name.
select distinct on (j.jobname) j.jobname::text as name,
       jsonb_build_object(
         'job', j.jobname, 'schedule', j.schedule, 'command', j.command,
         'here', j.database = current_database() and j.nodeport = current_setting('port')::int
           -- Hidden from most roles; then a host counts as the right one.
           and j.nodename = coalesce(
             (select h.setting from pg_catalog.pg_settings h where h.name = 'cron.host'), j.nodename
           ),
         'workload', s.workload, 'position', s.position, 'cron', s.cron, 'every_ms', s.every_ms,
         'timezone', s.timezone, 'overlap', s.overlap, 'catchup_window_ms', s.catchup_window_ms
       ) as values,
       jsonb_build_object('active', j.active, 'username', j.username, 'database', j.database,
                          'jobid', j.jobid, 'also', array(
                            select o.username from cron.job o
                            where o.jobname = j.jobname and o.jobid <> j.jobid order by o.username
                          )) as extra
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
order by j.jobname, j.username = current_user desc, j.jobid
