-- Each project with who paused it, if somebody did: the newest word about its gate among the last 5,000 of the log.
select pg_catalog.now() as at, p.project as name, p.environment, p.gate <> 'open' as paused, p.owner_role,
       h.at as kept_house_at,
       -- Row security of cron.job shows a role the jobs of its own and no others.
       p.owner_role = current_user
         or not row_security_active((select c.oid from pg_catalog.pg_class c where c.oid = to_regclass('cron.job')))
         as sees_jobs,
       l.at as pause_at, l.role_name as pause_role, l.actor as pause_actor,
       l.detail ->> 'reason' as pause_reason
from orchestra.project p
left join lateral (
  select max(t.at) as at from orchestra.traffic t where t.project = p.project and t.workload = ''
) h on true
left join lateral (
  select v.* from (
    select n.* from orchestra.operator_log n where n.project = p.project order by n.id desc limit 5000
  ) v
  where v.workload is null and v.verb in ('pause', 'resume')
  order by v.id desc limit 1
) l on p.gate <> 'open' and l.verb = 'pause'
where %(project)s::text is null or p.project = %(project)s
order by p.project
