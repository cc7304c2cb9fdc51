-- Each job with the search path that its runs begin with: that of its role in this database, of the role, of the
-- database, or the server's.
select j.jobid, j.jobname::text as name, j.schedule::text, j.command::text, j.database::text, j.username::text, j.active,
       j.database = current_database() and j.nodeport = current_setting('port')::int
         -- Hidden from most roles; then a host counts as the right one.
         and j.nodename = coalesce(
           (select h.setting from pg_catalog.pg_settings h where h.name = 'cron.host'), j.nodename
         ) as here,
       coalesce(
         (select substr(c.item, length('search_path=') + 1)
          from pg_catalog.pg_db_role_setting s
          cross join unnest(s.setconfig) c(item)
          where c.item like 'search\_path=%%'
            and s.setrole in (0, coalesce(to_regrole(quote_ident(j.username))::oid, 0))
            and s.setdatabase in (0, (select d.oid from pg_catalog.pg_database d where d.datname = current_database()))
          order by s.setrole <> 0 and s.setdatabase <> 0 desc, s.setrole <> 0 desc, s.setdatabase <> 0 desc
          limit 1),
         (select p.setting from pg_catalog.pg_settings p
          where p.name = 'search_path' and p.source in ('default', 'configuration file', 'command line')),
         '"$user", public'
       ) as search_path
from cron.job j
order by j.jobid
