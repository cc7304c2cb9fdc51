-- What the first apply of each project wrote down, and which runtime there is.
select jsonb_build_object(
  'version', (select max(v.version) from orchestra.version v),
  'oldest_tool', (select max(v.oldest_tool) from orchestra.version v),
  'projects', (
    select coalesce(jsonb_agg(to_jsonb(o) order by o.project), '[]') from (
      select p.project, p.environment, p.owner_role, p.gate from orchestra.project p
    ) o
  )
)::text
