-- What a worker in an Edge Function calls: it enters, takes turns, extends its leases, leaves. These names are versioned: a
-- function that was deployed yesterday calls them today.
--
-- A slot is held by its token until its lease ends, which is never before the leases of the messages that were handed out
-- with it. So the slot of a worker that died is taken by another one only when its messages may be too, and never more
-- than `concurrency` handlers run under a live lease.

-- What becomes of a worker whose code has version `contract`:
--
--   go        it is the version that is wanted, or the last one that was seen while the wanted one has never been
--   drain     an older version: it may settle what it holds, and gets no more
--   foreign   never seen before and not wanted: it is turned away
create or replace function orchestra.contract_verdict(target orchestra.workload, contract text) returns text
language sql stable set search_path = ''
as $$
  select case
    when $2 = (target).contract then 'go'
    when not bool_or(c.contract = $2) or count(*) = 0 then 'foreign'
    when bool_or(c.contract = (target).contract) then 'drain'
    when (array_agg(c.contract order by c.last_at desc))[1] = $2 then 'go'
    else 'drain'
  end
  from orchestra.contract c
  where c.project = (target).project and c.workload = (target).name;
$$;

-- Notes that this version of a workload's code is there, if it is one that may work.
create or replace function orchestra.announce(target orchestra.workload, contract text) returns void
language plpgsql set search_path = ''
as $$
begin
  if orchestra.contract_verdict(target, announce.contract) <> 'go' then
    return;
  end if;
  -- Whoever enqueues many items announces itself in a long transaction, for which nobody has to wait.
  update orchestra.contract c set last_at = clock_timestamp()
  where c.ctid = (
    select o.ctid from orchestra.contract o
    where o.project = (target).project and o.workload = (target).name and o.contract = announce.contract
      and o.last_at < clock_timestamp() - interval '1 second'
    for update skip locked
  );
  if not found and not exists (
    select from orchestra.contract o
    where o.project = (target).project and o.workload = (target).name and o.contract = announce.contract
  ) and pg_try_advisory_xact_lock(
    hashtextextended(format('orchestra.contract %s/%s %s', (target).project, (target).name, announce.contract), 0)
  ) then
    insert into orchestra.contract (project, workload, contract)
    values ((target).project, (target).name, announce.contract)
    on conflict do nothing;
  end if;
end
$$;

-- What a worker is told when it comes, as a text to compare.
create or replace function orchestra.limits_of(target orchestra.workload) returns text
language sql stable
as $$
  select concat_ws(' ', (target).concurrency, (target).per_worker, (target).batch_size, (target).timeout_ms,
    (target).visibility_timeout_ms, (target).linger_ms, (target).cpu_ms, (target).max_attempts,
    (target).rate_limit is not null, jsonb_hash_extended((target).steps, 0));
$$;

-- Takes a free slot. `verdict` is go, full, paused, drain, foreign or unknown; the rest is set with `go` alone. The handlers
-- that the workload may run at once are spread evenly over its slots: `config.handlers` is this one's share. A worker keeps the
-- limits that it came with; once they change it is told to drain.
create or replace function orchestra.enter_v1(
  project text, workload text, contract text,
  out verdict text, out slot int, out token uuid, out config jsonb
)
language plpgsql set search_path = '' set lock_timeout = '5s'
as $$
declare
  target orchestra.workload;
  most int;
  mine orchestra.slot;
  room int;
