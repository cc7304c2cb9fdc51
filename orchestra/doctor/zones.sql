-- How far local time is from UTC at some moments, by the server's own time zone data; null for a zone it does not know.
select jsonb_object_agg(z.name, (
  select jsonb_agg(extract(epoch from (t.at at time zone z.name) - (t.at at time zone 'UTC'))::int order by t.at)
  from unnest({moments}::timestamptz[]) t(at)
  where exists (select from pg_catalog.pg_timezone_names n where n.name = z.name)
))::text
from unnest({zones}::text[]) z(name)
