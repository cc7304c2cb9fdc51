-- Who owns what. Every object of a project is claimed before it is made and released when it is removed, so that
-- nothing that another project or a person made is ever taken over without a word.

create or replace function orchestra.object_exists(kind text, name text) returns boolean
language plpgsql stable set search_path = ''
as $$
begin
  case object_exists.kind
    when 'queue' then
      return to_regclass('pgmq.meta') is not null
        and exists (select from pgmq.meta m where m.queue_name = object_exists.name)
        and (to_regclass(format('pgmq.%I', 'q_' || lower(object_exists.name))) is not null
             or to_regclass(format('pgmq.%I', 'a_' || lower(object_exists.name))) is not null);
    when 'cron_job' then
      return to_regclass('cron.job') is not null
        and exists (select from cron.job j where j.jobname = object_exists.name);
    when 'grant' then
      return to_regprocedure(object_exists.name || '(jsonb)') is not null;
    when 'progress' then
      return to_regprocedure(object_exists.name || '(bigint)') is not null;
    when 'table_trigger' then
      -- name is "schema"."table":base
      return exists (
        select from pg_catalog.pg_trigger t
        where t.tgrelid = to_regclass(regexp_replace(object_exists.name, ':[^:]*$', ''))
          and t.tgname in (
            select regexp_replace(object_exists.name, '^.*:', '') || e
            from unnest(array['_insert', '_update', '_delete']) e
          )
      );
    else
      return false;
  end case;
end
$$;

-- Records that a project owns an object, or refuses: an object of another project, or one that stands there and is
-- in nobody's name. A tombstone lets the project take back what it once had and left behind; it gives no right to what
-- somebody else made since (see release).
create or replace function orchestra.claim(
  project text, address text, name text, applied jsonb, protect boolean default null, adopt boolean default false
) returns void
language plpgsql set search_path = ''
as $$
declare
  the_kind text := split_part(claim.address, '.', 1);
  other text;
  mine orchestra.registry;
begin
  select r.project into other from orchestra.registry r
  where r.kind = the_kind and the_kind <> 'workload' and r.name = claim.name and r.tombstoned_at is null and r.project <> claim.project;
  if found then
    raise exception '% % belongs to project %', the_kind, claim.name, other
      using errcode = 'ORC10', hint = 'Give it another name in one of the two projects.';
  end if;

  select r.* into mine from orchestra.registry r
  where r.project = claim.project and r.address = claim.address;
  if not adopt
     and (mine.project is null or mine.name <> claim.name or (mine.tombstoned_at is not null and mine.applied = '{}'))
     and orchestra.object_exists(the_kind, claim.name) then
    raise exception '% % exists and was not made by orchestra', the_kind, claim.name
      using errcode = 'ORC11', hint = format('Adopt it with: orchestra apply --adopt %s', claim.address);
  end if;

  if the_kind = 'queue' and mine.project is not null
     and to_regclass(format('pgmq.%I', 'q_' || claim.name)) is null then
    perform orchestra.remake_queue(
      claim.project, substr(claim.address, length('queue.') + 1), claim.name, claim.applied ->> 'type');
  end if;

  if the_kind = 'workload' then
    update orchestra.workload w set paused = coalesce((claim.applied ->> 'paused')::boolean, false)
    where w.project = claim.project and w.name = claim.name
      and (adopt or mine.project is null
           or coalesce(mine.applied ->> 'paused', 'false') <> coalesce(claim.applied ->> 'paused', 'false'));
  end if;

  insert into orchestra.registry as r (project, address, kind, name, applied, protect)
  values (claim.project, claim.address, the_kind, claim.name, claim.applied, coalesce(claim.protect, false))
  on conflict on constraint registry_pkey do update set
    name = excluded.name,
    -- What compiled SQL does not say of a project (its gate, its environment) stays as the last apply said it.
    applied = case when r.kind = 'project' then r.applied || excluded.applied else excluded.applied end,
    protect = coalesce(claim.protect, r.protect and r.tombstoned_at is null),
    tombstoned_at = null,
    updated_at = now()
  where r.name <> excluded.name
     or r.applied is distinct from case when r.kind = 'project' then r.applied || excluded.applied else excluded.applied end
     or r.tombstoned_at is not null
     or r.protect is distinct from coalesce(claim.protect, r.protect);
end
$$;