begin
  select w.* into target from orchestra.workload w
  where w.project = enter_v1.project and w.name = enter_v1.workload and w.handler = 'edge' and w.pattern = 'queue';
  if not found then
    verdict := 'unknown';
    return;
  end if;
  verdict := orchestra.contract_verdict(target, enter_v1.contract);
  if verdict <> 'go' then
    return;
  end if;
  perform orchestra.announce(target, enter_v1.contract);
  insert into orchestra.wake as k (project, workload, entered_at)
  values (enter_v1.project, enter_v1.workload, clock_timestamp())
  on conflict on constraint wake_pkey do update set entered_at = clock_timestamp(), misses = 0, error = null;
  if not orchestra.is_open(target) then
    verdict := 'paused';
    return;
  end if;

  most := orchestra.slots(target);
  if most > (select count(*) from orchestra.slot s
             where s.project = enter_v1.project and s.workload = enter_v1.workload and s.slot <= most) then
    insert into orchestra.slot (project, workload, slot)
    select enter_v1.project, enter_v1.workload, n from generate_series(1, most) n
    on conflict do nothing;
  end if;
  select s.* into mine from orchestra.slot s
  where s.project = enter_v1.project and s.workload = enter_v1.workload and s.slot <= most
    and (s.token is null or s.pid is null and s.lease_until < clock_timestamp())
  order by s.slot limit 1
  for update skip locked;
  if not found then
    verdict := 'full';
    return;
  end if;
  -- Workers that came under other limits have their share until they leave. Nobody else enters meanwhile: the row of the
  -- wake-ups is locked.
  room := target.concurrency - (
    select coalesce(sum(s.share), 0) from orchestra.slot s
    where s.project = enter_v1.project and s.workload = enter_v1.workload and s.slot <> mine.slot
      and s.token is not null and s.lease_until >= clock_timestamp()
  );
  if room <= 0 then
    verdict := 'full';
    return;
  end if;
  room := least(room, target.concurrency / most + case when mine.slot <= target.concurrency % most then 1 else 0 end);
  slot := mine.slot;
  token := gen_random_uuid();
  update orchestra.slot s set
    token = enter_v1.token, contract = enter_v1.contract, seq = 0, busy = false, alone = false,
    share = room, limits = orchestra.limits_of(target), lease_ms = target.visibility_timeout_ms,
    held = '{}', held_ct = '{}', fresh = '{}', fresh_ct = '{}', lease_until = clock_timestamp() + interval '10 seconds'
  where s.project = enter_v1.project and s.workload = enter_v1.workload and s.slot = mine.slot;
  config := jsonb_build_object(
    'handlers', room,
    'batch_size', target.batch_size,
    'timeout_ms', target.timeout_ms,
    'visibility_timeout_ms', target.visibility_timeout_ms,
    'linger_ms', target.linger_ms,
    'cpu_ms', target.cpu_ms,
    'max_attempts', target.max_attempts,
    'rate_limited', target.rate_limit is not null,
    'steps', (
      select jsonb_object_agg(s ->> 'name', jsonb_build_object(
        'timeout_ms', s -> 'timeout_ms', 'result', true,
        'input', jsonb_array_length(coalesce(s -> 'depends_on', '[]')) = 0
      ))
      from jsonb_array_elements(target.steps) s
    )
  );
end
$$;

-- One turn: settles what the worker reports, renews its slot, and hands out up to `want` further messages. The first row is
-- the turn's own verdict (go, drain, lost or foreign) with {"wait_ms", "alone"} as its message; `run` rows are messages handed
-- out, `late` rows reports that came too late. `seq` counts turns from 1: the same number again is the same turn, whose reply
-- was lost, and is answered with the same claim; nothing is settled or claimed twice.
create or replace function orchestra.turn_v1(
  project text, workload text, slot int, token uuid, seq bigint, contract text,
  ack bigint[], ack_ct int[], results jsonb, fails jsonb, back bigint[], back_ct int[], want int
) returns table (verdict text, msg_id bigint, read_ct int, attempt int, message jsonb, headers jsonb)
language plpgsql set search_path = '' set lock_timeout = '5s' set plan_cache_mode = force_generic_plan
as $$
declare
  target orchestra.workload;
  mine orchestra.slot;
  said text;
  late bigint[];
  keep_ids bigint[] := array[]::bigint[];
  keep_cts int[] := array[]::int[];
  picked record;
  ids bigint[] := array[]::bigint[];
  cts int[] := array[]::int[];
  solitary boolean := false;
  blocked boolean;
  wait_ms int;
