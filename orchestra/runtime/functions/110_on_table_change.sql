-- The trigger behind `trigger: table`: AFTER a statement, one message for each row that changed, in the transaction of
-- the statement. Arguments: project, workload, payload (`key` or `new`), columns as a JSON array (empty: any).
--
--   {"op": "update", "table": "public.documents", "key": {"id": 7}, "changed": ["body"], "at": "2026-11-23T20:15:00Z"}
--
-- and `row`, the new row, where the payload is `new` (not for a delete). `changed` names columns for an update only. An
-- update whose values stay as they are sends nothing. An update of the primary key itself sends a message for the
-- old key and one for the new one. TRUNCATE fires nothing; nor does a write to a partition behind its table's back.
--
-- It must not fail the statement of an application for what is wrong on our side: the TRIGGER privilege lets a role
-- create a trigger, but not drop it, so a trigger may outlive its workload. Without a workload it does nothing; without
-- its queue or the table's primary key it does nothing and warns. It is SECURITY DEFINER, so that the application's roles
-- need no rights on queues.

-- An instant as JSON payloads carry it, whatever the session's time zone.
create or replace function orchestra.iso(at timestamptz) returns text
language sql stable set search_path = pg_catalog, pg_temp
as $$
  select replace(to_char($1 at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'), '.000000Z', 'Z');
$$;

create or replace function orchestra.on_table_change() returns trigger
language plpgsql security definer set search_path = pg_catalog, pg_temp
as $$
declare
  target orchestra.workload;
  queue text;
  with_row constant boolean := tg_argv[2] = 'new' and tg_op <> 'DELETE';
  listed text[];
  keys_equal text;
  old_key text;
  new_key text;
  key_names text;
  changed text;
  source text;
  visible timestamptz;
  sent int;
  messages jsonb[];
begin
  -- The usual statement that finds no row costs next to nothing.
  if tg_op = 'DELETE' then
    perform from orchestra_old limit 1;
  else
    perform from orchestra_new limit 1;
  end if;
  if not found then
    return null;
  end if;
  select w.* into target from orchestra.workload w
  where w.project = tg_argv[0] and w.name = tg_argv[1] and w.queue_name is not null;
  if not found then
    return null;
  end if;
  queue := format('pgmq.%I', 'q_' || target.queue_name);
  if to_regclass(queue) is null then
    raise warning 'orchestra: % of %.% was not sent: queue % is missing',
      lower(tg_op), tg_table_schema, tg_table_name, target.queue_name;
    return null;
  end if;

  -- Keys are compared by the operators of the primary key's own index: others might not be on an empty search_path.
  select string_agg(format('o.%1$I operator(%2$I.%3$s) n.%1$I', k.attname, k.nspname, k.oprname), ' and '),
         string_agg(format('%1$L, o.%1$I', k.attname), ', '),
         string_agg(format('%1$L, n.%1$I', k.attname), ', '),
         string_agg(quote_literal(k.attname), ', ')
  into keys_equal, old_key, new_key, key_names
  from (
    select a.attname, n.nspname, o.oprname
    from pg_catalog.pg_index i
    cross join lateral generate_series(0, i.indnkeyatts - 1) p(place)
    join pg_catalog.pg_attribute a on a.attrelid = i.indrelid and a.attnum = i.indkey[p.place]
    join pg_catalog.pg_opclass c on c.oid = i.indclass[p.place]
    join pg_catalog.pg_amop m on m.amopfamily = c.opcfamily and m.amopstrategy = 3
      and m.amoplefttype = c.opcintype and m.amoprighttype = c.opcintype
    join pg_catalog.pg_operator o on o.oid = m.amopopr
    join pg_catalog.pg_namespace n on n.oid = o.oprnamespace
    where i.indrelid = tg_relid and i.indisprimary
    order by p.place
  ) k;
  if keys_equal is null then
    raise warning 'orchestra: % of %.% was not sent: the table has no primary key',
      lower(tg_op), tg_table_schema, tg_table_name;
    return null;
  end if;

  if tg_op = 'UPDATE' then
    listed := array(select jsonb_array_elements_text(coalesce(nullif(tg_argv[3], ''), '[]')::jsonb));
    -- Compared as stored (*<>): it knows every type, and a type without an equality must not fail the statement. As
    -- records, because rows of one column would be compared as that column.
    select string_agg(
             format('case when row(o.%1$I)::record operator(pg_catalog.*<>) row(n.%1$I)::record then %1$L end', a.attname),
             ', ' order by a.attnum)
    into changed
    from pg_catalog.pg_attribute a
    where a.attrelid = tg_relid and a.attnum > 0 and not a.attisdropped
      and (cardinality(listed) = 0 or a.attname = any (listed));
    if changed is null then
      -- Not one of the listed columns is there any more.
      return null;
    end if;
    -- `offset 0` keeps the comparison from being done twice.
    source := format(
      'select k.changed, case when n is null then jsonb_build_object(%4$s) else jsonb_build_object(%5$s) end as key,
              %6$s as row
       from orchestra_old o full join orchestra_new n on %3$s
       cross join lateral (
         select case when o is null or n is null then array[%1$s]
                     else array_remove(array[%2$s], null) end as changed
         offset 0
       ) k
       where cardinality(k.changed) > 0',
      key_names, changed, keys_equal, old_key, new_key,
      case when with_row then 'case when not n is null then to_jsonb(n) end' else 'null::jsonb' end);
  else
    source := format('select array[]::text[] as changed, jsonb_build_object(%s) as key, %s as row from %s n',
      new_key, case when with_row then 'to_jsonb(n)' else 'null::jsonb' end,
      case tg_op when 'DELETE' then 'orchestra_old' else 'orchestra_new' end);
  end if;
  source := format(
    'select jsonb_build_object(''op'', $1, ''table'', $2, ''key'', c.key, ''changed'', c.changed, ''at'', $3) %s as message
     from (%s) c', case when with_row then '|| jsonb_build_object(''row'', c.row)' else '' end, source);
  if target.steps is null and target.debounce_ms is null and target.idempotency_key is null then
    visible := clock_timestamp() + make_interval(secs => target.delay_ms / 1000.0);
    execute format('insert into %s (vt, message) select $4, s.message from (%s) s', queue, source)
    using lower(tg_op), format('%I.%I', tg_table_schema, tg_table_name), orchestra.iso(now()), visible;
    get diagnostics sent = row_count;
    if sent > 0 then
      perform orchestra.knock(target, sent, visible);
    end if;
  else
    execute format('select array_agg(s.message) from (%s) s', source)
    into messages using lower(tg_op), format('%I.%I', tg_table_schema, tg_table_name), orchestra.iso(now());
    if messages is not null then
      perform orchestra.enqueue(target, messages);
    end if;
  end if;
  return null;
end
$$;
