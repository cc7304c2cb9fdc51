-- A hash over entries of a registry, as (address, applied) in `entry`. A project's own row counts by its presence alone:
-- what it says is its environment's.
select encode(sha256(convert_to(coalesce(string_agg(
         e.address || ' ' || case when starts_with(e.address, 'project.') then '{}' else e.applied::text end,
         E'\n' order by e.address collate "C"), ''), 'UTF8')), 'hex')
from entry e
