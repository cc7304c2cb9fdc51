-- What becomes of a message whose hand-out failed.
--
-- Every write to a queue is fenced by read_ct, which only grows: whoever holds an older hand-out changes nothing.
-- An attempt is a hand-out that was not refunded: read_ct minus `delivery.free`.

-- The wait before the next attempt: capped exponential backoff with full jitter, computed by logarithms, so that no
-- factor and no number of attempts overflows.
create or replace function orchestra.backoff(target orchestra.workload, attempt int) returns interval
language sql volatile set search_path = ''
as $$
  select make_interval(secs => wait_ms * case when (target).backoff_jitter = 'full' then random() else 1 end / 1000)
  from (
    select case
      when (target).backoff_initial_ms = 0 then 0
      else least(
        exp(least(ln((target).backoff_initial_ms) + greatest(attempt - 1, 0) * ln((target).backoff_factor), 30)),
        greatest((target).backoff_max_ms, (target).backoff_initial_ms)
      )
    end
  ) waits(wait_ms);
$$;

-- Moves a message to the dead letters, if the fence holds, and tells the queue and the workload that are to hear of what
-- has failed for good. The run that it belongs to is told by settle_tasks, and its lock is the caller's before this: those
-- who hear may have keys, which are waited for.
create or replace function orchestra.bury_message(
  target orchestra.workload, msg_id bigint, read_ct int, attempts int, reason text, error text, sqlstate text
) returns boolean
language plpgsql set search_path = ''
as $$
declare
  letter_id bigint;
  letter orchestra.dead_letter;
  notice jsonb;
begin
  -- As JSON, because a queue of pgmq 1.4 has no column headers.
  execute format(
    'with gone as (
       delete from pgmq.%I m where m.msg_id = $1 and m.read_ct = $2
       returning m.msg_id, m.enqueued_at, m.message, to_jsonb(m) -> ''headers'' as headers
     )
     insert into orchestra.dead_letter
       (project, workload, queue_name, msg_id, enqueued_at, payload, headers, attempts, reason, error, sqlstate)
     select $3, $4, $5, g.msg_id, g.enqueued_at, g.message, nullif(g.headers, ''null''), $6, $7, $8, $9
     from gone g
     returning id', 'q_' || (target).queue_name)
  into letter_id
  using bury_message.msg_id, bury_message.read_ct, (target).project, (target).name, (target).queue_name,
        attempts, reason, coalesce(error, 'no error was recorded'), sqlstate;
  if letter_id is null then
    return false;
  end if;
  delete from orchestra.delivery d
  where d.project = (target).project and d.workload = (target).name and d.msg_id = bury_message.msg_id;
  select d.* into letter from orchestra.dead_letter d where d.id = letter_id;
  if (target).dead_letter_queue is not null or (target).on_failure is not null then
    notice := jsonb_build_object(
      'project', letter.project, 'workload', letter.workload, 'dead_letter', letter.id, 'message_id', letter.msg_id,
      'payload', letter.payload, 'attempts', letter.attempts, 'reason', letter.reason, 'error', letter.error,
      'dead_at', orchestra.iso(letter.dead_at));
    begin
      if (target).dead_letter_queue is not null then
        execute format('insert into pgmq.%I (vt, message) values (clock_timestamp(), $1)',
          'q_' || (target).dead_letter_queue)
        using notice;
      end if;
      if (target).on_failure is not null then
        perform orchestra.enqueue(w, array[notice])
        from orchestra.workload w
        where w.project = (target).project and w.name = (target).on_failure;
      end if;
    exception when others then
      -- The message is buried all the same: its letter is the record.
      raise warning 'orchestra: telling of dead letter % of %/%: %', letter.id, letter.project, letter.workload, sqlerrm;
    end;
  end if;
  return true;
end
$$;

-- Locks these messages, those whose hand-out is still the caller's, in the order of their ids: the headers of those that are
-- tasks of a run. Messages come before runs, and runs before the keys of who hears of failures; whoever claims holds
-- messages already, and waits for keys.
create or replace function orchestra.hold_messages(target orchestra.workload, ids bigint[], cts int[]) returns jsonb[]
language plpgsql
set search_path = '' set enable_seqscan = off set enable_sort = off set enable_bitmapscan = off set jit = off
as $$
declare
  tasks jsonb[];
begin
  execute format(
    'select array_agg(h.task) filter (where h.task ? ''orchestra'')
     from (
       select %s as task from pgmq.%I m
       where m.msg_id = any ($1) and (m.msg_id, m.read_ct) in (select a.id, a.ct from unnest($1, $2) a(id, ct))
       order by m.msg_id
       for update
     ) h',
    case when orchestra.takes_headers((target).queue_name) then 'm.headers' else 'null::jsonb' end,
    'q_' || (target).queue_name)
  into tasks using ids, cts;
  return coalesce(tasks, '{}');