begin
  ack := coalesce(ack, '{}');
  back := coalesce(back, '{}');
  select w.* into target from orchestra.workload w
  where w.project = turn_v1.project and w.name = turn_v1.workload;
  select s.* into mine from orchestra.slot s
  where s.project = turn_v1.project and s.workload = turn_v1.workload and s.slot = turn_v1.slot
    and s.token = turn_v1.token
  for update;
  if mine.token is null then
    if target.name is not null then
      -- What nobody else has had since may still be settled.
      late := orchestra.settle(target, ack, ack_ct, results, fails, back, back_ct);
    end if;
    return query select 'lost', null::bigint, null::int, null::int, '{"wait_ms": null, "alone": false}'::jsonb, null::jsonb;
    return query select 'late', l, null::int, null::int, null::jsonb, null::jsonb from unnest(late) l;
    return;
  end if;
  if turn_v1.seq = mine.seq then
    return query select 'go', null::bigint, null::int, null::int,
      jsonb_build_object('wait_ms', null, 'alone', mine.alone), null::jsonb;
    return query select * from orchestra.repeat_claim(target, mine.fresh, mine.fresh_ct);
    return;
  elsif turn_v1.seq <> mine.seq + 1 then
    raise exception 'turn % does not follow turn %', turn_v1.seq, mine.seq using errcode = 'ORC30';
  end if;

  late := orchestra.settle(target, ack, ack_ct, results, fails, back, back_ct);
  if cardinality(mine.held) > 0 then
    select coalesce(array_agg(h.id), '{}'), coalesce(array_agg(h.ct), '{}') into keep_ids, keep_cts
    from unnest(mine.held, mine.held_ct) h(id, ct)
    where h.id <> all (ack) and h.id <> all (back)
      and (fails is null or not exists (
        select from jsonb_array_elements(fails) f where (f ->> 'id')::bigint = h.id
      ));
  end if;
  solitary := mine.alone and cardinality(keep_ids) > 0;

  said := case
    when turn_v1.slot > orchestra.slots(target) or not orchestra.is_open(target)
      or mine.limits <> orchestra.limits_of(target) then 'drain'
    when turn_v1.contract = target.contract then 'go'
    else orchestra.contract_verdict(target, turn_v1.contract)
  end;
  if said = 'go' and want > 0 and not solitary then
    picked := orchestra.pick_messages(target, want, cardinality(keep_ids) > 0);
    ids := picked.ids;
    cts := picked.cts;
    solitary := picked.alone;
    wait_ms := picked.wait_ms;
    if cardinality(ids) = 0 and cardinality(keep_ids) > 0 and wait_ms is null then
      -- What waits must have no company: others have to come for it, and for what stands behind it.
      execute format(
        'select true from pgmq.%I m where m.vt <= now() order by m.vt limit 1 for update skip locked',
        'q_' || target.queue_name)
      into blocked;
    end if;
  end if;
  return query select said, null::bigint, null::int, null::int,
    jsonb_build_object('wait_ms', wait_ms, 'alone', solitary), null::jsonb;
  if cardinality(late) > 0 then
    return query select 'late', l, null::int, null::int, null::jsonb, null::jsonb from unnest(late) l;
  end if;
  if cardinality(ids) > 0 then
    return query select * from orchestra.hand_out(target, picked.tids, ids, picked.attempts);
  end if;
  -- After the messages: the lease of a slot does not end before theirs.
  update orchestra.slot s set
    seq = turn_v1.seq, alone = solitary,
    busy = want <= 0 or cardinality(ids) > 0 or said <> 'go' or solitary or blocked is not null,
    held = keep_ids || ids, held_ct = keep_cts || cts, fresh = ids, fresh_ct = cts,
    lease_until = greatest(
      case when cardinality(keep_ids) > 0 then s.lease_until end,
      clock_timestamp() + case
        when cardinality(ids) > 0 then make_interval(secs => target.visibility_timeout_ms / 1000.0)
        else interval '5 seconds'
      end
    )
  where s.project = turn_v1.project and s.workload = turn_v1.workload and s.slot = turn_v1.slot;
end
$$;

-- The rows of a claim that has been made already, for a worker that never got them.
create or replace function orchestra.repeat_claim(target orchestra.workload, ids bigint[], cts int[])
returns table (verdict text, msg_id bigint, read_ct int, attempt int, message jsonb, headers jsonb)
language plpgsql set search_path = '' set enable_seqscan = off
as $$
begin
  for verdict, msg_id, read_ct, attempt, message, headers in execute format(
    'select ''run'', m.msg_id, m.read_ct, greatest(m.read_ct - coalesce(d.free, 0), 1), m.message, %s
     from unnest($1, $2) c(id, ct)
     join pgmq.%I m on m.msg_id = c.id and m.read_ct = c.ct
     left join orchestra.delivery d on d.project = $3 and d.workload = $4 and d.msg_id = c.id',
    case when orchestra.takes_headers((target).queue_name) then 'm.headers' else 'null::jsonb' end,
    'q_' || (target).queue_name)
  using ids, cts, (target).project, (target).name
  loop
    return next;
  end loop;
end
$$;

-- Renews the leases of the slot and of messages that it holds. Answers those that are lost: somebody else has them, their run
-- has ended, or the slot is another's. Their handlers have to stop.
create or replace function orchestra.extend_v1(
  project text, workload text, slot int, token uuid, ids bigint[], cts int[]
) returns setof bigint
language plpgsql
set search_path = '' set lock_timeout = '5s' set enable_seqscan = off set enable_sort = off set enable_bitmapscan = off
as $$
declare
  target orchestra.workload;
  mine orchestra.slot;
  lease interval;
  renewed bigint[];
