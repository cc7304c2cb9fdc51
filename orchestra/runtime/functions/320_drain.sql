-- The worker of a SQL-handled queue. Its cron command is exactly one CALL: a procedure can only COMMIT when it is
-- nobody's caller's business, has no SET clause and is no SECURITY DEFINER. So its names are qualified, and the empty
-- search_path is set anew in each transaction.
--
-- A message is handed out and committed before its handler runs, or a handler that kills its backend would take the
-- count of its attempts with it. From then on the handler's effect, the acknowledgement and the next hand-out commit
-- together: one commit a message, and an effect happens exactly once for each message that is acknowledged.
--
-- Claims are of one message, so no message ever shares the fate of another.

create or replace procedure orchestra.drain_sql(project text, workload text, worker int)
language plpgsql
as $$
declare
  began constant timestamptz := pg_catalog.clock_timestamp();
  own_role constant text := pg_catalog.current_setting('role');
  lock_wait constant text := pg_catalog.current_setting('lock_timeout');
  -- The statement timeout was armed when this call began and counts for the call as a whole.
  call_ms constant int := (select s.setting::int from pg_catalog.pg_settings s where s.name = 'statement_timeout');
  token uuid;
  item record;
  fresh boolean := true;
  done boolean;
  lost boolean;
  cancelled boolean;
  absorbed boolean;
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
    select * into item
    from orchestra.next_message(drain_sql.project, drain_sql.workload, drain_sql.worker, token);
    commit;
    if item.msg_id is null then
      -- A claim beside the last acknowledgement saw the queue as it was when that transaction began.
      exit when fresh;
      fresh := true;
      continue;
    end if;
    fresh := false;
    perform pg_catalog.set_config('search_path', '', true);
    done := false;
    lost := false;
    absorbed := false;
    begin
      if lock_wait = '0' then
        perform pg_catalog.set_config('lock_timeout', item.timeout_ms::text, true);
      end if;
      perform pg_catalog.set_config('search_path', item.search_path, true);
      if item.run_role is not null then
        perform pg_catalog.set_config('role', item.run_role, true);
      end if;
      execute item.sql using item.payload, item.attempt, item.msg_id;
      -- What the handler deferred to the commit has to fail here, where it is caught.
      set constraints all immediate;
      perform pg_catalog.set_config('role', own_role, true);
      perform pg_catalog.set_config('search_path', '', true);
      perform pg_catalog.set_config('lock_timeout', lock_wait, true);
      cancelled := orchestra.slot_hold(drain_sql.project, drain_sql.workload, drain_sql.worker, token);
      if cancelled then
        -- The signal is on its way; it must arrive here and not later.
        perform pg_catalog.pg_sleep(1);
        raise query_canceled using message = 'timed out';
      end if;
      lost := cancelled is null or not orchestra.ack_message(
        drain_sql.project, drain_sql.workload, item.queue_name, item.msg_id, item.read_ct, item.keep);
      if lost then
        raise exception 'the lease was lost' using errcode = 'ORC03';
      end if;
      done := true;
    exception
      when query_canceled or assert_failure or others then
        get stacked diagnostics
          error = message_text, error_state = returned_sqlstate, error_hint = pg_exception_hint;
        absorbed := error_state = '57014';
    end;
    if not done and not lost then
      loop
        begin
          cancelled := orchestra.slot_hold(drain_sql.project, drain_sql.workload, drain_sql.worker, token);
          if cancelled and not absorbed then
            perform pg_catalog.pg_sleep(1);
          end if;
          exit;
        exception when query_canceled then
          absorbed := true;
        end;
      end loop;
      if cancelled and error_state = '57014' then
        error := pg_catalog.format('timed out after %s ms', item.timeout_ms);
      end if;
      perform orchestra.fail_message(
        drain_sql.project, drain_sql.workload, item.msg_id, item.read_ct, error, error_state, error_hint);
    end if;
    exit when pg_catalog.clock_timestamp() > began + interval '60 seconds'
      or (call_ms > 0
          and pg_catalog.clock_timestamp() > began + pg_catalog.make_interval(secs => (call_ms - item.timeout_ms - 5000) / 1000.0));
  end loop;
  perform orchestra.slot_leave(drain_sql.project, drain_sql.workload, drain_sql.worker, token);
  commit;
end
$$;
