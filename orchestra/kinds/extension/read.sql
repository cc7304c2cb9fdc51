-- pgmq may be there without pg_extension knowing it, when it was installed as plain SQL.
select e.name,
       jsonb_build_object('present', true) as values,
       jsonb_build_object('version', e.version, 'via', e.via) as extra
from (
  select x.extname::text as name, x.extversion as version, 'extension' as via
  from pg_catalog.pg_extension x
  union all
  select 'pgmq', null, 'sql'
  where to_regclass('pgmq.meta') is not null
    and not exists (select from pg_catalog.pg_extension where extname = 'pgmq')
) e
where e.name = any(%(names)s::text[])
  and %(project)s::text is not null
