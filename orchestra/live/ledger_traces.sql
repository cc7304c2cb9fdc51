-- What the ledger knows of each address right after row %(number)s: what the first change after the row found there
-- (`later`), or what the last one up to it left there. `noted` is false where a row's form did not say. A new object's
-- record may stand in `after` alone (see apply/record.py). What moved away from an address left nothing there, but for
-- another that came.
--
-- Rows may be large: each is unpacked once to find the changes that count, and those that hold one of them once more.
with items as materialized (
  select d.id, i.place, i.c ->> 'address' as address, i.c ->> 'moved_from' as moved_from
  from orchestra.deployment d
  cross join lateral jsonb_array_elements(
    case jsonb_typeof(d.changes) when 'array' then d.changes else d.changes -> 'changes' end
  ) with ordinality i(c, place)
  where d.project = %(project)s and (d.id > %(number)s) = %(later)s
),
changes as (
  select id, place, address, false as away from items
  union all
  select id, place, moved_from, true from items where moved_from is not null
),
nearest as materialized (
  select distinct on (c.address) c.* from changes c order by c.address, abs(c.id - %(number)s), c.away
),
holders as materialized (
  select d.id, jsonb_typeof(d.changes) = 'object' as noted
  from orchestra.deployment d
  where d.id in (select n.id from nearest n)
)
select n.address, h.noted,
       case
         when n.away and %(later)s then i.c -> 'moved_was'
         when n.away then null
         when %(later)s then i.c -> 'was'
         else coalesce(i.c -> 'is', case i.c ->> 'action' when 'create' then i.c -> 'after' end)
       end as applied
from holders h
join orchestra.deployment d on d.id = h.id
cross join lateral jsonb_array_elements(
  case jsonb_typeof(d.changes) when 'array' then d.changes else d.changes -> 'changes' end
) with ordinality i(c, place)
join nearest n on n.id = h.id and n.place = i.place
