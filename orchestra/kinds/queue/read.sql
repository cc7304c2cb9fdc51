-- A row in pgmq.meta without its table is a queue that somebody dropped by hand: it is not there.
select m.queue_name::text as name,
       jsonb_build_object(
         'name', m.queue_name,
         'type', case when m.is_partitioned then 'partitioned'
                      when c.relpersistence = 'u' then 'unlogged'
                      else 'standard' end
       ) as values,
       '{}'::jsonb as extra
from pgmq.meta m
join pg_catalog.pg_class c on c.relname = 'q_' || lower(m.queue_name)
join pg_catalog.pg_namespace n on n.oid = c.relnamespace and n.nspname = 'pgmq'
where m.queue_name = any(%(names)s::text[])
  and %(project)s::text is not null
