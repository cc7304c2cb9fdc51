-- Claiming, acknowledging and failing one message.
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

-- Moves a message to the dead letters, if the fence holds.
create or replace function orchestra.bury_message(
  target orchestra.workload, msg_id bigint, read_ct int, attempts int, reason text, error text, sqlstate text
) returns boolean
language plpgsql set search_path = ''
as $$
declare
  buried boolean;
begin
  -- As JSON, because a queue of pgmq 1.4 has no column headers.
  execute format(
    'with gone as (
       delete from pgmq.%I m where m.msg_id = $1 and m.read_ct = $2
       returning m.msg_id, m.enqueued_at, m.message, to_jsonb(m) -> ''headers'' as headers
     ),
     buried as (
       insert into orchestra.dead_letter
         (project, workload, queue_name, msg_id, enqueued_at, payload, headers, attempts, reason, error, sqlstate)
       select $3, $4, $5, g.msg_id, g.enqueued_at, g.message, nullif(g.headers, ''null''), $6, $7, $8, $9
       from gone g
       returning 1
     )
     select count(*) > 0 from buried', 'q_' || (target).queue_name)
  into buried
  using bury_message.msg_id, bury_message.read_ct, (target).project, (target).name, (target).queue_name,
        attempts, reason, coalesce(error, 'no error was recorded'), sqlstate;
  delete from orchestra.delivery d
  where d.project = (target).project and d.workload = (target).name and d.msg_id = bury_message.msg_id;
  return buried;
end
$$;

-- Hands out one message to the worker that holds a slot. No row when nothing is visible, the gate is closed, the
-- workload paused, the worker beyond the limit, or the slot lost. What has no attempt left goes to the dead letters
-- on the way. `now()` and nothing but `order by vt` let the claim walk the index on vt; the settings keep the planner
-- from believing old statistics of a table that changes all the time.
create or replace function orchestra.next_message(
  project text, workload text, slot int, token uuid,
  out msg_id bigint, out read_ct int, out attempt int, out payload jsonb,
  out sql text, out run_role text, out search_path text, out queue_name text, out keep boolean, out timeout_ms int
)
language plpgsql
set search_path = '' set lock_timeout = '5s' set enable_seqscan = off set enable_sort = off set enable_bitmapscan = off
as $$
declare
  target orchestra.workload;
  known orchestra.delivery;
  buried int := 0;
begin
  select w.* into target
  from orchestra.workload w join orchestra.project p on p.project = w.project
  where w.project = next_message.project and w.name = next_message.workload
    and p.gate = 'open' and not w.paused and next_message.slot <= w.concurrency;
  if found then
    loop
      execute format(
        'with next as (
           select m.msg_id from pgmq.%1$I m where m.vt <= now() order by m.vt limit 1 for update skip locked
         )
         update pgmq.%1$I m set read_ct = m.read_ct + 1, vt = clock_timestamp() + $1
         from next where m.msg_id = next.msg_id
         returning m.msg_id, m.read_ct, m.message', 'q_' || target.queue_name)
      into next_message.msg_id, next_message.read_ct, payload
      using make_interval(secs => target.visibility_timeout_ms / 1000.0);
      exit when next_message.msg_id is null;
      attempt := next_message.read_ct;
      if attempt > 1 then
        select d.* into known from orchestra.delivery d
        where d.project = next_message.project and d.workload = next_message.workload
          and d.msg_id = next_message.msg_id;
        attempt := greatest(attempt - coalesce(known.free, 0), 1);
      end if;
      exit when attempt <= target.max_attempts;
      perform orchestra.bury_message(
        target, next_message.msg_id, next_message.read_ct, attempt - 1, 'exhausted',
        coalesce(known.last_error, 'its worker went away without a verdict'), known.last_sqlstate
      );
      next_message.msg_id := null;
      buried := buried + 1;
      exit when buried >= 100;
    end loop;
  end if;
  update orchestra.slot s set
    held = case when next_message.msg_id is null then '{}' else array[next_message.msg_id] end,
    held_ct = case when next_message.msg_id is null then '{}' else array[next_message.read_ct] end,
    due_at = case when next_message.msg_id is not null
                  then clock_timestamp() + make_interval(secs => target.timeout_ms / 1000.0) end,
    cancelled_at = null,
    lease_until = clock_timestamp() + make_interval(secs => coalesce(target.visibility_timeout_ms, 60000) / 1000.0)
  where s.project = next_message.project and s.workload = next_message.workload
    and s.slot = next_message.slot and s.token = next_message.token;
  if not found then
    -- Raised, so that the hand-out is undone with it.
    raise exception 'slot % of workload % was taken over', next_message.slot, next_message.workload
      using errcode = 'ORC03';
  end if;
  sql := target.sql;
  run_role := target.run_role;
  search_path := (
    select coalesce(string_agg(quote_ident(s.name), ', ' order by s.position), '')
    from unnest(target.search_path) with ordinality s(name, position)
  );
  queue_name := target.queue_name;
  keep := target.retention_completed_ms is not null;
  timeout_ms := target.timeout_ms;
