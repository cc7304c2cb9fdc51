-- Each cron job that an apply made and pg_cron's job of its name, the owner's before others'. `latest` is when it should
-- have begun again by now at the latest: of `N seconds` three periods ago, of five fields its last time. Only of what
-- stands as it was applied: somebody else's schedule may be one that cannot be read.
with ours as materialized (
  select r.project, r.name, r.applied, r.address, r.updated_at as applied_at, p.owner_role as owner
  from orchestra.registry r
  join orchestra.project p on p.project = r.project
  where r.kind = 'cron_job' and r.tombstoned_at is null and (%(project)s::text is null or r.project = %(project)s)
),
live as materialized (
  select distinct on (o.name) o.*, j.jobid, j.schedule, j.active, j.username::text, j.database::text,
         j.schedule = o.applied ->> 'schedule' and j.command = o.applied ->> 'command' as as_applied,
         j.database = current_database() and j.nodeport = current_setting('port')::int
           -- Hidden from most roles; then a host counts as the right one.
           and j.nodename = coalesce(
             (select h.setting from pg_catalog.pg_settings h where h.name = 'cron.host'), j.nodename
           ) as here
  from ours o
  left join cron.job j on j.jobname = o.name
  order by o.name, j.username = o.owner desc, j.jobid
),
due as materialized (
  select a.schedule, case
    when a.schedule ~ '^[0-9]+ seconds$'
    then now() - greatest(3 * split_part(a.schedule, ' ', 1)::int * interval '1 second', interval '2 minutes')
    else orchestra.previous_due(a.schedule, null, %(zone)s::text, now() - interval '2 minutes')
  end as latest
  from (select distinct l.schedule from live l where l.as_applied and l.applied ->> 'workload' is null) a
)
select l.project, l.name, l.address, l.owner, l.applied_at, l.applied ->> 'schedule' as wanted_schedule,
       l.applied ->> 'workload' as workload, l.jobid, l.schedule, coalesce(l.as_applied, false) as as_applied,
       coalesce(l.active, false) as active, coalesce(l.here, false) as here, l.database, l.username, d.latest,
       array(
         select o.username::text from cron.job o
         where o.jobname = l.name and o.jobid <> l.jobid order by o.username
       ) as others
from live l
left join due d on d.schedule = l.schedule and l.as_applied and l.applied ->> 'workload' is null
order by l.project, l.name
