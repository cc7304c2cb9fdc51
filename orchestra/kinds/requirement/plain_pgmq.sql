(
  select case
    when to_regclass('pgmq.meta') is null then null
    when 'read_grouped_head_with_poll' = any (f.names) then '1.13'
    when 'bind_topic' = any (f.names) then '1.11'
    when 'last_read_at' = any (c.names) then '1.10'
    when 'read_grouped' = any (f.names) then '1.9'
    when 'enable_notify_insert' = any (f.names) then '1.7'
    when 'headers' = any (c.names) then '1.5'
    else '1.4.4'
  end
  from (
    select array(
      select p.proname::text from pg_catalog.pg_proc p
      join pg_catalog.pg_namespace n on n.oid = p.pronamespace and n.nspname = 'pgmq'
    )
  ) f(names),
  (
    select array(
      select a.attname::text from pg_catalog.pg_attribute a
      join pg_catalog.pg_class r on r.oid = a.attrelid and r.relname = 'message_record'
      join pg_catalog.pg_namespace n on n.oid = r.relnamespace and n.nspname = 'pgmq'
    )
  ) c(names)
)
