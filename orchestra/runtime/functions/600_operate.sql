-- What operators do by hand. Each verb leaves a row in the operator log.

create or replace function orchestra.log_verb(verb text, project text, workload text, detail jsonb default '{}')
returns void
language sql set search_path = ''
as $$
  insert into orchestra.operator_log (role_name, verb, project, workload, detail)
  values (session_user, $1, $2, $3, $4);
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

-- Sends dead letters back as new messages, with all their attempts before them: those of `ids`, or the oldest
-- `at_most`. Answers how many.
create or replace function orchestra.redrive(
  workload text, ids bigint[] default null, at_most int default 1000, delay interval default '0'
) returns bigint
language plpgsql set search_path = ''
as $$
declare
  target constant orchestra.workload := orchestra.find_workload(redrive.workload);
  letter record;
  redriven bigint := 0;
begin
  if target.queue_name is null then
    raise exception 'workload % has no queue', target.name
      using errcode = 'ORC22', hint = format('It is %s; only a queue has dead letters.', target.pattern);
  end if;
  for letter in
    select d.id, d.payload, d.headers
    from orchestra.dead_letter d
    where d.project = target.project and d.workload = target.name and d.redriven_at is null
      and (redrive.ids is null or d.id = any (redrive.ids))
    order by d.id
    limit case when redrive.ids is null then redrive.at_most end
    for update skip locked
  loop
    update orchestra.dead_letter d set
      redriven_at = clock_timestamp(),
      redriven_as = (orchestra.enqueue(target, array[letter.payload], redrive.delay, letter.headers))[1]
    where d.id = letter.id;
    redriven := redriven + 1;
  end loop;
  perform orchestra.log_verb('redrive', target.project, target.name,
    jsonb_build_object('count', redriven, 'ids', to_jsonb(redrive.ids)));
  return redriven;
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
