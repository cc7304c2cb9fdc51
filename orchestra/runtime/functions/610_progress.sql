-- How far a run is, for those who asked for it: row security lets a role that the spec names (access.progress) see the runs
-- that its own caller has asked for, and nothing else. Others have no rights on these tables at all.

create or replace function orchestra.may_read(project text, workload text, role_name text) returns boolean
language sql stable security definer set search_path = pg_catalog, pg_temp
as $$
  select exists (
    select from orchestra.reader r join pg_catalog.pg_roles x on x.rolname = r.role_name
    where r.project = $1 and r.workload = $2 and pg_has_role($3, x.oid, 'usage')
  );
$$;

-- Who may be told of what `caller` asked for: null for a request without a subject, since all of these are one caller.
create or replace function orchestra.asker() returns text
language sql stable set search_path = pg_catalog, pg_temp
as $$
  select case
    when nullif(current_setting('request.jwt.claims', true), '') is null
      or nullif(current_setting('request.jwt.claims', true), '')::jsonb ->> 'sub' is not null
    then orchestra.caller()
  end;
$$;

do $$
begin
  drop policy if exists own_runs on orchestra.run;
  create policy own_runs on orchestra.run for select
    using (caller = (select orchestra.asker()) and orchestra.may_read(project, workload, current_user));
  drop policy if exists steps_of_own_runs on orchestra.step;
  create policy steps_of_own_runs on orchestra.step for select
    using (exists (select from orchestra.run r where r.id = step.run));
end
$$;

-- {"run", "workload", "status", "started_at", "finished_at", "error", "total", "done", "failed", "steps": [{"step", "status",
-- "total", "done", "failed", "started_at", "finished_at"}, …]}; null for a run that the caller may not see.
create or replace function orchestra.run_progress(run bigint) returns jsonb
language sql stable set search_path = pg_catalog, pg_temp
as $$
  select jsonb_build_object(
    'run', r.id, 'workload', r.workload, 'status', r.status,
    'started_at', r.started_at, 'finished_at', r.finished_at, 'error', r.error,
    'total', coalesce(sum(s.total), 0), 'done', coalesce(sum(s.done), 0), 'failed', coalesce(sum(s.failed), 0),
    'steps', coalesce(jsonb_agg(jsonb_build_object(
      'step', s.step, 'status', s.status, 'total', s.total, 'done', s.done, 'failed', s.failed,
      'started_at', s.started_at, 'finished_at', s.finished_at
    ) order by s.position, s.step) filter (where s.step is not null), '[]')
  )
  from orchestra.run r
  left join orchestra.step s on s.run = r.id
  where r.id = $1
  group by r.id, r.workload, r.status, r.started_at, r.finished_at, r.error;
$$;

-- Gives every role that is named as a reader the rights that row security then narrows, and takes them from all others.
create or replace function orchestra.grant_readers() returns void
language plpgsql set search_path = ''
as $$
declare
  grantee record;
begin
  for grantee in
    select distinct quote_ident(x.rolname) as name, exists (
      select from orchestra.reader d where d.role_name = x.rolname
    ) as reads
    from pg_catalog.pg_roles x
    where x.rolname in (select d.role_name from orchestra.reader d)
       or x.oid in (
         select a.grantee
         from pg_catalog.pg_attribute t, pg_catalog.aclexplode(t.attacl) a
         where t.attrelid in ('orchestra.run'::regclass, 'orchestra.step'::regclass)
       )
  loop
    if grantee.reads then
      execute format('grant usage on schema orchestra to %s', grantee.name);
      execute format(
        'grant select (id, project, workload, status, caller, started_at, finished_at, error) on orchestra.run to %s',
        grantee.name);
      execute format(
        'grant select (run, step, position, status, total, done, failed, started_at, finished_at) on orchestra.step to %s',
        grantee.name);
    else
      execute format('revoke all on orchestra.run, orchestra.step from %s', grantee.name);
      if grantee.name <> 'service_role' then
        execute format('revoke usage on schema orchestra from %s', grantee.name);
      end if;
    end if;
  end loop;
end
$$;

-- Who may read the progress of a workload's runs, from now on.
create or replace function orchestra.set_readers(project text, workload text, roles text[]) returns void
language plpgsql set search_path = ''
as $$
begin
  delete from orchestra.reader r
  where r.project = set_readers.project and r.workload = set_readers.workload and r.role_name <> all (roles);
  insert into orchestra.reader (project, workload, role_name)
  select set_readers.project, set_readers.workload, n from unnest(roles) n
  on conflict do nothing;
  perform orchestra.grant_readers();
end
$$;
