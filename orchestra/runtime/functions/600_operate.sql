-- What operators do by hand. Each verb leaves a row in the operator log, with the person and the reason that the command
-- line has set for its transaction.

create or replace function orchestra.log_verb(verb text, project text, workload text, detail jsonb default '{}')
returns void
language sql set search_path = ''
as $$
  insert into orchestra.operator_log (role_name, verb, project, workload, detail, actor)
  values (
    session_user, $1, $2, $3,
    $4 || jsonb_strip_nulls(
      jsonb_build_object('reason', nullif(pg_catalog.current_setting('orchestra.reason', true), ''))),
    nullif(pg_catalog.current_setting('orchestra.actor', true), '')
  );
$$;

create or replace function orchestra.set_paused(verb text, project text, workload text, paused boolean) returns void
language plpgsql set search_path = ''
as $$
declare
  known boolean;
begin
  if set_paused.workload is null then
    update orchestra.project p set
      gate = case when set_paused.paused then 'paused' else 'open' end,
      updated_at = now()
    where p.project = set_paused.project;
    known := found;
  else
    update orchestra.workload w set paused = set_paused.paused
    where w.project = set_paused.project and w.name = set_paused.workload;
    known := found;
  end if;
  if not known then
    raise exception 'there is no %', case
      when set_paused.workload is null then format('project %s', set_paused.project)
      else format('workload %s in project %s', set_paused.workload, set_paused.project)
    end using errcode = 'ORC20';
  end if;
  -- What was accepted before is another matter than what is turned now.
  update orchestra.registry r set accepted = '{}'
  where r.project = set_paused.project and r.accepted <> '{}'
    and r.address = coalesce('workload.' || set_paused.workload, 'project.' || set_paused.project);
  perform orchestra.log_verb(set_paused.verb, set_paused.project, set_paused.workload);
end
$$;

-- Nothing of the project, or of the workload, begins any more: what is running ends, messages wait.
create or replace function orchestra.pause(project text, workload text default null) returns void
language sql set search_path = ''
as $$
  select orchestra.set_paused('pause', $1, $2, true);
$$;

-- Due times that fell into the pause are not made up for.
create or replace function orchestra.resume(project text, workload text default null) returns void
language sql set search_path = ''
as $$
  select orchestra.set_paused('resume', $1, $2, false);
$$;

