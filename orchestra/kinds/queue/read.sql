-- A row in pgmq.meta without both tables is a queue from which somebody dropped one by hand; without any, there is none.
select m.queue_name::text as name,
       jsonb_build_object(
         'name', m.queue_name,
         'type', case when m.is_partitioned then 'partitioned'
                      when coalesce(q.relpersistence = 'u', m.is_unlogged) then 'unlogged'
                      else 'standard' end,
         'complete', q.oid is not null and a.oid is not null
       ) as values,
       '{}'::jsonb as extra
from pgmq.meta m
left join pg_catalog.pg_class q
  on q.relname = 'q_' || lower(m.queue_name) and q.relnamespace = to_regnamespace('pgmq')
left join pg_catalog.pg_class a
  on a.relname = 'a_' || lower(m.queue_name) and a.relnamespace = to_regnamespace('pgmq')
where m.queue_name = any(%(names)s::text[])
  and coalesce(q.oid, a.oid) is not null
  and %(project)s::text is not null
