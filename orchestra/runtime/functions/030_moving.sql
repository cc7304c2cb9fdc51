-- Renames: what has a new name keeps its messages, its history and what was turned by hand. Every function here fails where
-- the former name is not ours (ORC14: the plan is stale), so that it does nothing twice.

-- Gives the registry's row of `former` to `address`. What once stood there is forgotten.
create or replace function orchestra.move(project text, former text, address text) returns void
language plpgsql set search_path = ''
as $$
begin
  delete from orchestra.registry r
  where r.project = move.project and r.address = move.address and r.tombstoned_at is not null
    and exists (
      select from orchestra.registry o
      where o.project = move.project and o.address = move.former and o.tombstoned_at is null
    );
  update orchestra.registry r set
    address = move.address,
    name = case when r.kind = 'workload' then substr(move.address, length('workload.') + 1) else r.name end,
    updated_at = now()
  where r.project = move.project and r.address = move.former and r.tombstoned_at is null;
  if not found then
    raise exception '% is not there to be moved to %', move.former, move.address
      using errcode = 'ORC14', hint = 'Plan again.';
  end if;
end
$$;

-- Removes what another workload of a name, or a project of it, has left behind and what would be taken for the new one's.
create or replace function orchestra.clear_the_way(project text, workload text default null) returns void
language plpgsql set search_path = ''
as $$
declare
  place text;
begin
  for place in
    select t.name
    from unnest(array['debounce', 'delivery', 'fired', 'idempotency', 'knock', 'rate', 'reader']) t(name)
  loop
    execute format('delete from orchestra.%I t where t.project = $1 and ($2 is null or t.workload = $2)', place)
    using clear_the_way.project, clear_the_way.workload;
  end loop;
end
$$;

-- Renames a workload in every table that speaks of it; those with a foreign key follow by themselves.
create or replace function orchestra.move_workload(project text, former text, name text) returns void
language plpgsql set search_path = ''
as $$
declare
  place text;
begin
  perform orchestra.move(move_workload.project, 'workload.' || move_workload.former, 'workload.' || move_workload.name);
  perform orchestra.clear_the_way(move_workload.project, move_workload.name);
  -- Its function has another name from now on, and has to announce itself.
  delete from orchestra.contract c
  where c.project = move_workload.project and c.workload = move_workload.former;
  update orchestra.workload w set name = move_workload.name
  where w.project = move_workload.project and w.name = move_workload.former;
  for place in select t.name from unnest(array[
    'archive', 'call', 'dead_letter', 'debounce', 'delivery', 'fired', 'idempotency', 'knock', 'operator_log', 'rate',
    'reader', 'run', 'scheduled_run', 'traffic'
  ]) t(name) loop
    execute format('update orchestra.%I t set workload = $3 where t.project = $1 and t.workload = $2', place)
    using move_workload.project, move_workload.former, move_workload.name;
  end loop;
end
$$;

-- Gives everything of a project to another name, the registry included. Its jobs, triggers and functions have the name in
-- their texts and are made anew by the changes that follow.
create or replace function orchestra.move_project(former text, project text) returns void
language plpgsql set search_path = ''
as $$
declare
  mine orchestra.project;
  place text;
begin
  select p.* into mine from orchestra.project p where p.project = move_project.former;
  if not found then
    raise exception 'project % is not there to be moved to %', move_project.former, move_project.project
      using errcode = 'ORC14', hint = 'Plan again.';
  end if;
  if mine.owner_role <> current_user then
    raise exception 'project % belongs to role %', move_project.former, mine.owner_role
      using errcode = 'ORC12', hint = format('Connect as %s.', mine.owner_role);
  end if;
  -- Workers say of which project they are: those that are deployed are nobody's now.
  delete from orchestra.contract c where c.project = move_project.former;
  perform orchestra.clear_the_way(move_project.project);
  -- What a project of the new name had, and has no more, makes room.
  delete from orchestra.registry r
  where r.project = move_project.project and r.tombstoned_at is not null;
  for place in select t.name from unnest(array[
    'archive', 'call', 'dead_letter', 'debounce', 'delivery', 'deployment', 'fired', 'idempotency', 'knock',
    'operator_log', 'project', 'rate', 'reader', 'registry', 'run', 'scheduled_run', 'traffic',
    'workload'
  ]) t(name) loop
    execute format('update orchestra.%I t set project = $2 where t.project = $1', place)
    using move_project.former, move_project.project;
  end loop;
  update orchestra.registry r set
    address = 'project.' || move_project.project,
    name = move_project.project,
    updated_at = now()
  where r.project = move_project.project and r.address = 'project.' || move_project.former;
end
$$;

-- Moves all messages of a queue, waiting and archived, to a new one of another name: the same ids, hand-outs and times.
-- Locked out meanwhile is whoever sends or reads; afterwards there is no queue of the former name.
create or replace function orchestra.move_queue(former text, name text, type text) returns void
language plpgsql set search_path = ''
as $$
declare
  letter text;
  columns text;
  last bigint;
  called boolean;
