-- The one claim, for workers in Edge Functions and in SQL alike.

-- Finds and locks up to `wanted` visible messages to be handed out, oldest visibility first. `attempts` are null where it is
-- the first of each. `company` says that the worker holds others already. On the way
--
--   what has no attempt left goes to the dead letters;
--   a message whose last hand-out ended without a verdict is suspected of having killed its worker and goes out alone, and
--   so does every message that has one attempt only: company would die with it;
--   what belongs to a run that has ended leaves the queue, and what begins one begins it;
--   what is above the rate limit waits or is dropped;
--   a claim holds 4 MB of messages at most, so that large ones do not fill a worker's memory.
--
-- `wait_ms` is when to ask again: once the rate limit lets the next one start, or at once (0) where messages have left the
-- head of the queue and none was handed out.
--
-- `now()` and nothing but `order by vt` let the claim walk the index on vt; the settings keep the planner from believing
-- old statistics of a table that changes all the time.
create or replace function orchestra.pick_messages(
  target orchestra.workload, wanted int, company boolean,
  out tids tid[], out ids bigint[], out cts int[], out attempts int[], out alone boolean, out wait_ms int
)
language plpgsql
set search_path = '' set lock_timeout = '5s'
set enable_seqscan = off set enable_sort = off set enable_bitmapscan = off set jit = off
as $$
declare
  queue constant text := format('pgmq.%I', 'q_' || (target).queue_name);
  with_headers constant boolean := orchestra.takes_headers((target).queue_name);
  most_bytes constant int := 4 * 1024 * 1024;
  found_tids tid[];
  found_ids bigint[];
  found_cts int[];
  found_bytes bigint;
  special boolean;
  look int;
  crowd int;
  chosen record;
begin
  ids := '{}';
  cts := '{}';
  alone := (target).max_attempts = 1;
  if wanted <= 0 or (alone and company) then
    return;
  end if;
  if alone then
    wanted := 1;
  end if;
  look := wanted;
  for round in 1 .. 20 loop
    execute format(
      'select array_agg(p.ctid), array_agg(p.msg_id), array_agg(p.read_ct), sum(p.bytes), bool_or(p.special)
       from (
         select m.ctid, m.msg_id, m.read_ct, pg_column_size(m.message) as bytes, m.read_ct > 0 %s as special
         from %s m where m.vt <= now() order by m.vt limit $1 for update skip locked
       ) p',
      case when with_headers then 'or coalesce(m.headers ? ''orchestra'', false)' end, queue)
    into found_tids, found_ids, found_cts, found_bytes, special using look;
    exit when found_ids is null;
    special := special or found_bytes > most_bytes or cardinality(found_ids) > wanted
      or (target).rate_limit is not null or (target).steps is not null;
    if special then
      chosen := orchestra.choose_messages(
        target, found_tids, found_ids, found_cts, wanted, company, most_bytes, with_headers, round = 1);
      crowd := cardinality(found_ids);
      found_tids := chosen.tids;
      wait_ms := coalesce(chosen.wait_ms, case when cardinality(found_tids) = 0 and chosen.moved then 0 end);
      if cardinality(found_tids) = 0 and chosen.moved and chosen.wait_ms is null then
        -- What leaves may be many, and stands in the way of others: the tasks of a run that has ended, or what a rate
        -- limit keeps waiting.
        look := least(greatest(look * 4, 100), 1000);
        continue;
      elsif cardinality(found_tids) = 0 and chosen.passed and crowd = look and look < 1000 then
        -- Somebody has the runs of these; behind them may be others.
        look := least(greatest(look * 4, 100), 1000);
        continue;
      end if;
      exit when cardinality(found_tids) = 0;
      alone := alone or chosen.alone;
    end if;
    tids := found_tids;
    if special then
      ids := chosen.ids;
      attempts := chosen.attempts;
      cts := array(select c.ct + 1 from unnest(chosen.cts) with ordinality c(ct, position) order by c.position);
    else
      ids := found_ids;
      cts := array_fill(1, array[cardinality(ids)]);
    end if;
    return;
  end loop;
  alone := false;
end
$$;

-- Hands out what has been picked, each counted by read_ct before anybody sees it. The rows go where they are wanted without
-- being gathered first: they may be megabytes.
create or replace function orchestra.hand_out(target orchestra.workload, tids tid[], ids bigint[], attempts int[])
returns table (verdict text, msg_id bigint, read_ct int, attempt int, message jsonb, headers jsonb)
language plpgsql set search_path = ''
as $$
begin
  return query execute format(
    'update pgmq.%I m set read_ct = m.read_ct + 1, vt = clock_timestamp() + $2
     where m.ctid = any ($1)
     returning ''run'', m.msg_id, m.read_ct, case when $4 is null then 1 else ($4)[array_position($3, m.msg_id)] end,
       m.message, %s',
    'q_' || (target).queue_name,
    case when orchestra.takes_headers((target).queue_name) then 'm.headers' else 'null::jsonb' end)
  using tids, make_interval(secs => (target).visibility_timeout_ms / 1000.0), ids, attempts;