end
$$;

-- Takes a finished message off its queue; false when the hand-out is no longer the caller's.
create or replace function orchestra.ack_message(
  project text, workload text, queue_name text, msg_id bigint, read_ct int, keep boolean
) returns boolean
language plpgsql set search_path = ''
as $$
declare
  acknowledged bigint;
begin
  if keep then
    execute format(
      'select m.msg_id from pgmq.%I m where m.msg_id = $1 and m.read_ct = $2 for update', 'q_' || queue_name)
    into acknowledged using ack_message.msg_id, ack_message.read_ct;
    if acknowledged is not null then
      -- pgmq's own statement, because the columns of archives differ between its versions.
      perform pgmq.archive(ack_message.queue_name, ack_message.msg_id);
    end if;
  else
    execute format(
      'delete from pgmq.%I m where m.msg_id = $1 and m.read_ct = $2 returning m.msg_id', 'q_' || queue_name)
    into acknowledged using ack_message.msg_id, ack_message.read_ct;
  end if;
  if acknowledged is not null and ack_message.read_ct > 1 then
    delete from orchestra.delivery d
    where d.project = ack_message.project and d.workload = ack_message.workload and d.msg_id = ack_message.msg_id;
  end if;
  return acknowledged is not null;
end
$$;

-- Records that a hand-out failed and decides what becomes of the message, by the settings as they are now:
--
--   SQLSTATE ORC01        the dead letters at once
--   SQLSTATE ORC02        again after the interval in HINT, at no attempt
--   anything else         again after the backoff, or the dead letters when no attempt is left
--
-- `verdict` false: nobody reported this, the worker just went away, so the message stays suspect.
-- Answers `dead`, `snoozed`, `retry`, or `lost` when the hand-out is no longer the caller's.
create or replace function orchestra.fail_message(
  project text, workload text, msg_id bigint, read_ct int, error text, sqlstate text,
  hint text default null, verdict boolean default true
) returns text
language plpgsql set search_path = ''
as $$
declare
  target orchestra.workload;
  known orchestra.delivery;
  attempt int;
  refund int := 0;
  wait interval;
  touched bigint;
begin
  select w.* into target from orchestra.workload w
  where w.project = fail_message.project and w.name = fail_message.workload;
  if not found then
    return 'lost';
  end if;
  select d.* into known from orchestra.delivery d
  where d.project = fail_message.project and d.workload = fail_message.workload
    and d.msg_id = fail_message.msg_id;
  attempt := greatest(fail_message.read_ct - coalesce(known.free, 0), 1);

  if fail_message.sqlstate = 'ORC02' then
    begin
      wait := greatest(coalesce(fail_message.hint, '')::interval, interval '0');
      refund := 1;
    exception when others then
      error := format('snoozed without an interval in its hint (%s): %s', fail_message.hint, error);
    end;
  end if;
  if refund = 0 and (fail_message.sqlstate = 'ORC01' or attempt >= target.max_attempts) then
    return case
      when orchestra.bury_message(
        target, fail_message.msg_id, fail_message.read_ct, attempt,
        case fail_message.sqlstate when 'ORC01' then 'permanent' else 'exhausted' end,
        left(error, 8000), fail_message.sqlstate
      ) then 'dead'
      else 'lost'
    end;
  end if;

  execute format(
    'update pgmq.%I m set vt = clock_timestamp() + $3 where m.msg_id = $1 and m.read_ct = $2 returning m.msg_id',
    'q_' || target.queue_name)
  into touched
  using fail_message.msg_id, fail_message.read_ct, coalesce(wait, orchestra.backoff(target, attempt));
  if touched is null then
    return 'lost';
  end if;
  insert into orchestra.delivery as d
    (project, workload, msg_id, free, settled, last_error, last_sqlstate)
  values (
    fail_message.project, fail_message.workload, fail_message.msg_id, refund,
    case when verdict then fail_message.read_ct else 0 end,
    case when refund = 0 then left(error, 8000) end, case when refund = 0 then fail_message.sqlstate end
  )
  on conflict on constraint delivery_pkey do update set
    free = d.free + excluded.free,
    settled = greatest(d.settled, excluded.settled),
    last_error = coalesce(excluded.last_error, d.last_error),
    last_sqlstate = coalesce(excluded.last_sqlstate, d.last_sqlstate),
    updated_at = now();
  return case when refund = 1 then 'snoozed' else 'retry' end;
end
$$;
