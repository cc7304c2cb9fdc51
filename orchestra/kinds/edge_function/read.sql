-- The version of each function that was seen last.
select distinct on (c.workload)
       c.workload as name,
       jsonb_build_object('contract', c.contract) as values,
       jsonb_build_object('last_at', c.last_at, 'versions', (
         select jsonb_agg(v.contract) from orchestra.contract v
         where v.project = c.project and v.workload = c.workload
       )) as extra
from orchestra.contract c
where c.project = %(project)s and c.workload = any(%(names)s::text[])
order by c.workload, c.last_at desc