-- Makes the queue of a workload that has had one before. A new sequence would count from one again, and whoever still
-- knows a message of the old queue (a worker that has not reported yet, a debounce key, an earlier firing) would take
-- another one for it. So the numbers go on above all earlier ones: from the microseconds since 1970, which no queue
-- outruns and which a double still holds exactly. What is noted of the old messages goes, and their runs end.
create or replace function orchestra.remake_queue(project text, workload text, name text, type text) returns void
language plpgsql set search_path = ''
as $$
begin
  if to_regprocedure('pgmq.create(text)') is null then
    return;
  end if;
  if remake_queue.type = 'unlogged' then
    perform pgmq.create_unlogged(remake_queue.name);
  else
    perform pgmq.create(remake_queue.name);
  end if;
  execute format(
    'alter table pgmq.%I alter column msg_id restart with %s',
    'q_' || remake_queue.name, floor(extract(epoch from clock_timestamp()) * 1000000)::bigint);
  delete from orchestra.delivery d where d.project = remake_queue.project and d.workload = remake_queue.workload;
  delete from orchestra.debounce d where d.project = remake_queue.project and d.workload = remake_queue.workload;
  perform orchestra.end_run_as(r.id, 'cancelled', 'its queue was made anew, and its messages are gone')
  from orchestra.run r
  where r.project = remake_queue.project and r.workload = remake_queue.workload and r.status in ('waiting', 'running');
end
$$;

-- Gives an object up and leaves a tombstone, which holds nothing of what was applied where the object is gone too.
create or replace function orchestra.release(project text, address text) returns void
language sql set search_path = ''
as $$
  update orchestra.registry r set
    tombstoned_at = now(),
    applied = case when orchestra.object_exists(r.kind, r.name) then r.applied else '{}' end,
    protect = false,
    updated_at = now()
  where r.project = release.project and r.address = release.address and r.tombstoned_at is null;
$$;

-- Registers a project under the role that runs this, which from then on is the only one that may change it: two roles
-- that schedule one name make two cron jobs that cannot see each other. Without an environment nothing but the row is
-- made, with its gate closed.
create or replace function orchestra.register_project(
  project text, environment text default null, gate text default null, protect boolean default null
) returns void
language plpgsql set search_path = ''
as $$
declare
  mine orchestra.project;
begin
  select p.* into mine from orchestra.project p where p.project = register_project.project;
  if mine.owner_role <> current_user then
    raise exception 'project % belongs to role %', register_project.project, mine.owner_role
      using errcode = 'ORC12', hint = format('Connect as %s.', mine.owner_role);
  end if;
  if mine.environment <> register_project.environment then
    raise exception 'this database holds environment % of project %', mine.environment, register_project.project
      using errcode = 'ORC13', hint = 'Choose the database or the environment that was meant.';
  end if;
  insert into orchestra.project as p (project, environment, owner_role, gate, protect)
  values (
    register_project.project, register_project.environment, current_user,
    coalesce(register_project.gate, 'paused'), coalesce(register_project.protect, false)
  )
  on conflict on constraint project_pkey do update set
    environment = coalesce(excluded.environment, p.environment),
    gate = coalesce(register_project.gate, p.gate),
    protect = coalesce(register_project.protect, p.protect),
    updated_at = now()
  where (p.environment, p.gate, p.protect) is distinct from (
    coalesce(excluded.environment, p.environment),
    coalesce(register_project.gate, p.gate),
    coalesce(register_project.protect, p.protect)
  );
end
$$;

create or replace function orchestra.unregister_project(project text) returns void
language sql set search_path = ''
as $$
  delete from orchestra.project p where p.project = unregister_project.project;
$$;

-- Drops a queue with all that is in it, or refuses where that is more than `losing` messages, waiting and archived: some
-- may have arrived since somebody was asked. The lock keeps further ones out; null asks for no count.
-- pgmq 1.4.4 knows only drop_queue(text, boolean), 1.5 and later drop_queue(text); neither drops what lost a table.
create or replace function orchestra.drop_queue(name text, losing bigint default null) returns void
language plpgsql set search_path = ''
as $$
declare
  found_messages bigint;
begin
  if to_regclass(format('pgmq.%I', 'q_' || drop_queue.name)) is null
     or to_regclass(format('pgmq.%I', 'a_' || drop_queue.name)) is null then
    perform pgmq.create(drop_queue.name);
  end if;
  if losing is not null then
    execute format('lock table pgmq.%I, pgmq.%I in access exclusive mode', 'q_' || drop_queue.name, 'a_' || drop_queue.name);
    execute format(
      'select (select count(*) from (select from pgmq.%I limit $1) q) + (select count(*) from (select from pgmq.%I limit $1) a)',
      'q_' || drop_queue.name, 'a_' || drop_queue.name)
    into found_messages using losing + 1;
    if found_messages > losing then
      raise exception 'queue % holds more than the % messages that it held when the plan was made', drop_queue.name, losing
        using errcode = 'ORC14', hint = 'Plan again; let it drain, or approve what would be lost now.';
    end if;
  end if;
  if to_regprocedure('pgmq.drop_queue(text)') is not null then
    perform pgmq.drop_queue(drop_queue.name);
  else
    execute format('select pgmq.drop_queue(%L, false)', drop_queue.name);
  end if;
end
$$;
