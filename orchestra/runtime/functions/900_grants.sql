-- Who may call what; the last file, so that it speaks of every function there is. Nobody by default, whatever default
-- privileges this database has; the service role may enqueue.

do $$
declare
  grantee text;
  bare regclass;
begin
  -- The migrations enable it; somebody may have taken it off since.
  for bare in
    select c.oid from pg_catalog.pg_class c
    where c.relnamespace = to_regnamespace('orchestra') and c.relkind = 'r' and not c.relrowsecurity
      and pg_catalog.pg_has_role(c.relowner, 'usage')
  loop
    execute format('alter table %s enable row level security', bare);
  end loop;
  for grantee in
    select 'public'
    union all
    select quote_ident(r.rolname) from pg_catalog.pg_roles r
    where r.rolname in ('anon', 'authenticated', 'service_role')
  loop
    execute format('revoke all on schema orchestra from %s', grantee);
    execute format('revoke all on all tables in schema orchestra from %s', grantee);
    execute format('revoke all on all sequences in schema orchestra from %s', grantee);
    execute format('revoke all on all routines in schema orchestra from %s', grantee);
  end loop;
  if exists (select from pg_catalog.pg_roles r where r.rolname = 'service_role') then
    grant usage on schema orchestra to service_role;
    grant execute on function orchestra.send(text, jsonb, interval, jsonb, timestamptz, text) to service_role;
    grant execute on function orchestra.send_many(text, jsonb[], interval, jsonb, timestamptz) to service_role;
  end if;
end
$$;

-- Harmless without rights on the tables that they read; row security calls them as whoever asks.
grant execute on function orchestra.caller(), orchestra.asker(), orchestra.may_read(text, text, text),
  orchestra.run_progress(bigint) to public;
select orchestra.grant_readers();