-- Whether the run of a dead letter takes it back: a step that has been joined, or whose run has ended, does not. The items
-- of a plain request always may come again.
create or replace function orchestra.may_reopen(headers jsonb) returns boolean
language sql stable set search_path = ''
as $$
  select exists (
    select from orchestra.run r
    join orchestra.step s on s.run = r.id and s.step = coalesce($1 #>> '{orchestra,step}', 'items')
    where r.id = ($1 #>> '{orchestra,run}')::bigint and r.attempt = ($1 #>> '{orchestra,a}')::int and s.failed > 0
      and case when $1 #>> '{orchestra,step}' is null then r.status <> 'cancelled'
               else r.status = 'running' and s.status = 'running' end
  );
$$;

-- Whether it was an item of a plain request whose run has been cleared away by now: it comes again as a plain message.
create or replace function orchestra.outlived_its_run(headers jsonb) returns boolean
language sql stable set search_path = ''
as $$
  select $1 #>> '{orchestra,run}' is not null and $1 #>> '{orchestra,step}' is null
    and not exists (select from orchestra.run r where r.id = ($1 #>> '{orchestra,run}')::bigint);
$$;

-- Makes a dead letter's place in its run free again, and says whether there is one. The run's lock is the caller's.
create or replace function orchestra.reopen_task(headers jsonb) returns boolean
language plpgsql set search_path = ''
as $$
declare
  the_run constant bigint := (headers #>> '{orchestra,run}')::bigint;
  the_step constant text := headers #>> '{orchestra,step}';
begin
  if not orchestra.may_reopen(headers) then
    return false;
  end if;
  update orchestra.step s set failed = s.failed - 1, status = 'running', finished_at = null
  where s.run = the_run and s.step = coalesce(the_step, 'items');
  delete from orchestra.task t
  where t.run = the_run and t.step = the_step and t.i = (headers #>> '{orchestra,i}')::int and t.failed;
  update orchestra.run r set status = 'running', finished_at = null, error = null
  where r.id = the_run and r.status <> 'running';
  return true;
end
$$;

-- Sends dead letters back as new messages, with all their attempts before them: those of `ids`, or the oldest
-- `at_most`. Answers how many. A task of a run whose place is gone stays; asked for by its id it is an error.
create or replace function orchestra.redrive(
  workload text, ids bigint[] default null, at_most int default 1000, delay interval default '0'
) returns bigint
language plpgsql set search_path = ''
as $$
declare
  target constant orchestra.workload := orchestra.find_workload(redrive.workload);
  chosen bigint[];
  letter record;
  redriven bigint := 0;
begin
  if target.queue_name is null then
    raise exception 'workload % has no queue', target.name
      using errcode = 'ORC22', hint = format('It is %s; only a queue has dead letters.', target.pattern);
  end if;
  chosen := array(
    select d.id
    from orchestra.dead_letter d
    where d.project = target.project and d.workload = target.name and d.redriven_at is null
      and case when redrive.ids is not null then d.id = any (redrive.ids)
               else d.headers #>> '{orchestra,run}' is null or orchestra.may_reopen(d.headers)
                 or orchestra.outlived_its_run(d.headers) end
    order by d.id
    limit case when redrive.ids is null then redrive.at_most end
  );
  -- Runs before letters, as retry_run has them.
  perform from orchestra.run r
  where r.id in (select (d.headers #>> '{orchestra,run}')::bigint from orchestra.dead_letter d where d.id = any (chosen))
  order by r.id
  for no key update;
  for letter in
    select d.id, d.payload, d.headers
    from orchestra.dead_letter d
    where d.id = any (chosen) and d.redriven_at is null
    order by d.id
    for update skip locked
  loop
    if orchestra.outlived_its_run(letter.headers) then
      letter.headers := letter.headers - 'orchestra';
    elsif letter.headers #>> '{orchestra,run}' is not null and not orchestra.reopen_task(letter.headers) then
      if redrive.ids is not null then
        raise exception 'dead letter % belongs to run %, which goes on without it',
          letter.id, letter.headers #>> '{orchestra,run}'
          using errcode = 'ORC24', hint = format(
            'Try the run again: select orchestra.retry_run(%s)', letter.headers #>> '{orchestra,run}');
      end if;
      continue;
    end if;
    -- Not by its keys: they were enqueued once already.
    update orchestra.dead_letter d set
      redriven_at = clock_timestamp(),
      redriven_as = (orchestra.insert_messages(
        target, array[letter.payload], case when letter.headers is not null then array[letter.headers] end,
        clock_timestamp() + greatest(redrive.delay, interval '0')))[1]
    where d.id = letter.id;
    redriven := redriven + 1;
  end loop;
  perform orchestra.log_verb('redrive', target.project, target.name,
    jsonb_build_object('count', redriven, 'ids', to_jsonb(redrive.ids)));
  return redriven;
end
$$;

-- Ends a run: nothing more of it begins, its queued tasks are dropped when they come up, and the handlers that are running
-- are told to stop when they renew their leases. False when it has ended already.
create or replace function orchestra.cancel_run(run bigint) returns boolean
language plpgsql set search_path = ''
as $$
declare
  the_run orchestra.run;
  ended boolean;
begin
  select r.* into the_run from orchestra.run r where r.id = cancel_run.run;
  if the_run.id is null then
    raise exception 'there is no run %', cancel_run.run using errcode = 'ORC25';
  end if;
  -- What is sent from now on must not join a run that will never begin. Keys before runs, as enqueue_last has them.
  delete from orchestra.debounce d
  where d.project = the_run.project and d.workload = the_run.workload and d.run = the_run.id;
  ended := orchestra.end_run_as(the_run.id, 'cancelled', format('cancelled by %s', session_user));
  perform orchestra.log_verb('cancel_run', the_run.project, the_run.workload,
    jsonb_build_object('run', the_run.id, 'ended', ended));
  return ended;
end
$$;

-- Takes a run up again that has failed or been cancelled, at what has not been done: each task that is left gets all its
-- attempts anew. What earlier attempts still have under way counts nothing any more.
create or replace function orchestra.retry_run(run bigint) returns void
language plpgsql set search_path = ''
as $$
declare
  the_run orchestra.run;
  target orchestra.workload;
begin
  select r.* into the_run from orchestra.run r where r.id = retry_run.run for update;
  if the_run.id is null then
    raise exception 'there is no run %', retry_run.run using errcode = 'ORC25';
  end if;
  select w.* into target from orchestra.workload w where w.project = the_run.project and w.name = the_run.workload;
  if target.name is null then
    raise exception 'there is no workload % any more', the_run.workload using errcode = 'ORC20';
  end if;
  if the_run.status not in ('failed', 'cancelled') then
    raise exception 'run % is %', the_run.id, the_run.status
      using errcode = 'ORC26', hint = 'Only a run that has failed or been cancelled can be tried again.';
  end if;
  if target.steps is null then
    if the_run.status = 'cancelled' then
      raise exception 'run % has been cancelled, and its items are gone', the_run.id
        using errcode = 'ORC26', hint = 'Send them again.';
    end if;
    perform orchestra.redrive(target.project || '/' || target.name, array(
      select d.id from orchestra.dead_letter d
      where d.project = target.project and d.workload = target.name and d.redriven_at is null
        and (d.headers #>> '{orchestra,run}')::bigint = the_run.id
    ));
  elsif orchestra.step_of(target, 'items') is null and exists (
    select from orchestra.step s where s.run = the_run.id and s.step = 'items'
  ) then
    raise exception 'run % counted the items of a request, and workload % is a pipeline by now', the_run.id, target.name
      using errcode = 'ORC26', hint = 'Send them again.';
  else
    update orchestra.run r set
      status = 'running', attempt = r.attempt + 1, finished_at = null, error = null
    where r.id = the_run.id;
    update orchestra.step s set status = 'waiting', finished_at = null
    where s.run = the_run.id and s.status <> 'done';
    delete from orchestra.task t using orchestra.step s
    where t.run = the_run.id and t.failed and s.run = t.run and s.step = t.step and s.status = 'waiting';
    -- Its letters stay as they are, but for this: the tasks they tell of are sent again, under the next attempt. One that
    -- is locked is about to be cleared away.
    update orchestra.dead_letter d set redriven_at = clock_timestamp()
    where d.id = any (array(
      select o.id from orchestra.dead_letter o
      join orchestra.step s on s.run = the_run.id and s.step = o.headers #>> '{orchestra,step}' and s.status = 'waiting'
      where o.project = target.project and o.workload = target.name and o.redriven_at is null
        and (o.headers #>> '{orchestra,run}')::bigint = the_run.id
      for update of o skip locked
    ));
    perform orchestra.advance_run(target, the_run.id);
  end if;
  perform orchestra.log_verb('retry_run', the_run.project, the_run.workload, jsonb_build_object('run', the_run.id));
end
$$;

-- For handlers that are written in SQL alone: gives the message up, or asks for it again later at no attempt.
create or replace function orchestra.reject(reason text) returns void
language plpgsql set search_path = ''
as $$
begin
  raise exception using errcode = 'ORC01', message = coalesce(reason, 'rejected');
end
$$;

create or replace function orchestra.snooze(delay interval, reason text default null) returns void
language plpgsql set search_path = ''
as $$
begin
  raise exception using errcode = 'ORC02', message = coalesce(reason, 'snoozed'), hint = delay::text;
end
$$;

-- For a queue that orchestra adopts with messages in it: the hand-outs that they have had count as no attempts. Answers
-- how many messages that concerns.
create or replace function orchestra.refund_hand_outs(project text, workload text, queue text) returns bigint
language plpgsql set search_path = ''
as $$
declare
  refunded bigint;
begin
  execute format(
    'insert into orchestra.delivery (project, workload, msg_id, free, settled)
     select $1, $2, m.msg_id, m.read_ct, m.read_ct from pgmq.%I m where m.read_ct > 0
     on conflict on constraint delivery_pkey do update set
       free = excluded.free, settled = excluded.settled, updated_at = now()', 'q_' || refund_hand_outs.queue)
  using refund_hand_outs.project, refund_hand_outs.workload;
  get diagnostics refunded = row_count;
  perform orchestra.log_verb(
    'refund', refund_hand_outs.project, refund_hand_outs.workload, jsonb_build_object('count', refunded));
  return refunded;
end
$$;