end
$$;

-- Records that a hand-out failed and decides what becomes of the message, by the settings as they are now:
--
--   SQLSTATE ORC01        the dead letters at once
--   SQLSTATE ORC02        again after the interval in HINT, at no attempt
--   anything else         again after the backoff, or the dead letters when no attempt is left
--
-- `by_worker` false: nobody reported this, the worker just went away, so the message stays suspect.
-- The verdict is `dead`, `snoozed`, `retry`, or `lost` when the hand-out is no longer the caller's. `task` are the headers of
-- a task of a run that is dead, for settle_tasks.
create or replace function orchestra.fail_hand_out(
  target orchestra.workload, msg_id bigint, read_ct int, error text, sqlstate text, hint text, by_worker boolean,
  out verdict text, out task jsonb
)
language plpgsql set search_path = ''
as $$
declare
  known orchestra.delivery;
  attempt int;
  refund int := 0;
  wait interval;
  touched bigint;
begin
  select d.* into known from orchestra.delivery d
  where d.project = (target).project and d.workload = (target).name and d.msg_id = fail_hand_out.msg_id;
  if known.refunded = fail_hand_out.read_ct then
    verdict := 'lost';
    return;
  end if;
  attempt := greatest(fail_hand_out.read_ct - coalesce(known.free, 0), 1);

  if fail_hand_out.sqlstate = 'ORC02' then
    begin
      wait := greatest(coalesce(fail_hand_out.hint, '')::interval, interval '0');
      refund := 1;
    exception when others then
      error := format('snoozed without an interval in its hint (%s): %s', fail_hand_out.hint, error);
    end;
  end if;
  if refund = 0 and (fail_hand_out.sqlstate = 'ORC01' or attempt >= (target).max_attempts) then
    task := (orchestra.hold_messages(target, array[fail_hand_out.msg_id], array[fail_hand_out.read_ct]))[1];
    perform orchestra.hold_runs(array[task]);
    if orchestra.bury_message(
      target, fail_hand_out.msg_id, fail_hand_out.read_ct, attempt,
      case fail_hand_out.sqlstate when 'ORC01' then 'permanent' else 'exhausted' end,
      left(error, 8000), fail_hand_out.sqlstate
    ) then
      verdict := 'dead';
    else
      verdict := 'lost';
      task := null;
    end if;
    return;
  end if;

  execute format(
    'update pgmq.%I m set vt = clock_timestamp() + $3 where m.msg_id = $1 and m.read_ct = $2 returning m.msg_id',
    'q_' || (target).queue_name)
  into touched
  using fail_hand_out.msg_id, fail_hand_out.read_ct, coalesce(wait, orchestra.backoff(target, attempt));
  if touched is null then
    verdict := 'lost';
    return;
  end if;
  insert into orchestra.delivery as d
    (project, workload, msg_id, free, refunded, settled, last_error, last_sqlstate)
  values (
    (target).project, (target).name, fail_hand_out.msg_id, refund, refund * fail_hand_out.read_ct,
    case when by_worker then fail_hand_out.read_ct else 0 end,
    case when refund = 0 then left(error, 8000) end, case when refund = 0 then fail_hand_out.sqlstate end
  )
  on conflict on constraint delivery_pkey do update set
    free = d.free + excluded.free,
    refunded = greatest(d.refunded, excluded.refunded),
    settled = greatest(d.settled, excluded.settled),
    last_error = coalesce(excluded.last_error, d.last_error),
    last_sqlstate = coalesce(excluded.last_sqlstate, d.last_sqlstate),
    updated_at = now();
  verdict := case when refund = 1 then 'snoozed' else 'retry' end;
end
$$;

-- The same for one message by itself.
create or replace function orchestra.fail_message(
  project text, workload text, msg_id bigint, read_ct int, error text, sqlstate text,
  hint text default null, verdict boolean default true
) returns text
language plpgsql set search_path = ''
as $$
declare
  target orchestra.workload;
  outcome record;
begin
  select w.* into target from orchestra.workload w
  where w.project = fail_message.project and w.name = fail_message.workload;
  if not found then
    return 'lost';
  end if;
  outcome := orchestra.fail_hand_out(
    target, fail_message.msg_id, fail_message.read_ct, fail_message.error, fail_message.sqlstate,
    fail_message.hint, fail_message.verdict);
  if outcome.task is not null then
    perform orchestra.settle_tasks(
      target, array[outcome.task], array[null::jsonb], array[coalesce(fail_message.error, 'no error was recorded')]);
  end if;
  return outcome.verdict;
end
$$;
