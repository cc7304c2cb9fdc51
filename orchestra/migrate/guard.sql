do $orchestra$
declare
  this_migration constant text := :migration;
  this_project constant text := :project;
  -- The name that the project has before this migration, where it moves.
  former_project constant text := :former;
  -- The version of the runtime that the migrations before it have brought; 0: it is the first.
  needs constant int := :needs;
  brings_runtime constant boolean := :brings_runtime;
  -- Address; what stands in orchestra.registry for it before and after this migration (empty: nothing); whether an object
  -- goes away; the address under which it stands before.
  expected constant jsonb := :expected;
  wrong text;
  owner text;
  pending text[];
begin
  -- No apply and no other migration meanwhile.
  perform pg_advisory_xact_lock(:lock);
  if to_regclass('orchestra.registry') is null then
    if needs > 0 then
      raise exception 'migration % goes on from earlier ones, and this database has run none', this_migration
        using errcode = 'ORC14', hint = 'Run the migrations in the order of their names.';
    end if;
    -- For the ledger: nothing was there.
    perform set_config('orchestra.pending', 'null', true);
    return;
  end if;
  if (select max(version) from orchestra.version) < needs then
    raise exception 'migration % goes on from version % of the runtime, which is not here yet', this_migration, needs
      using errcode = 'ORC14', hint = 'Run the migrations in the order of their names, or orchestra apply.';
  end if;
  if brings_runtime and exists (
    select from orchestra.deployment d
    where d.plan_hash like 'migration:%' and d.plan_hash > 'migration:' || this_migration collate "C"
      and coalesce(d.changes -> 'changes', d.changes) @> '[{"address": "runtime.orchestra"}]'
  ) then
    raise exception 'migration % brings an older runtime than a later migration, which has run here', this_migration
      using errcode = 'ORC14', hint = 'Mark it as applied; what else is in it, the next migration or an apply brings.';
  end if;

  select p.owner_role into owner
  from orchestra.project p where p.project in (this_project, former_project) and p.owner_role <> current_user;
  if found then
    raise exception 'project % belongs to role %', this_project, owner
      using errcode = 'ORC12', hint = format('Run the migrations as %s.', owner);
  end if;

  with seen as (
    select e.address, e.before, e.after,
           case when count(r.address) > 1 then 'twice'
                else coalesce(max(case when r.kind = 'project' then '+' else :digest end
                                  || case when (r.project, r.address) = (this_project, e.address) then '' else '@' end), '')
           end as now
    from (
      select x.e ->> 0 as address, x.e ->> 1 as before, x.e ->> 2 as after, x.e ->> 4 as former
      from jsonb_array_elements(expected) x(e)
    ) e
    left join orchestra.registry r
      on r.project in (this_project, former_project) and r.address in (e.address, e.former) and r.tombstoned_at is null
    group by e.address, e.before, e.after
  )
  select array_agg(s.address order by s.address) filter (where s.now <> s.after),
         (select string_agg(w.said, ', ' order by w.said) from (
            select s.address || case when s.now = '' then ' (missing)'
                                     when s.before = '' then ' (already there, and different)'
                                     else ' (different)' end as said
            from seen s
            where s.now not in (s.before, s.after)
            order by 1 limit 5
          ) w)
  into pending, wrong
  from seen s;
  if wrong is not null then
    raise exception 'this database is not in the state that migration % was written for: %', this_migration, wrong
      using errcode = 'ORC14', hint = 'Somebody applied another spec, or a migration was left out. Nothing was changed: '
        'run the migrations in order; or bring these to the spec with orchestra apply, and run this one again; or, where '
        'the database is ahead of it, mark it as applied.';
  end if;

  select string_agg(p.said, ', ' order by p.said) into wrong
  from (
    select distinct case when w.protect then substr(w.address, length('workload.') + 1) else 'all of ' || j.project end as said
    from jsonb_array_elements(expected) x(e)
    left join orchestra.registry w
      on w.project in (this_project, former_project) and w.tombstoned_at is null
      and w.address in ('workload.' || split_part(x.e ->> 0, '.', 2), 'workload.' || split_part(x.e ->> 4, '.', 2))
    left join orchestra.project j on j.project in (this_project, former_project)
    where x.e ->> 3 = 'removes' and x.e ->> 0 = any(pending) and x.e ->> 0 not like 'cron\_job.%'
      and (w.protect or j.protect)
  ) p;
  if wrong is not null then
    raise exception 'protected in this database: %; migration % removes something of it', wrong, this_migration
      using errcode = 'ORC15', hint = 'Lift the protection first (protect: false), by an apply or an earlier migration.';
  end if;
  -- For the ledger: what is still to be done, and what the registry said of it.
  perform set_config('orchestra.pending', coalesce((
    select jsonb_object_agg(a.address, r.applied || case when r.protect then '{"protect": true}' else '{}' end::jsonb)
    from unnest(pending) a(address)
    left join orchestra.registry r
      on r.project = this_project and r.address = a.address and r.tombstoned_at is null
  ), '{}')::text, true);
end
$orchestra$
