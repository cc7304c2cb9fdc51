-- Waking workers in Edge Functions: by a call of pg_net, which leaves after the commit and of which nothing hangs. A wake
-- never touches slots; the worker that comes takes one.
--
-- Work that is enqueued wakes at its commit: a deferred trigger decides there, when the messages are about to be seen, and
-- not inside the caller's transaction, which may go on for long. Nobody waits for anybody: a caller who finds another one
-- deciding leaves it to that one, and the tick looks again.

-- How many workers a workload may have at once. Sets nothing, so that it is inlined into its callers, who pin their path.
create or replace function orchestra.slots(target orchestra.workload) returns int
language sql immutable
as $$
  select case (target).handler
    when 'edge' then (target).concurrency / (target).per_worker + ((target).concurrency % (target).per_worker > 0)::int
    else (target).concurrency
  end;
$$;

-- Notes that this transaction enqueues for an Edge worker; at most one row a transaction and workload. The count stops
-- where it calls for all workers, because a row that is updated again and again gets slower each time.
create or replace function orchestra.knock(target orchestra.workload, messages int, visible timestamptz) returns void
language plpgsql set search_path = pg_catalog, pg_temp
as $$
begin
  if (target).handler = 'edge' and knock.messages > 0 and visible <= clock_timestamp() + interval '50 milliseconds' then
    insert into orchestra.knock as k (project, workload, xid, messages)
    values ((target).project, (target).name, pg_current_xact_id(), knock.messages)
    on conflict on constraint knock_pkey do update set messages = k.messages + excluded.messages
    where k.messages < (target).batch_size::bigint * orchestra.slots(target);
  end if;
end
$$;

-- Whether no call is to be made yet: one is under way that no worker has answered by coming. Waits for calls that nobody
-- answers double from 4 seconds to 5 minutes; what kept a call from being made at all is tried again after 30 seconds.
create or replace function orchestra.wake_rests(known orchestra.wake) returns boolean
language sql volatile set search_path = pg_catalog, pg_temp
as $$
  select coalesce((known).last_at > coalesce((known).entered_at, '-infinity')
    and clock_timestamp() < (known).last_at + least(
      interval '4 seconds' * power(2, least((known).misses, 10)),
      case when (known).error is null then interval '5 minutes' else interval '30 seconds' end
    ), false);
$$;

-- Calls the workload's Edge Function for up to `wanted` workers, if that is of use: idle ones count (they find the work by
-- themselves), a slot is free, a rate limit lets something begin, and no earlier call is waited for. After a call that
-- nobody answered it is one at a time. Answers how many calls were made. Who holds messages and has not renewed them lately
-- may be dead, and does not count as idle.
create or replace function orchestra.wake(project text, workload text, wanted int) returns int
language plpgsql set search_path = pg_catalog, pg_temp
as $$
declare
  target orchestra.workload;
  known orchestra.wake;
  free int;
  idle int;
  missed boolean;
  url text;
  key text;
  sent bigint;
begin
  select w.* into target
  from orchestra.workload w join orchestra.project p on p.project = w.project
  where w.project = wake.project and w.name = wake.workload
    and w.handler = 'edge' and w.pattern = 'queue' and not w.paused and p.gate = 'open';
  if not found then
    return 0;
  end if;
  select orchestra.slots(target) - count(*) filter (where s.slot <= orchestra.slots(target)),
         count(*) filter (where not s.busy and (
           s.held = '{}' or s.lease_until > clock_timestamp() + make_interval(
             secs => (s.lease_ms - least(s.lease_ms / 2, 20000)) / 1000.0)
         ))
  into free, idle
  from orchestra.slot s
  where s.project = wake.project and s.workload = wake.workload
    and s.token is not null and s.lease_until > clock_timestamp();
  wanted := least(wanted - idle, free);
  if wanted <= 0 or orchestra.rate_rests(target) then
    return 0;
  end if;
  -- Looked at without a lock first: under load most who come here find a call under way.
  select k.* into known from orchestra.wake k
  where k.project = wake.project and k.workload = wake.workload;
  if not found or orchestra.wake_rests(known) then
    return 0;
  end if;
  select k.* into known from orchestra.wake k
  where k.project = wake.project and k.workload = wake.workload
  for update skip locked;
  if not found or orchestra.wake_rests(known) then
    return 0;
  end if;
  missed := coalesce(known.last_at > coalesce(known.entered_at, '-infinity'), false);
  if missed then
    wanted := 1;
  end if;

  begin
    execute 'select s.decrypted_secret from vault.decrypted_secrets s where s.name = $1'
    into url using target.url_secret;
    execute 'select s.decrypted_secret from vault.decrypted_secrets s where s.name = $1'
    into key using target.key_secret;
    if url is null or key is null then
      raise exception 'the secret % is not in Vault', case when url is null then target.url_secret else target.key_secret end;
    end if;
    for number in 1 .. wanted loop
      execute
        'select net.http_post(url => $1, body => $2, headers => $3, timeout_milliseconds => 5000)'
      into sent
      using rtrim(url, '/') || '/' || target.name,
            jsonb_build_object('workload', target.name),
            jsonb_build_object('Content-Type', 'application/json', 'apikey', key, 'x-orchestra', 'wake');
    end loop;
  exception when others then
    update orchestra.wake k set last_at = clock_timestamp(), misses = k.misses + 1, error = left(sqlerrm, 1000)
    where k.project = wake.project and k.workload = wake.workload;
    return 0;
  end;
  update orchestra.wake k set
    last_at = clock_timestamp(), misses = case when missed then k.misses + 1 else 0 end, error = null, request = sent
  where k.project = wake.project and k.workload = wake.workload;
  return wanted;
end
$$;

-- The deferred trigger. What goes wrong here must not fail the commit of somebody who only wanted to enqueue.
create or replace function orchestra.knock_at_commit() returns trigger
language plpgsql security definer set search_path = pg_catalog, pg_temp set lock_timeout = '100ms'
as $$
declare
  waiting bigint;
begin
  delete from orchestra.knock k
  where k.project = new.project and k.workload = new.workload and k.xid = new.xid
  returning k.messages into waiting;
  begin
    perform orchestra.wake(
      new.project, new.workload,
      ceil(least(waiting / greatest(w.batch_size, 1)::numeric, 1000))::int
    )
    from orchestra.workload w
    where w.project = new.project and w.name = new.workload;
  exception when others then
    raise debug 'orchestra: waking %/%: %', new.project, new.workload, sqlerrm;
  end;
  return null;
end
$$;

do $$
begin
  if not exists (
    select from pg_catalog.pg_trigger t
    where t.tgrelid = 'orchestra.knock'::regclass and t.tgname = 'knock_at_commit'
  ) then
    create constraint trigger knock_at_commit after insert on orchestra.knock
    deferrable initially deferred for each row execute function orchestra.knock_at_commit();
  end if;
end
$$;