begin
  select s.* into mine from orchestra.slot s
  where s.project = extend_v1.project and s.workload = extend_v1.workload and s.slot = extend_v1.slot
    and s.token = extend_v1.token
  for update;
  if not found then
    return query select unnest(ids);
    return;
  end if;
  if cardinality(ids) = 0 then
    -- A turn that the worker does not know the answer of may have claimed: what is held keeps its lease.
    update orchestra.slot s set lease_until = greatest(
      case when cardinality(s.held) > 0 then s.lease_until end, clock_timestamp() + interval '5 seconds')
    where s.project = extend_v1.project and s.workload = extend_v1.workload and s.slot = extend_v1.slot;
    return;
  end if;
  select w.* into target from orchestra.workload w
  where w.project = extend_v1.project and w.name = extend_v1.workload;
  -- As it was when the worker came: that is how often it renews.
  lease := make_interval(secs => coalesce(mine.lease_ms, target.visibility_timeout_ms) / 1000.0);
  execute format(
    'with renewed as (
       update pgmq.%I m set vt = clock_timestamp() + $3
       from unnest($1, $2) e(id, ct) where m.msg_id = e.id and m.read_ct = e.ct
       returning m.msg_id, %s as task
     )
     select array_agg(r.msg_id) from renewed r
     where r.task is null or exists (
       select from orchestra.run u
       where u.id = (r.task ->> ''run'')::bigint and u.status = ''running'' and u.attempt = (r.task ->> ''a'')::int
     )',
    'q_' || target.queue_name,
    case when orchestra.takes_headers(target.queue_name) then 'm.headers -> ''orchestra''' else 'null::jsonb' end)
  into renewed using ids, cts, lease;
  renewed := coalesce(renewed, '{}');
  -- After the messages: the lease of a slot does not end before theirs.
  update orchestra.slot s set lease_until = greatest(s.lease_until, clock_timestamp() + lease)
  where s.project = extend_v1.project and s.workload = extend_v1.workload and s.slot = extend_v1.slot;
  if cardinality(renewed) < cardinality(ids) then
    -- What is lost holds up nothing: neither its slot nor what must have no company.
    update orchestra.slot s set (held, held_ct) = (
      select coalesce(array_agg(h.id), '{}'), coalesce(array_agg(h.ct), '{}')
      from unnest(s.held, s.held_ct) h(id, ct)
      where not exists (
        select from unnest(ids, cts) e(id, ct) where e.id = h.id and e.ct = h.ct and e.id <> all (renewed)
      )
    )
    where s.project = extend_v1.project and s.workload = extend_v1.workload and s.slot = extend_v1.slot;
  end if;
  return query select i from unnest(ids) i where i <> all (renewed);
end
$$;

-- The end of a worker: gives back what it has not started and frees its slot, unless handlers of it are still running; then
-- the slot stays taken until their lease ends.
create or replace function orchestra.leave_v1(
  project text, workload text, slot int, token uuid, back bigint[] default '{}', back_ct int[] default '{}'
) returns void
language plpgsql set search_path = '' set lock_timeout = '5s'
as $$
declare
  target orchestra.workload;
  mine orchestra.slot;
  still_ids bigint[];
  still_cts int[];
begin
  select w.* into target from orchestra.workload w
  where w.project = leave_v1.project and w.name = leave_v1.workload;
  -- A turn of the same worker may still be on its way: its slot comes before its messages.
  select s.* into mine from orchestra.slot s
  where s.project = leave_v1.project and s.workload = leave_v1.workload and s.slot = leave_v1.slot
    and s.token = leave_v1.token
  for update;
  if cardinality(back) > 0 and target.queue_name is not null then
    perform orchestra.give_back(target, back, back_ct);
  end if;
  select coalesce(array_agg(h.id), '{}'), coalesce(array_agg(h.ct), '{}') into still_ids, still_cts
  from unnest(mine.held, mine.held_ct) h(id, ct)
  where h.id <> all (back);
  update orchestra.slot s set
    token = case when still_ids <> '{}' then s.token end,
    lease_until = case when still_ids <> '{}' then s.lease_until end,
    busy = true, held = still_ids, held_ct = still_cts, fresh = '{}', fresh_ct = '{}'
  where s.project = leave_v1.project and s.workload = leave_v1.workload and s.slot = leave_v1.slot
    and s.token = leave_v1.token;
end
$$;
