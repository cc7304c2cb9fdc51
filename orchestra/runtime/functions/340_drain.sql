-- The worker of a SQL-handled queue. Its cron command is exactly one CALL: a procedure can only COMMIT when it is
-- nobody's caller's business, has no SET clause and is no SECURITY DEFINER. So its names are qualified, and the empty
-- search_path is set anew in each transaction.
--
-- A message is handed out and committed before its handler runs, or a handler that kills its backend would take the
-- count of its attempts with it. From then on the handler's effect, the acknowledgement and the next hand-out commit
-- together: one commit a message, and an effect happens exactly once for each message that is acknowledged.
--
-- Claims are of one message, so no message ever shares the fate of another.

-- Runs a handler as its role, on its search_path, and returns when it has done and can no longer be cancelled. Whatever
-- goes wrong is raised: call it in a block that catches `others`, `query_canceled` and `assert_failure`. Where it is to
-- answer, for the steps of a pipeline, the answer is its first row: the value of a single column, or else the row; null where
-- there is none.
create or replace function orchestra.run_handler(
  project text, workload text, slot int, token uuid,
  sql text, run_role text, handler_path text, timeout_ms int, payload jsonb, attempt int, message_id bigint,
  answers boolean default false
) returns jsonb
language plpgsql
as $$
declare
  first_row record;
  answer jsonb;
  answered int;
  own_role constant text := pg_catalog.current_setting('role');
  own_lock_wait constant text := pg_catalog.current_setting('lock_timeout');
  cancelled boolean;
begin
  if own_lock_wait = '0' and timeout_ms > 0 then
    perform pg_catalog.set_config('lock_timeout', timeout_ms::text, true);
  end if;
  perform pg_catalog.set_config('search_path', handler_path, true);
  if run_role is not null then
    perform pg_catalog.set_config('role', run_role, true);
  end if;
  if answers then
    execute sql into first_row using payload, attempt, message_id;
    get diagnostics answered = row_count;
    answer := case when answered > 0 then pg_catalog.to_jsonb(first_row) end;
    if (select pg_catalog.count(*) from pg_catalog.jsonb_object_keys(answer)) = 1 then
      answer := (select e.value from pg_catalog.jsonb_each(answer) e);
    end if;
  else
    execute sql using payload, attempt, message_id;
  end if;
  -- What the handler deferred to the commit has to fail here, where it is caught.
  set constraints all immediate;
  perform pg_catalog.set_config('role', own_role, true);
  perform pg_catalog.set_config('search_path', '', true);
  perform pg_catalog.set_config('lock_timeout', own_lock_wait, true);
  cancelled := orchestra.slot_hold(run_handler.project, run_handler.workload, run_handler.slot, run_handler.token);
  if cancelled then
    -- The signal is on its way; it must arrive here and not later.
    perform pg_catalog.pg_sleep(1);
    raise query_canceled using message = 'canceling statement due to user request';
  elsif cancelled is null then
    raise exception 'the slot was lost' using errcode = 'ORC03';
  end if;
  return answer;
end
$$;

-- After a handler has failed: as slot_hold, and takes in a cancel that is still on its way. `absorbed` says that the
-- failure was a cancel itself.
create or replace function orchestra.slot_hold_after_failure(
  project text, workload text, slot int, token uuid, absorbed boolean
) returns boolean
language plpgsql set search_path = ''
as $$
declare
  cancelled boolean;
begin
  loop
    begin
      cancelled := orchestra.slot_hold($1, $2, $3, $4);
      if cancelled and not absorbed then
        perform pg_sleep(1);
      end if;
      exit;
    exception when query_canceled then
      absorbed := true;
    end;
  end loop;
  return cancelled;
end
$$;

-- Until when a call may begin another item: a minute, and less where the statement timeout, which was armed when the
-- call began and counts for all of it, would cut the last one off.
create or replace function orchestra.call_ends(timeout_ms int) returns timestamptz
language sql volatile set search_path = ''
as $$
  select statement_timestamp() + least(
    interval '60 seconds',
    nullif(current_setting('statement_timeout')::interval, '0') - make_interval(secs => timeout_ms / 1000.0 + 5)
  );
$$;

create or replace procedure orchestra.drain_sql(project text, workload text, worker int)
language plpgsql
as $$
declare
  token uuid;
  item record;
  answer jsonb;
  fresh boolean := true;
  done boolean;
  lost boolean;
  error text;
  error_state text;
  error_hint text;
begin
  perform pg_catalog.set_config('search_path', '', true);
  token := orchestra.slot_enter(drain_sql.project, drain_sql.workload, drain_sql.worker);
  commit;
  if token is null then
    return;
  end if;
  loop
    perform pg_catalog.set_config('search_path', '', true);
    begin
      select * into item
      from orchestra.claim_one(drain_sql.project, drain_sql.workload, drain_sql.worker, token);
    exception when others then
      -- What this transaction has acknowledged stays so; what is the matter shows by itself in the next one.
      if fresh or sqlstate = 'ORC03' then
        raise;
      end if;
      item.msg_id := null;
      item.wait_ms := null;
      perform orchestra.slot_empty(drain_sql.project, drain_sql.workload, drain_sql.worker, token);
    end;
    done := false;
    lost := false;
    commit;
    -- From here on the item may become overdue: nothing stands between this commit and the block that catches.
    if item.wait_ms is not null then
      -- Something is held back by a rate limit; or a run has begun, whose first step's message is visible from now on.
      exit when pg_catalog.clock_timestamp() + item.wait_ms * interval '1 millisecond' > orchestra.call_ends(item.timeout_ms);
      perform pg_catalog.pg_sleep(least(item.wait_ms / 1000.0, 1));
      -- What is visible is decided by when a transaction began.
      commit;
      fresh := true;
      continue;
    end if;
    if item.msg_id is null then
      -- A claim beside the last acknowledgement saw the queue as it was when that transaction began.
      exit when fresh;
      fresh := true;
      continue;
    end if;
    begin
      fresh := false;
      perform pg_catalog.set_config('search_path', '', true);
      answer := orchestra.run_handler(
        drain_sql.project, drain_sql.workload, drain_sql.worker, token,
        item.sql, item.run_role, item.search_path, item.timeout_ms, item.payload, item.attempt, item.msg_id, item.answers);
      select pg_catalog.cardinality(orchestra.ack_messages(
        w, array[item.msg_id], array[item.read_ct], pg_catalog.jsonb_build_object(item.msg_id, answer))) = 0
      into lost
      from orchestra.workload w
      where w.project = drain_sql.project and w.name = drain_sql.workload;
      if lost then
        -- Somebody else has the message by now: what this handler did is undone.
        raise exception 'the lease was lost' using errcode = 'ORC03';
      end if;
      done := true;
    exception
      when query_canceled or assert_failure or others then
        get stacked diagnostics
          error = message_text, error_state = returned_sqlstate, error_hint = pg_exception_hint;
    end;
    if not done and not lost then
      if orchestra.slot_hold_after_failure(
        drain_sql.project, drain_sql.workload, drain_sql.worker, token, error_state = '57014'
      ) and error_state = '57014' then
        error := pg_catalog.format('timed out after %s ms', item.timeout_ms);
      end if;
      perform orchestra.fail_message(
        drain_sql.project, drain_sql.workload, item.msg_id, item.read_ct, error, error_state, error_hint);
    end if;
    exit when pg_catalog.clock_timestamp() > orchestra.call_ends(item.timeout_ms);
  end loop;
  perform orchestra.slot_leave(drain_sql.project, drain_sql.workload, drain_sql.worker, token);
  commit;
end
$$;