end
$$;

-- What of the messages that a claim has found and locked is handed out. `moved` says that others left the queue, or its head;
-- `passed` that some were left where they are, because somebody else has their run at the moment.
create or replace function orchestra.choose_messages(
  target orchestra.workload, found_tids tid[], found_ids bigint[], found_cts int[],
  wanted int, company boolean, most_bytes int, with_headers boolean, patient boolean,
  out tids tid[], out ids bigint[], out cts int[], out attempts int[], out alone boolean, out moved boolean, out passed boolean,
  out wait_ms int
)
language plpgsql set search_path = ''
as $$
declare
  queue constant text := format('pgmq.%I', 'q_' || (target).queue_name);
  the_tid tid;
  the_id bigint;
  ct int;
  visible timestamptz;
  bytes int;
  message jsonb;
  task jsonb;
  attempt int;
  suspect boolean;
  last_error text;
  last_sqlstate text;
  total bigint := 0;
  keys text[] := array[]::text[];
  tasks jsonb[] := array[]::jsonb[];
  picked record;
  gone bigint[] := array[]::bigint[];
  fault text;
  -- Of the message before, most often of this one too.
  the_run bigint;
  the_attempt int;
  the_step text;
  alive boolean;
  known boolean;
begin
  tids := '{}';
  ids := '{}';
  cts := '{}';
  attempts := '{}';
  alone := false;
  moved := false;
  passed := false;
  for the_tid, the_id, ct, visible, bytes, message, task, attempt, suspect, last_error, last_sqlstate in execute format(
    'select f.tid, f.id, f.ct, m.vt, pg_column_size(m.message) as bytes, m.message, %s as task,
            greatest(f.ct + 1 - coalesce(d.free, 0), 1) as attempt,
            f.ct > coalesce(d.settled, 0) as suspect, d.last_error, d.last_sqlstate
     from unnest($1, $2, $3) with ordinality f(tid, id, ct, position)
     join %s m on m.msg_id = f.id
     left join orchestra.delivery d on d.project = $4 and d.workload = $5 and d.msg_id = f.id and f.ct > 0
     order by f.position',
    case when with_headers then 'm.headers -> ''orchestra''' else 'null::jsonb' end, queue)
  using found_tids, found_ids, found_cts, (target).project, (target).name
  loop
    exit when cardinality(tids) >= wanted and (target).rate_limit is null;
    fault := null;
    if task is not null and not coalesce(
      task ->> 'run' ~ '^[0-9]{1,18}$' and task ->> 'a' ~ '^[0-9]{1,9}$'
      and coalesce(task ->> 'i', '0') ~ '^[0-9]{1,9}$', false
    ) then
      -- None that orchestra has written: it is a plain message.
      execute format('update %s m set headers = m.headers - ''orchestra'' where m.msg_id = $1', queue) using the_id;
      moved := true;
      continue;
    end if;
    if ((task ->> 'run')::bigint, (task ->> 'a')::int, task ->> 'step')
       is distinct from (the_run, the_attempt, the_step) then
      the_run := (task ->> 'run')::bigint;
      the_attempt := (task ->> 'a')::int;
      the_step := task ->> 'step';
      alive := null;
    end if;
    if (target).steps is not null and the_step is null then
      if the_run is not null and not orchestra.hold_run(the_run) then
        passed := true;
        continue;
      end if;
      if orchestra.start_run(target, the_run, message, visible) is null and orchestra.run_goes_on(task)
         and orchestra.step_of(target, 'items') is null
         and exists (select from orchestra.step s where s.run = the_run and s.step = 'items') then
        fault := format(
          'workload %s has become a pipeline, and this is an item of a request from before', (target).name);
      else
        gone := gone || the_id;
        moved := true;
        continue;
      end if;
    elsif the_run is not null then
      if alive is null then
        alive := orchestra.run_goes_on(task);
        known := the_step is null or orchestra.step_of(target, the_step) is not null;
      end if;
      if not alive then
        moved := true;
        if the_step is not null or not exists (
          select from orchestra.run r where r.id = the_run and r.status = 'waiting'
        ) then
          gone := gone || the_id;
        elsif orchestra.hold_run(the_run) then
          perform orchestra.end_run_as(the_run, 'cancelled', format(
            'workload %s is no pipeline any more: the input is a plain message', (target).name));
          execute format('update %s m set headers = m.headers - ''orchestra'' where m.msg_id = $1', queue) using the_id;
        end if;
        continue;
      end if;
      if not known then
        fault := format('workload %s has no step %s any more', (target).name, the_step);
      end if;
    end if;
    if fault is not null or attempt > (target).max_attempts then
      if the_run is not null and not orchestra.hold_run(the_run) then
        passed := true;
        continue;
      end if;
      fault := coalesce(fault, last_error, 'its worker went away without a verdict');
      perform orchestra.bury_message(
        target, the_id, ct, attempt - 1,
        case when attempt > (target).max_attempts then 'exhausted' else 'permanent' end, fault, last_sqlstate);
      if the_run is not null then
        perform orchestra.settle_tasks(
          target, array[jsonb_build_object('orchestra', task)], array[null::jsonb], array[fault]);
        alive := null;
      end if;
      moved := true;
      continue;
    end if;
    exit when suspect and (company or cardinality(tids) > 0);
    exit when cardinality(tids) > 0 and total + bytes > most_bytes;
    if (target).rate_limit is not null then
      keys := keys || coalesce(orchestra.key_of(message, (target).rate_key), '');
      tasks := tasks || task;
    end if;
    total := total + bytes;
    tids := tids || the_tid;
    ids := ids || the_id;
    cts := cts || ct;
    attempts := attempts || attempt;
    if suspect then
      alone := true;
      exit;
    end if;
  end loop;
  if cardinality(gone) > 0 then
    execute format('delete from %s m where m.msg_id = any ($1)', queue) using gone;
  end if;
  if (target).rate_limit is not null and cardinality(tids) > 0 then
    picked := orchestra.rate_choose(target, ids, cts, keys, tasks, wanted, patient);
    tids := array(select tids[c] from unnest(picked.chosen) with ordinality u(c, n) order by u.n);
    ids := array(select ids[c] from unnest(picked.chosen) with ordinality u(c, n) order by u.n);
    cts := array(select cts[c] from unnest(picked.chosen) with ordinality u(c, n) order by u.n);
    attempts := array(select attempts[c] from unnest(picked.chosen) with ordinality u(c, n) order by u.n);
    alone := alone and cardinality(tids) > 0;
    moved := moved or picked.moved;
    wait_ms := picked.wait_ms;
  end if;
