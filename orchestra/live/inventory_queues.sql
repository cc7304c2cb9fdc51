-- pgmq.meta keeps a queue's name as it was written, and its tables are lower-cased; row 2 of a pair that folds together
-- shares the tables of row 1.
select m.queue_name::text as name,
       case when m.is_partitioned then 'partitioned'
            when coalesce(q.relpersistence = 'u', m.is_unlogged) then 'unlogged'
            else 'standard' end as kind,
       q.oid is not null and a.oid is not null as complete
from pgmq.meta m
left join pg_catalog.pg_class q
  on q.relname = 'q_' || lower(m.queue_name) and q.relnamespace = to_regnamespace('pgmq')
left join pg_catalog.pg_class a
  on a.relname = 'a_' || lower(m.queue_name) and a.relnamespace = to_regnamespace('pgmq')
order by m.queue_name collate "C"
