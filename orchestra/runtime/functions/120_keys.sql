-- Idempotency and debounce: what a message's key means for the ones that come after it.
--
-- A key that another transaction has just taken is waited for until that one ends. Within one call keys are taken in their
-- own order, so that two calls with the same keys cannot deadlock; two calls in each of two transactions still can.

-- A key as it is stored: an index takes no more than 2,700 bytes, and a payload that no index takes would hold up its queue.
create or replace function orchestra.short_key(key text) returns text
language sql immutable set search_path = pg_catalog, pg_temp
as $$
  select case
    when octet_length($1) <= 1000 then $1
    else 'sha256:' || encode(sha256(convert_to($1, 'UTF8')), 'hex')
  end;
$$;

-- The value of a key in a payload, by its dotted path; null where there is none.
create or replace function orchestra.key_of(payload jsonb, path text) returns text
language sql immutable set search_path = pg_catalog, pg_temp
as $$
  select orchestra.short_key($1 #>> string_to_array($2, '.'));
$$;

-- Enqueues those payloads whose key has not been enqueued within its time; a payload without a key always. `given` is one
-- key for all of them, instead of the field that the workload names. 86,400,000 ms: the day that `send` remembers a key of
-- its own where the workload says nothing.
create or replace function orchestra.enqueue_once(
  target orchestra.workload, payloads jsonb[], headers jsonb, visible timestamptz, given text, caller text
) returns bigint[]
language plpgsql set search_path = pg_catalog, pg_temp
as $$
declare
  keys text[];
  fresh text[];
  chosen int[];
  ids bigint[];
  expires constant timestamptz := clock_timestamp()
    + make_interval(secs => coalesce((target).idempotency_ttl_ms, 86400000) / 1000.0);
begin
  keys := array(
    select coalesce(orchestra.short_key(given), orchestra.key_of(p.payload, (target).idempotency_key))
    from unnest(payloads) with ordinality p(payload, position) order by p.position
  );
  -- Keys that are there are left out beforehand: the conflict would lock their rows, and whoever only repeats one would
  -- hold up all others who do.
  with taken as (
    insert into orchestra.idempotency as i (project, workload, key, expires_at)
    select (target).project, (target).name, k.key, expires
    from (select distinct key from unnest(keys) u(key) where key is not null) k
    where not exists (
      select from orchestra.idempotency o
      where o.project = (target).project and o.workload = (target).name and o.key = k.key
        and o.expires_at > clock_timestamp()
    )
    order by k.key
    on conflict on constraint idempotency_pkey do update set expires_at = excluded.expires_at, id = null
    where i.expires_at <= clock_timestamp()
    returning i.key
  )
  select coalesce(array_agg(t.key), '{}') into fresh from taken t;

  -- The first payload of each fresh key, and all without one.
  chosen := array(
    select min(k.position)::int
    from unnest(keys) with ordinality k(key, position)
    where k.key is null or k.key = any (fresh)
    group by k.key, case when k.key is null then k.position end
    order by 1
  );
  if cardinality(chosen) > 0 then
    ids := orchestra.enqueue_now(
      target, array(select payloads[c] from unnest(chosen) with ordinality u(c, position) order by u.position),
      headers, visible, caller
    );
    update orchestra.idempotency i set id = s.id
    from unnest(chosen, ids) s(position, id)
    where i.project = (target).project and i.workload = (target).name and i.key = keys[s.position];
  end if;
  return array(
    select coalesce(s.id, i.id)
    from unnest(keys) with ordinality k(key, position)
    left join unnest(chosen, ids) s(position, id) on s.position = k.position
    left join orchestra.idempotency i
      on i.project = (target).project and i.workload = (target).name and i.key = k.key
    order by k.position
  );
end
$$;

-- Of the payloads of one key only the last is enqueued, and it takes the place of one that still waits under that key: it
-- comes when nothing has followed for the period. Without a key in the spec all payloads have one and the same; a payload
-- without its key waits for nobody.
create or replace function orchestra.enqueue_last(
  target orchestra.workload, payloads jsonb[], headers jsonb, visible timestamptz, caller text
) returns bigint[]
language plpgsql set search_path = pg_catalog, pg_temp
as $$
declare
  quiet constant timestamptz := clock_timestamp() + make_interval(secs => (target).debounce_ms / 1000.0);
  item record;
  due timestamptz;
  waiting orchestra.debounce;
  touched bigint;
  sent bigint;
  ids bigint[] := array_fill(null::bigint, array[cardinality(payloads)]);
  -- The headers of a planned run stay with it.
  with_headers constant boolean := (target).steps is null and orchestra.takes_headers((target).queue_name);
begin
  for item in
    select k.key, array_agg(k.position order by k.position) as positions, max(k.position) as last
    from (
      select p.position::int,
             case when (target).debounce_key is null then ''
                  else orchestra.key_of(p.payload, (target).debounce_key) end as key
      from unnest(payloads) with ordinality p(payload, position)
    ) k
    group by k.key, case when k.key is null then k.position end
    order by k.key nulls last
  loop
    touched := null;
    due := case when item.key is null then visible else greatest(visible, quiet) end;
    if item.key is not null then
      insert into orchestra.debounce as d (project, workload, key)
      values ((target).project, (target).name, item.key)
      on conflict on constraint debounce_pkey do update set key = d.key
      returning d.* into waiting;
      if waiting.msg_id is not null then
        execute format(
          'update pgmq.%I m set message = $2, vt = $3 %s where m.msg_id = $1 and m.read_ct = 0 returning m.msg_id',
          'q_' || (target).queue_name, case when with_headers then ', headers = $4' end)
        into touched using waiting.msg_id, payloads[item.last], due, headers;
      end if;
    end if;
    if touched is not null then
      sent := coalesce(waiting.run, touched);
      update orchestra.run r set input = payloads[item.last] where r.id = waiting.run;
    elsif (target).steps is not null then
      select p.run, p.msg_id into sent, touched
      from orchestra.plan_run(target, payloads[item.last], due, caller) p;
    else
      sent := (orchestra.insert_messages(
        target, array[payloads[item.last]], case when headers is not null then array[headers] end, due))[1];
      touched := sent;
    end if;
    if item.key is not null then
      update orchestra.debounce d set
        msg_id = touched,
        run = case when (target).steps is not null then sent end,
        due_at = due
      where d.project = (target).project and d.workload = (target).name and d.key = item.key;
    end if;
    for i in 1 .. cardinality(item.positions) loop
      ids[item.positions[i]] := sent;
    end loop;
  end loop;
  return ids;
end
$$;
