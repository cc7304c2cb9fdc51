-- What a project has in the registry besides the addresses that a plan touches (a JSON array of them).
select r.address, r.applied || case when r.protect then '{"protect": true}' else '{}' end::jsonb as applied
from orchestra.registry r
left join jsonb_array_elements_text(:touched::jsonb) touched(address) on touched.address = r.address
where r.project = :project and r.tombstoned_at is null and touched.address is null
