-- What orchestra.apply.record describes: of the changes those that were still to be made, and what the registry said of
-- each before and says now. Where the guard left nothing behind, as outside of one transaction, only the changes.
insert into orchestra.deployment (project, environment, tool_version, plan_hash, changes)
with known as (
  select nullif(current_setting('orchestra.pending', true), '')::jsonb as was
),
entry as (
  select r.address, r.applied || case when r.protect then '{"protect": true}' else '{}' end::jsonb as applied
  from orchestra.registry r
  where r.project = :project and r.tombstoned_at is null
),
made as (
  select c.change, c.change ->> 'address' as address, c.place
  from jsonb_array_elements(:changes) with ordinality c(change, place), known k
  where k.was is null or jsonb_typeof(k.was) = 'null'
     or k.was -> (c.change ->> 'address') is not null
     or (c.change ->> 'address' ~ '^(extension|runtime)\.' and (k.was <> '{}' or :only_shared))
),
noted as (
  select coalesce(jsonb_agg(
           m.change
             || case when jsonb_typeof(k.was -> m.address) = 'object' then jsonb_build_object('was', k.was -> m.address)
                     else '{}' end
             || case when e.address is null then '{}' else jsonb_build_object('is', e.applied) end
           order by m.place
         ), '[]') as changes
  from known k, made m
  left join entry e on e.address = m.address
)
select p.project, p.environment, :tool, :entry,
       case when k.was is null then (select coalesce(jsonb_agg(m.change order by m.place), '[]') from made m)
            else jsonb_build_object(
              'form', 2, 'actor', null, 'back_to', null, 'runtime', :runtime,
              'rest', (
                with entry as (select e.* from entry e where e.address not in (select m.address from made m))
                :rest
              ),
              'changes', (select n.changes from noted n))
       end
from orchestra.project p, known k
where p.project = :project
  and not exists (select from orchestra.deployment d where d.project = p.project and d.plan_hash = :entry)