begin
  if to_regclass(format('pgmq.%I', 'q_' || move_queue.name)) is not null then
    raise exception 'queue % exists already', move_queue.name
      using errcode = 'ORC11', hint = 'Choose another name, or remove that queue first.';
  end if;
  if move_queue.type = 'unlogged' then
    perform pgmq.create_unlogged(move_queue.name);
  else
    perform pgmq.create(move_queue.name);
  end if;
  foreach letter in array array['q', 'a'] loop
    continue when to_regclass(format('pgmq.%I', letter || '_' || move_queue.former)) is null;
    execute format('lock table pgmq.%I in access exclusive mode', letter || '_' || move_queue.former);
    select string_agg(quote_ident(a.attname), ', ' order by a.attnum) into columns
    from pg_catalog.pg_attribute a
    where a.attrelid = to_regclass(format('pgmq.%I', letter || '_' || move_queue.name))
      and a.attnum > 0 and not a.attisdropped
      and exists (
        select from pg_catalog.pg_attribute o
        where o.attrelid = to_regclass(format('pgmq.%I', letter || '_' || move_queue.former))
          and o.attname = a.attname and o.attnum > 0 and not o.attisdropped
      );
    execute format(
      'insert into pgmq.%I (%s) %s select %s from pgmq.%I order by msg_id',
      letter || '_' || move_queue.name, columns,
      case when letter = 'q' then 'overriding system value' else '' end,
      columns, letter || '_' || move_queue.former);
  end loop;
  if to_regclass(format('pgmq.%I', 'q_' || move_queue.former)) is not null then
    -- Numbers go on where they were, so that nobody takes one message for another.
    execute format(
      'select last_value, is_called from %s',
      pg_get_serial_sequence(format('pgmq.%I', 'q_' || move_queue.former), 'msg_id'))
    into last, called;
    perform setval(pg_get_serial_sequence(format('pgmq.%I', 'q_' || move_queue.name), 'msg_id')::regclass, last, called);
  end if;
  perform orchestra.drop_queue(move_queue.former);
end
$$;

-- What a job leaves to the one that takes its place: that it was made inactive, and its run history where this role may
-- write to it. The former job is unscheduled.
create or replace function orchestra.inherit_job(former text, name text) returns void
language plpgsql set search_path = ''
as $$
declare
  old record;
  heir bigint;
begin
  select j.jobid, j.active into old from cron.job j where j.jobname = inherit_job.former and j.username = current_user;
  if not found then
    raise exception 'there is no job % of role % any more', inherit_job.former, current_user
      using errcode = 'ORC14', hint = 'Plan again.';
  end if;
  select j.jobid into heir from cron.job j where j.jobname = inherit_job.name and j.username = current_user;
  if not old.active then
    perform cron.alter_job(job_id => heir, active => false);
  end if;
  begin
    update cron.job_run_details d set jobid = heir where d.jobid = old.jobid;
  exception when insufficient_privilege then
    null;
  end;
  perform cron.unschedule(old.jobid);
end
$$;

-- Keeps all messages of a queue in orchestra.archive, and drops it; or refuses where more than `waiting` of them have not
-- been worked off. Null asks for no count.
create or replace function orchestra.archive_queue(
  project text, workload text, name text, waiting bigint default null
) returns void
language plpgsql set search_path = ''
as $$
declare
  letter text;
  place regclass;
  more boolean;
begin
  foreach letter in array array['q', 'a'] loop
    place := to_regclass(format('pgmq.%I', letter || '_' || archive_queue.name));
    continue when place is null;
    execute format('lock table %s in access exclusive mode', place);
    if letter = 'q' and waiting is not null then
      execute format('select count(*) > $1 from (select from %s limit $1 + 1) m', place) into more using waiting;
      if more then
        raise exception 'queue % holds messages again', archive_queue.name
          using errcode = 'ORC14', hint = 'Plan again: it has to drain first.';
      end if;
    end if;
    execute format(
      'insert into orchestra.archive
         (project, workload, queue_name, msg_id, read_ct, enqueued_at, archived_at, payload, headers)
       select $1, $2, $3, m.msg_id, m.read_ct, m.enqueued_at, %s, m.message, %s from %s m order by m.msg_id',
      case when letter = 'a' then 'm.archived_at' else 'null' end,
      case when exists (
        select from pg_catalog.pg_attribute a
        where a.attrelid = place and a.attname = 'headers' and not a.attisdropped
      ) then 'm.headers' else 'null' end,
      place)
    using archive_queue.project, archive_queue.workload, archive_queue.name;
  end loop;
  perform orchestra.drop_queue(archive_queue.name);
end
$$;

-- Records that what an operator turned shall stay, so that no plan reports it any more; '{}' takes it back.
create or replace function orchestra.accept(project text, address text, accepted jsonb) returns void
language plpgsql set search_path = ''
as $$
begin
  update orchestra.registry r set accepted = accept.accepted, updated_at = now()
  where r.project = accept.project and r.address = accept.address and r.tombstoned_at is null;
  if not found then
    raise exception '% is not there', accept.address using errcode = 'ORC14', hint = 'Plan again.';
  end if;
  if accept.accepted <> '{}' then
    perform orchestra.log_verb('accept', accept.project, nullif(split_part(accept.address, '.', 2), accept.project),
                               jsonb_build_object('address', accept.address, 'accepted', accept.accepted));
  end if;
end
$$;