end
$$;

-- Hands out one message to the SQL worker that holds a slot. (Its name in version 1 was another one: a worker that goes on
-- with the code of that time must not claim what it cannot run.) No message when nothing is visible, the gate is closed, the
-- workload paused or the worker beyond the limit; then `wait_ms` says when to ask again, if that is before the next poll.
create or replace function orchestra.claim_one(
  project text, workload text, slot int, token uuid,
  out msg_id bigint, out read_ct int, out attempt int, out payload jsonb,
  out sql text, out run_role text, out search_path text, out timeout_ms int, out answers boolean, out wait_ms int
)
language plpgsql set search_path = '' set lock_timeout = '5s'
as $$
declare
  target orchestra.workload;
  picked record;
  given record;
  step jsonb;
  names text[];
begin
  select w.* into target
  from orchestra.workload w join orchestra.project p on p.project = w.project
  where w.project = claim_one.project and w.name = claim_one.workload
    and p.gate = 'open' and not w.paused and claim_one.slot <= w.concurrency;
  if found then
    picked := orchestra.pick_messages(target, 1, false);
    select h.* into given from orchestra.hand_out(target, picked.tids, picked.ids, picked.attempts) h;
    msg_id := given.msg_id;
    read_ct := given.read_ct;
    attempt := given.attempt;
    payload := given.message;
    if msg_id is null then
      wait_ms := picked.wait_ms;
      if wait_ms is null and target.rate_key is not null then
        -- The next one whose turn comes.
        execute format(
          'select least(ceil(extract(epoch from m.vt - clock_timestamp()) * 1000), 1000000)
           from pgmq.%I m where m.vt > now() order by m.vt limit 1', 'q_' || target.queue_name)
        into wait_ms;
      end if;
      wait_ms := case when wait_ms < target.poll_interval_ms then greatest(wait_ms, 0) end;
    end if;
    if target.steps is not null then
      step := orchestra.step_of(target, given.headers #>> '{orchestra,step}');
    end if;
  end if;
  answers := coalesce((step ->> 'answers')::boolean, false);
  sql := coalesce(step ->> 'sql', target.sql);
  timeout_ms := coalesce((step ->> 'timeout_ms')::int, target.timeout_ms);
  run_role := case when step is not null then step ->> 'run_role' else target.run_role end;
  names := case when step is not null then array(select jsonb_array_elements_text(coalesce(step -> 'search_path', '[]')))
                else target.search_path end;
  search_path := (
    select coalesce(string_agg(quote_ident(s.name), ', ' order by s.position), '')
    from unnest(names) with ordinality s(name, position)
  );
  update orchestra.slot s set
    held = case when claim_one.msg_id is null then '{}' else array[claim_one.msg_id] end,
    held_ct = case when claim_one.msg_id is null then '{}' else array[claim_one.read_ct] end,
    due_at = case when claim_one.msg_id is not null
                  then clock_timestamp() + make_interval(secs => claim_one.timeout_ms / 1000.0) end,
    cancelled_at = null,
    lease_until = clock_timestamp() + make_interval(secs => coalesce(target.visibility_timeout_ms, 60000) / 1000.0)
  where s.project = claim_one.project and s.workload = claim_one.workload
    and s.slot = claim_one.slot and s.token = claim_one.token;
  if not found then
    -- Raised, so that the hand-out is undone with it.
    raise exception 'slot % of workload % was taken over', claim_one.slot, claim_one.workload
      using errcode = 'ORC03';
  end if;
end
$$;
