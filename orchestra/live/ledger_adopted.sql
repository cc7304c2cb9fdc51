-- What a project took over after row %(number)s and still has: objects that existed before, in nobody's name. `found` are
-- the fields that the adoption changed, as they were. An object that was made, or removed, after the row is another one.
with items as materialized (
  select d.id, i.place, i.c ->> 'address' as address, i.c ->> 'action' as action
  from orchestra.deployment d
  cross join lateral jsonb_array_elements(
    case jsonb_typeof(d.changes) when 'array' then d.changes else d.changes -> 'changes' end
  ) with ordinality i(c, place)
  where d.project = %(project)s and d.id > %(number)s
)
select a.address, a.id as number, coalesce(i.c -> 'before', '{}') as found
from items a
join orchestra.deployment d on d.id = a.id
cross join lateral (
  select (case jsonb_typeof(d.changes) when 'array' then d.changes else d.changes -> 'changes' end)
         -> (a.place - 1)::int as c
) i
where a.action = 'adopt'
  and not exists (select from items o where o.address = a.address and o.id < a.id)
  and not exists (
    select from items o
    where o.address = a.address and o.id > a.id and o.action in ('create', 'replace', 'delete', 'forget')
  )
