-- Where the runtime is not installed (yet, or any more) a job is only what pg_cron has of it.
select j.jobname::text as name,
       jsonb_build_object(
         'job', j.jobname, 'schedule', j.schedule, 'command', j.command,
         'here', j.database = current_database() and j.nodeport = current_setting('port')::int
           -- Hidden from most roles; then a host counts as the right one.
           and j.nodename = coalesce(
             (select h.setting from pg_catalog.pg_settings h where h.name = 'cron.host'), j.nodename
           )
       ) as values,
       jsonb_build_object('active', j.active, 'username', j.username, 'database', j.database,
                          'jobid', j.jobid) as extra
from cron.job j
where j.jobname = any(%(names)s::text[])
  and %(project)s::text is not null
