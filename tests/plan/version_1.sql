-- The runtime as version 1 installed it, for the test that brings it forward. It is never changed.
-- The tables of schema orchestra. A migration runs once; what may change in place (functions) lies in functions/.
--
-- Row security is on everywhere and no policy exists: the role that installed this owns the tables and works through
-- them, everybody else sees nothing, whatever a careless grant says.

create schema if not exists orchestra;
revoke all on schema orchestra from public;

-- Which runtime is installed, and the oldest tool that understands it.
create table orchestra.version (
  singleton boolean primary key default true check (singleton),
  version int not null,
  oldest_tool text not null,
  installed_at timestamptz not null default now()
);

-- One row a project. A project that has no row, or whose gate is paused, runs nothing.
create table orchestra.project (
  project text primary key,
  environment text,
  owner_role text not null,
  gate text not null default 'paused' check (gate in ('open', 'paused')),
  protect boolean not null default false,
  cron_pruned_to bigint not null default 0,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now()
);

-- What orchestra made and may therefore change. A tombstone lets a project take back what was its own.
create table orchestra.registry (
  project text not null,
  address text not null,
  kind text not null,
  name text not null,
  applied jsonb not null,
  protect boolean not null default false,
  tombstoned_at timestamptz,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  primary key (project, address)
);
create unique index registry_owner on orchestra.registry (kind, name)
  where tombstoned_at is null and kind <> 'workload';

-- The deployment ledger.
create table orchestra.deployment (
  id bigint generated always as identity primary key,
  project text not null,
  environment text,
  deployed_at timestamptz not null default now(),
  role_name text not null default current_user,
  tool_version text,
  git_commit text,
  plan_hash text,
  batch int not null default 1,
  batches int not null default 1,
  changes jsonb not null default '[]'
);
create index deployment_history on orchestra.deployment (project, id);

-- The configuration of a workload, read anew at every claim and at every failure, so that changing it needs no deploy.
-- `sql` takes $1 payload jsonb, $2 attempt int, $3 message_id bigint. Times are in milliseconds.
create table orchestra.workload (
  project text not null check (project !~ '/'),
  name text not null check (name !~ '/'),
  pattern text not null check (pattern in ('scheduled_sql', 'wait_until', 'queue')),
  handler text not null check (handler in ('sql', 'edge')),
  sql text,
  run_role text,
  search_path text[] not null default '{}',
  queue_name text unique check (queue_name ~ '^[a-z][a-z0-9_]{0,46}$'),
  batch_size int not null default 1 check (batch_size >= 1),
  concurrency int not null default 1 check (concurrency >= 1),
  timeout_ms int not null default 0 check (timeout_ms >= 0),
  visibility_timeout_ms int not null default 0 check (visibility_timeout_ms >= 0),
  max_attempts int not null default 1 check (max_attempts >= 1),
  backoff_initial_ms int not null default 0 check (backoff_initial_ms >= 0),
  backoff_factor float8 not null default 1 check (backoff_factor >= 1 and backoff_factor < 'infinity'),
  backoff_max_ms int not null default 0 check (backoff_max_ms >= 0),
  backoff_jitter text not null default 'full' check (backoff_jitter in ('full', 'none')),
  delay_ms int not null default 0 check (delay_ms >= 0),
  retention_completed_ms bigint check (retention_completed_ms >= 0),
  retention_failed_ms bigint check (retention_failed_ms >= 0),
  paused boolean not null default false,
  summary text not null default '',
  payload_schema jsonb,
  max_depth bigint check (max_depth >= 0),
  max_age_ms bigint check (max_age_ms >= 0),
  poll_interval_ms int check (poll_interval_ms > 0),
  primary key (project, name),
  check ((handler = 'sql') = (sql is not null)),
  check (pattern <> 'scheduled_sql' or handler = 'sql'),
  check (pattern <> 'wait_until' or handler = 'edge'),
  check ((pattern = 'queue') = (queue_name is not null)),
  check (pattern <> 'queue' or (poll_interval_ms is not null and timeout_ms > 0 and visibility_timeout_ms > 0))
);

-- When a workload is due by itself. `since` is when this schedule began to mean what it means now: no time before it
-- is ever due, so that neither a first apply nor a changed time fires for the past.
create table orchestra.schedule (
  project text not null,
  workload text not null,
  position int not null check (position >= 1),
  cron text,
  every_ms bigint check (every_ms > 0),
  timezone text,
  overlap text not null default 'skip' check (overlap in ('skip', 'allow', 'buffer_one')),
  catchup_window_ms bigint check (catchup_window_ms >= 0),
  since timestamptz not null default now(),
  primary key (project, workload, position),
  foreign key (project, workload) references orchestra.workload (project, name)
    on update cascade on delete cascade,
  check (num_nonnulls(cron, every_ms) = 1)
);

-- A place at which one worker of a workload works: at most `concurrency` of them exist, so never more handlers run.
-- A worker holds its slot by `token` until `lease_until`. A SQL worker is a call in a backend: `pid` and `call_started`
-- (its statement's start) tell whether that very call is still going on. `held` and `held_ct` are the messages that it
-- has been handed, with the read_ct that fences them; `due_at` is when its handler is overdue, `cancelled_at` when that
-- was noticed and the backend was told.
create table orchestra.slot (
  project text not null,
  workload text not null,
  slot int not null check (slot >= 1),
  token uuid,
  seq bigint not null default 0,
  lease_until timestamptz,
  pid int,
  call_started timestamptz,
  held bigint[] not null default '{}',
  held_ct int[] not null default '{}',
  due_at timestamptz,
  cancelled_at timestamptz,
  primary key (project, workload, slot),
  foreign key (project, workload) references orchestra.workload (project, name)
    on update cascade on delete cascade
) with (fillfactor = 50);

-- Messages about which there is something to say; most never get a row. `free` hand-outs cost no attempt. `settled` is
-- the read_ct of the last hand-out that ended with a verdict: a message whose read_ct is above it is suspected of
-- having killed its worker.
create table orchestra.delivery (
  project text not null,
  workload text not null,
  msg_id bigint not null,
  free int not null default 0,
  settled int not null default 0,
  last_error text,
  last_sqlstate text,
  updated_at timestamptz not null default now(),
  primary key (project, workload, msg_id)
);

-- What was given up. `reason` is `exhausted` (no attempts left) or `permanent` (the handler said so).
create table orchestra.dead_letter (
  id bigint generated always as identity primary key,
  project text not null,
  workload text not null,
  queue_name text not null,
  msg_id bigint not null,
  enqueued_at timestamptz,
  payload jsonb,
  headers jsonb,
  attempts int not null,
  reason text not null check (reason in ('exhausted', 'permanent')),
  error text not null,
  sqlstate text,
  dead_at timestamptz not null default now(),
  redriven_at timestamptz,
  redriven_as bigint
);
create index dead_letter_waiting on orchestra.dead_letter (project, workload, id) where redriven_at is null;
create index dead_letter_age on orchestra.dead_letter (project, workload, dead_at);

-- Due times that have been dealt with: the primary key is what makes a schedule fire at most once.
-- `outcome` says how: run (here), enqueued (as message `msg_id`), buffered (waits for the run that is going on),
-- skipped (by overlap), paused.
create table orchestra.fired (
  project text not null,
  workload text not null,
  scheduled_for timestamptz not null,
  position int not null,
  fired_at timestamptz not null default clock_timestamp(),
  outcome text not null check (outcome in ('run', 'enqueued', 'buffered', 'skipped', 'paused')),
  msg_id bigint,
  primary key (project, workload, scheduled_for)
);
create index fired_buffered on orchestra.fired (project, workload) where outcome = 'buffered';

-- Runs of scheduled SQL, one row an attempt. `lost`: its backend went away without a verdict.
create table orchestra.scheduled_run (
  id bigint generated always as identity primary key,
  project text not null,
  workload text not null,
  scheduled_for timestamptz not null,
  attempt int not null default 1,
  started_at timestamptz not null default clock_timestamp(),
  finished_at timestamptz,
  status text not null default 'running' check (status in ('running', 'done', 'failed', 'lost')),
  error text,
  sqlstate text,
  retry_at timestamptz
);
create index scheduled_run_history on orchestra.scheduled_run (project, workload, started_at);
create index scheduled_run_running on orchestra.scheduled_run (project, workload) where status = 'running';
create index scheduled_run_retry on orchestra.scheduled_run (project, retry_at) where retry_at is not null;

-- What operators did by hand.
create table orchestra.operator_log (
  id bigint generated always as identity primary key,
  at timestamptz not null default clock_timestamp(),
  role_name text not null,
  verb text not null,
  project text not null,
  workload text,
  detail jsonb not null default '{}'
);
create index operator_log_history on orchestra.operator_log (project, id);

alter table orchestra.version enable row level security;
alter table orchestra.project enable row level security;
alter table orchestra.registry enable row level security;
alter table orchestra.deployment enable row level security;
alter table orchestra.workload enable row level security;
alter table orchestra.schedule enable row level security;
alter table orchestra.slot enable row level security;
alter table orchestra.delivery enable row level security;
alter table orchestra.dead_letter enable row level security;
alter table orchestra.fired enable row level security;
alter table orchestra.scheduled_run enable row level security;
alter table orchestra.operator_log enable row level security;
-- Who owns what. Every object of a project is claimed before it is made and released when it is removed, so that
-- nothing that another project or a person made is ever taken over without a word.

create or replace function orchestra.object_exists(kind text, name text) returns boolean
language plpgsql stable set search_path = ''
as $$
begin
  case object_exists.kind
    when 'queue' then
      return to_regclass('pgmq.meta') is not null
        and exists (select from pgmq.meta m where m.queue_name = object_exists.name)
        and (to_regclass(format('pgmq.%I', 'q_' || lower(object_exists.name))) is not null
             or to_regclass(format('pgmq.%I', 'a_' || lower(object_exists.name))) is not null);
    when 'cron_job' then
      return to_regclass('cron.job') is not null
        and exists (select from cron.job j where j.jobname = object_exists.name);
    when 'grant' then
      return to_regprocedure(object_exists.name || '(jsonb)') is not null;
    when 'table_trigger' then
      -- name is "schema"."table":base
      return exists (
        select from pg_catalog.pg_trigger t
        where t.tgrelid = to_regclass(regexp_replace(object_exists.name, ':[^:]*$', ''))
          and t.tgname in (
            select regexp_replace(object_exists.name, '^.*:', '') || e
            from unnest(array['_insert', '_update', '_delete']) e
          )
      );
    else
      return false;
  end case;
end
$$;

-- Records that a project owns an object, or refuses: an object of another project, or one that stands there and is
-- in nobody's name. A tombstone lets the project take back what it once had and left behind; it gives no right to what
-- somebody else made since (see release).
create or replace function orchestra.claim(
  project text, address text, name text, applied jsonb, protect boolean default null, adopt boolean default false
) returns void
language plpgsql set search_path = ''
as $$
declare
  the_kind text := split_part(claim.address, '.', 1);
  other text;
  mine orchestra.registry;
begin
  select r.project into other from orchestra.registry r
  where r.kind = the_kind and the_kind <> 'workload' and r.name = claim.name and r.tombstoned_at is null and r.project <> claim.project;
  if found then
    raise exception '% % belongs to project %', the_kind, claim.name, other
      using errcode = 'ORC10', hint = 'Give it another name in one of the two projects.';
  end if;

  select r.* into mine from orchestra.registry r
  where r.project = claim.project and r.address = claim.address;
  if not adopt
     and (mine.project is null or mine.name <> claim.name or (mine.tombstoned_at is not null and mine.applied = '{}'))
     and orchestra.object_exists(the_kind, claim.name) then
    raise exception '% % exists and was not made by orchestra', the_kind, claim.name
      using errcode = 'ORC11', hint = format('Adopt it with: orchestra apply --adopt %s', claim.address);
  end if;

  -- A queue that is about to be made counts its messages from one again: what is noted of earlier ones is not theirs.
  if the_kind = 'queue' and to_regclass(format('pgmq.%I', 'q_' || claim.name)) is null then
    delete from orchestra.delivery d
    where d.project = claim.project and d.workload = substr(claim.address, length('queue.') + 1);
  end if;

  if the_kind = 'workload' then
    update orchestra.workload w set paused = coalesce((claim.applied ->> 'paused')::boolean, false)
    where w.project = claim.project and w.name = claim.name
      and (adopt or mine.project is null
           or coalesce(mine.applied ->> 'paused', 'false') <> coalesce(claim.applied ->> 'paused', 'false'));
  end if;

  insert into orchestra.registry as r (project, address, kind, name, applied, protect)
  values (claim.project, claim.address, the_kind, claim.name, claim.applied, coalesce(claim.protect, false))
  on conflict on constraint registry_pkey do update set
    name = excluded.name,
    -- What compiled SQL does not say of a project (its gate, its environment) stays as the last apply said it.
    applied = case when r.kind = 'project' then r.applied || excluded.applied else excluded.applied end,
    protect = coalesce(claim.protect, r.protect and r.tombstoned_at is null),
    tombstoned_at = null,
    updated_at = now()
  where r.name <> excluded.name
     or r.applied is distinct from case when r.kind = 'project' then r.applied || excluded.applied else excluded.applied end
     or r.tombstoned_at is not null
     or r.protect is distinct from coalesce(claim.protect, r.protect);
end
$$;

-- Gives an object up and leaves a tombstone, which holds nothing of what was applied where the object is gone too.
create or replace function orchestra.release(project text, address text) returns void
language sql set search_path = ''
as $$
  update orchestra.registry r set
    tombstoned_at = now(),
    applied = case when orchestra.object_exists(r.kind, r.name) then r.applied else '{}' end,
    protect = false,
    updated_at = now()
  where r.project = release.project and r.address = release.address and r.tombstoned_at is null;
$$;

-- Registers a project under the role that runs this, which from then on is the only one that may change it: two roles
-- that schedule one name make two cron jobs that cannot see each other. Without an environment nothing but the row is
-- made, with its gate closed.
create or replace function orchestra.register_project(
  project text, environment text default null, gate text default null, protect boolean default null
) returns void
language plpgsql set search_path = ''
as $$
declare
  mine orchestra.project;
begin
  select p.* into mine from orchestra.project p where p.project = register_project.project;
  if mine.owner_role <> current_user then
    raise exception 'project % belongs to role %', register_project.project, mine.owner_role
      using errcode = 'ORC12', hint = format('Connect as %s.', mine.owner_role);
  end if;
  if mine.environment <> register_project.environment then
    raise exception 'this database holds environment % of project %', mine.environment, register_project.project
      using errcode = 'ORC13', hint = 'Choose the database or the environment that was meant.';
  end if;
  insert into orchestra.project as p (project, environment, owner_role, gate, protect)
  values (
    register_project.project, register_project.environment, current_user,
    coalesce(register_project.gate, 'paused'), coalesce(register_project.protect, false)
  )
  on conflict on constraint project_pkey do update set
    environment = coalesce(excluded.environment, p.environment),
    gate = coalesce(register_project.gate, p.gate),
    protect = coalesce(register_project.protect, p.protect),
    updated_at = now()
  where (p.environment, p.gate, p.protect) is distinct from (
    coalesce(excluded.environment, p.environment),
    coalesce(register_project.gate, p.gate),
    coalesce(register_project.protect, p.protect)
  );
end
$$;

create or replace function orchestra.unregister_project(project text) returns void
language sql set search_path = ''
as $$
  delete from orchestra.project p where p.project = unregister_project.project;
$$;

-- Drops a queue with all that is in it, or refuses where that is more than `losing` messages, waiting and archived: some
-- may have arrived since somebody was asked. The lock keeps further ones out; null asks for no count.
-- pgmq 1.4.4 knows only drop_queue(text, boolean), 1.5 and later drop_queue(text); neither drops what lost a table.
create or replace function orchestra.drop_queue(name text, losing bigint default null) returns void
language plpgsql set search_path = ''
as $$
declare
  found_messages bigint;
begin
  if to_regclass(format('pgmq.%I', 'q_' || drop_queue.name)) is null
     or to_regclass(format('pgmq.%I', 'a_' || drop_queue.name)) is null then
    perform pgmq.create(drop_queue.name);
  end if;
  if losing is not null then
    execute format('lock table pgmq.%I, pgmq.%I in access exclusive mode', 'q_' || drop_queue.name, 'a_' || drop_queue.name);
    execute format(
      'select (select count(*) from (select from pgmq.%I limit $1) q) + (select count(*) from (select from pgmq.%I limit $1) a)',
      'q_' || drop_queue.name, 'a_' || drop_queue.name)
    into found_messages using losing + 1;
    if found_messages > losing then
      raise exception 'queue % holds more than the % messages that it held when the plan was made', drop_queue.name, losing
        using errcode = 'ORC14', hint = 'Plan again; let it drain, or approve what would be lost now.';
    end if;
  end if;
  if to_regprocedure('pgmq.drop_queue(text)') is not null then
    perform pgmq.drop_queue(drop_queue.name);
  else
    execute format('select pgmq.drop_queue(%L, false)', drop_queue.name);
  end if;
end
$$;
-- Writes a workload's configuration from what has just been recorded for it in the registry, where every value stands
-- that differs from the defaults below; all others go back to their default, so that what is left out of the spec is not
-- remembered. Only a new workload is paused by it: later that may be an operator's doing, which neither a later apply nor
-- compiled SQL that runs again undoes. Where the spec itself changes its mind, `claim` turns it.
create or replace function orchestra.set_workload(project text, name text) returns void
language plpgsql set search_path = ''
as $$
declare
  config jsonb;
  wanted orchestra.workload;
begin
  select r.applied into strict config
  from orchestra.registry r
  where r.project = set_workload.project and r.address = 'workload.' || set_workload.name;
  wanted := jsonb_populate_record(
    null::orchestra.workload,
    jsonb_build_object(
      'search_path', '[]'::jsonb, 'batch_size', 1, 'concurrency', 1, 'timeout_ms', 0, 'visibility_timeout_ms', 0,
      'max_attempts', 1, 'backoff_initial_ms', 0, 'backoff_factor', 1, 'backoff_max_ms', 0, 'backoff_jitter', 'full',
      'delay_ms', 0, 'paused', false, 'summary', ''
    )
    || config
    || jsonb_build_object('project', set_workload.project, 'name', set_workload.name)
  );
  -- The schema of a payload travels as text, in the form in which the plan compares it.
  if jsonb_typeof(config -> 'payload_schema') = 'string' then
    wanted.payload_schema := (config ->> 'payload_schema')::jsonb;
  end if;
  insert into orchestra.workload values (wanted.*)
  on conflict on constraint workload_pkey do update set
    pattern = excluded.pattern,
    handler = excluded.handler,
    sql = excluded.sql,
    run_role = excluded.run_role,
    search_path = excluded.search_path,
    queue_name = excluded.queue_name,
    batch_size = excluded.batch_size,
    concurrency = excluded.concurrency,
    poll_interval_ms = excluded.poll_interval_ms,
    timeout_ms = excluded.timeout_ms,
    visibility_timeout_ms = excluded.visibility_timeout_ms,
    max_attempts = excluded.max_attempts,
    backoff_initial_ms = excluded.backoff_initial_ms,
    backoff_factor = excluded.backoff_factor,
    backoff_max_ms = excluded.backoff_max_ms,
    backoff_jitter = excluded.backoff_jitter,
    delay_ms = excluded.delay_ms,
    retention_completed_ms = excluded.retention_completed_ms,
    retention_failed_ms = excluded.retention_failed_ms,
    max_depth = excluded.max_depth,
    max_age_ms = excluded.max_age_ms,
    summary = excluded.summary,
    payload_schema = excluded.payload_schema;
end
$$;
-- Enqueueing. A message is a row that the caller's transaction inserts: rolled back means never sent.
--
-- These are SECURITY DEFINER, so that a role that may execute them needs no rights on queues. Their search_path names
-- pg_temp last: an empty one looks for types among the caller's temporary objects, and before all others. Rows are
-- inserted by column name: the layouts of pgmq 1.4.4 to 1.13 differ, and so do the overloads of pgmq.send.
--
-- SQLSTATEs: ORC20 no such workload, ORC21 ambiguous name, ORC22 the workload has no queue.

-- The workload called `name`, or `project/name` where two projects have one of that name.
create or replace function orchestra.find_workload(name text) returns orchestra.workload
language plpgsql stable set search_path = pg_catalog, pg_temp
as $$
declare
  slash int := strpos(find_workload.name, '/');
  found_one orchestra.workload;
  projects text[];
begin
  if slash > 0 then
    select w.* into found_one
    from orchestra.workload w
    where w.project = left(find_workload.name, slash - 1)
      and w.name = substr(find_workload.name, slash + 1);
  else
    select array_agg(w.project order by w.project) into projects
    from orchestra.workload w
    where w.name = find_workload.name;
    if cardinality(projects) > 1 then
      raise exception 'workload % exists in the projects %', find_workload.name, array_to_string(projects, ', ')
        using errcode = 'ORC21', hint = format('Say which: %s/%s', projects[1], find_workload.name);
    end if;
    select w.* into found_one
    from orchestra.workload w
    where w.project = projects[1] and w.name = find_workload.name;
  end if;
  if found_one.name is null then
    raise exception 'there is no workload %', find_workload.name
      using errcode = 'ORC20', hint = 'They are listed in orchestra.workload.';
  end if;
  return found_one;
end
$$;

-- The one insert behind everything that enqueues; ids in the order of the payloads. `delay` null is the workload's own.
create or replace function orchestra.enqueue(
  target orchestra.workload, payloads jsonb[], delay interval, headers jsonb
) returns bigint[]
language plpgsql set search_path = pg_catalog, pg_temp
as $$
declare
  queue text := 'q_' || (target).queue_name;
  visible timestamptz;
  ids bigint[];
begin
  if (target).queue_name is null then
    raise exception 'workload % has no queue', (target).name
      using errcode = 'ORC22', hint = format('It is %s; only a queue takes messages.', (target).pattern);
  end if;
  visible := clock_timestamp() + greatest(
    coalesce(enqueue.delay, make_interval(secs => (target).delay_ms / 1000.0)), interval '0'
  );
  if enqueue.headers is not null and not exists (
    select from pg_catalog.pg_attribute a
    where a.attrelid = to_regclass(format('pgmq.%I', queue)) and a.attname = 'headers' and not a.attisdropped
  ) then
    raise exception 'the queue of workload % takes no headers', (target).name
      using errcode = 'feature_not_supported', hint = 'Headers need pgmq 1.5 or later.';
  end if;
  execute format(
    'with sent as (
       insert into pgmq.%I (vt, message%s)
       select $1, p.payload%s from unnest($2) with ordinality p(payload, position) order by p.position
       returning msg_id
     )
     select array_agg(msg_id order by msg_id) from sent',
    queue,
    case when enqueue.headers is not null then ', headers' else '' end,
    case when enqueue.headers is not null then ', $3' else '' end
  )
  into ids using visible, payloads, headers;
  return ids;
end
$$;

-- Enqueues one message and returns its id. Paused workloads take messages too; they wait.
create or replace function orchestra.send(
  workload text, payload jsonb, delay interval default null, headers jsonb default null
) returns bigint
language sql security definer set search_path = pg_catalog, pg_temp
as $$
  select (orchestra.enqueue(orchestra.find_workload($1), array[$2], $3, $4))[1];
$$;

-- Enqueues many messages at once, all or none, and returns their ids in the order of the payloads.
create or replace function orchestra.send_many(
  workload text, payloads jsonb[], delay interval default null, headers jsonb default null
) returns bigint[]
language sql security definer set search_path = pg_catalog, pg_temp
as $$
  select coalesce(orchestra.enqueue(orchestra.find_workload($1), $2, $3, $4), '{}');
$$;
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
  execute format(
    'insert into %s (vt, message)
     select $1, jsonb_build_object(''op'', $2, ''table'', $3, ''key'', c.key, ''changed'', c.changed, ''at'', $4) %s
     from (%s) c',
    queue, case when with_row then '|| jsonb_build_object(''row'', c.row)' else '' end, source)
  using clock_timestamp() + make_interval(secs => target.delay_ms / 1000.0),
        lower(tg_op), format('%I.%I', tg_table_schema, tg_table_name), orchestra.iso(now());
  return null;
end
$$;
-- When a schedule is due: the one answer for the guard of a run, for catch-up and for the plan.
--
-- `due` is a single SELECT over its positional parameters, so that a plan can run the same text in a database where
-- nothing is installed yet:
--
--   $1 cron       five fields as pg_cron reads them, or null       $4 after this instant (not itself)
--   $2 every_ms   an interval anchored to the epoch, or null       $5 up to this instant (itself too)
--   $3 timezone   null is UTC                                      $6 count: the first so many; below zero, the last
--                                                                     so many, latest first; null, all of them
--
-- What the fields mean is local time in the zone. A wildcard hour (`*`, `*/2`) runs by elapsed time: every instant whose
-- local time matches, so nothing in the hour that the spring skips, and both of the hours that the autumn repeats.
-- A fixed hour fires once each local day: a time that is skipped at the first instant after the gap, one that
-- is repeated at its first. Day of month and day of week mean either of them, unless one begins with a star: then both.
--
-- PostgreSQL reads a local time inside a gap by the offset before it, and a repeated one as its second occurrence.

create or replace function orchestra.due(
  cron text, every_ms bigint, timezone text, after_ts timestamptz, until_ts timestamptz, count int default null
) returns setof timestamptz
language sql stable set search_path = '' set jit = off
as $body$
with field as (
  select f.i::int, f.item, starts_with(f.item, '*') as star
  from regexp_split_to_table(
    case lower(btrim($1::text))
      when '@hourly' then '0 * * * *'
      when '@daily' then '0 0 * * *'
      when '@midnight' then '0 0 * * *'
      when '@weekly' then '0 0 * * 0'
      when '@monthly' then '0 0 1 * *'
      when '@yearly' then '0 0 1 1 *'
      when '@annually' then '0 0 1 1 *'
      else lower(btrim($1::text))
    end, '\s+'
  ) with ordinality f(item, i)
),
-- Each field as the numbers that it stands for. In days of the month, 0 is `$`, the last one; in weekdays, 7 is 0.
allowed as (
  select f.i, case when f.i = 5 then n % 7 else n end as n
  from field f
  cross join lateral unnest(string_to_array(f.item, ',')) p(part)
  cross join lateral (
    select split_part(split_part(p.part, '/', 1), '-', 1) as low,
           coalesce(nullif(split_part(split_part(p.part, '/', 1), '-', 2), ''),
                    split_part(split_part(p.part, '/', 1), '-', 1)) as high,
           coalesce(nullif(split_part(p.part, '/', 2), '')::int, 1) as step
  ) s
  cross join lateral generate_series(
    case
      when s.low = '*' then (array[0, 0, 1, 1, 0])[f.i]
      when s.low = '$' then 0
      when s.low ~ '^[0-9]+$' then s.low::int
      when f.i = 4 then array_position(array['jan','feb','mar','apr','may','jun','jul','aug','sep','oct','nov','dec'], s.low)
      when f.i = 5 then array_position(array['sun','mon','tue','wed','thu','fri','sat'], s.low) - 1
    end,
    case
      when s.high = '*' then (array[59, 23, 31, 12, 6])[f.i]
      when s.high = '$' then 0
      when s.high ~ '^[0-9]+$' then s.high::int
      when f.i = 4 then array_position(array['jan','feb','mar','apr','may','jun','jul','aug','sep','oct','nov','dec'], s.high)
      when f.i = 5 then array_position(array['sun','mon','tue','wed','thu','fri','sat'], s.high) - 1
    end,
    s.step
  ) g(n)
),
spec as (
  select
    array(select distinct a.n from allowed a where a.i = 3) as monthdays,
    array(select distinct a.n from allowed a where a.i = 4) as months,
    array(select distinct a.n from allowed a where a.i = 5) as weekdays,
    exists (select from field f where f.i in (3, 5) and f.star) as both_days,
    exists (select from field f where f.i = 2 and f.star) as by_elapsed_time,
    coalesce($3::text, 'UTC') as zone
),
-- The window in local time. Where no offset changes near an end, local times there are in the order of the instants;
-- otherwise the end is moved a day out, and what is too much falls away below.
span as (
  select s.*,
         low.at_zone - case when low.change then interval '1 day' else interval '0' end as low,
         high.at_zone + case when high.change then interval '1 day' else interval '0' end as high
  from spec s
  cross join lateral (
    select $4::timestamptz at time zone s.zone as at_zone,
           ($4::timestamptz - interval '25 hours') at time zone s.zone + interval '50 hours'
             <> ($4::timestamptz + interval '25 hours') at time zone s.zone as change
  ) low
  cross join lateral (
    select $5::timestamptz at time zone s.zone as at_zone,
           ($5::timestamptz - interval '25 hours') at time zone s.zone + interval '50 hours'
             <> ($5::timestamptz + interval '25 hours') at time zone s.zone as change
  ) high
),
-- Days that match: a few more than the times that are asked for, as a day has one at least (unless the clock skips it).
day as (
  select d.day
  from span s
  cross join lateral generate_series(date_trunc('day', s.low), s.high, interval '1 day') d(day)
  cross join lateral (
    select extract(day from d.day)::int = any (s.monthdays)
             or (0 = any (s.monthdays) and extract(day from d.day + interval '1 day') = 1) as in_month,
           extract(dow from d.day)::int = any (s.weekdays) as in_week
  ) m
  where extract(month from d.day)::int = any (s.months)
    and case when s.both_days then m.in_month and m.in_week else m.in_month or m.in_week end
  order by case when $6::int < 0 then d.day end desc, d.day
  limit abs($6::int)::bigint + 6
),
-- Local times, again some more than asked for, as a whole gap of them may fall together (a day, at the date line).
local_time as (
  select d.day + make_interval(hours => h.n, mins => m.n) as at
  from span s
  cross join day d
  cross join (select distinct a.n from allowed a where a.i = 2) h
  cross join (select distinct a.n from allowed a where a.i = 1) m
  where d.day + make_interval(hours => h.n, mins => m.n) between s.low and s.high
  order by case when $6::int < 0 then d.day + make_interval(hours => h.n, mins => m.n) end desc,
           d.day + make_interval(hours => h.n, mins => m.n)
  limit abs($6::int)::bigint + case when $3::text is null then 1 else 3000 end
),
-- Each local time as instants: as PostgreSQL reads it, and by the offset of a day before, which is the first of two.
instant as (
  select case when s.by_elapsed_time then array[
           case when r.late at time zone s.zone = l.at then r.late end,
           case when r.early at time zone s.zone = l.at then r.early end
         ]
         when r.late at time zone s.zone <> l.at then array[(
           select min(g.t)
           from generate_series(r.late - (r.late at time zone s.zone - l.at), r.late, interval '1 minute') g(t)
           where g.t at time zone s.zone - g.t at time zone 'UTC'
               = r.late at time zone s.zone - r.late at time zone 'UTC'
         )]
         when r.early at time zone s.zone = l.at then array[least(r.early, r.late)]
         else array[r.late]
         end as instants
  from local_time l
  cross join span s
  cross join lateral (
    select l.at at time zone s.zone as late,
           case when $3::text is not null then (
             l.at - (
               (l.at at time zone s.zone - interval '24 hours') at time zone s.zone
               - (l.at at time zone s.zone - interval '24 hours') at time zone 'UTC'
             )
           ) at time zone 'UTC' end as early
  ) r
)
select t
from (
  select distinct i.t
  from instant, unnest(instants) i(t)
  where $1::text is not null and i.t > $4::timestamptz and i.t <= $5::timestamptz
  union all
  select to_timestamp(n * $2::bigint / 1000.0)
  from (
    select floor(extract(epoch from $4::timestamptz) * 1000 / $2::bigint)::bigint + 1 as low,
           floor(extract(epoch from $5::timestamptz) * 1000 / $2::bigint)::bigint as high
  ) bounds
  cross join lateral generate_series(
    case when $6::int < 0 then greatest(low, high + $6::int + 1) else low end,
    case when $6::int > 0 then least(high, low + $6::int - 1) else high end
  ) n
  where $2::bigint is not null
) due(t)
order by case when $6::int < 0 then t end desc, t
limit abs($6::int)
$body$;

-- The last due time up to `at`, or null. It looks back 2 hours, then 2 days, 40 days, ten years: most answers are near,
-- and the farthest that can be is eight years off (29 February over 2100).
create or replace function orchestra.previous_due(cron text, every_ms bigint, timezone text, at timestamptz)
returns timestamptz
language sql stable set search_path = '' set jit = off
as $$
  select coalesce(
    (select t from orchestra.due($1, $2, $3, $4 - interval '2 hours', $4, -1) t),
    (select t from orchestra.due($1, $2, $3, $4 - interval '2 days', $4 - interval '2 hours', -1) t),
    (select t from orchestra.due($1, $2, $3, $4 - interval '40 days', $4 - interval '2 days', -1) t),
    (select t from orchestra.due($1, $2, $3, $4 - interval '10 years', $4 - interval '40 days', -1) t)
  );
$$;

-- The first due time after `at`, or null.
create or replace function orchestra.next_due(cron text, every_ms bigint, timezone text, at timestamptz)
returns timestamptz
language sql stable set search_path = '' set jit = off
as $$
  select coalesce(
    (select t from orchestra.due($1, $2, $3, $4, $4 + interval '2 hours', 1) t),
    (select t from orchestra.due($1, $2, $3, $4 + interval '2 hours', $4 + interval '2 days', 1) t),
    (select t from orchestra.due($1, $2, $3, $4 + interval '2 days', $4 + interval '40 days', 1) t),
    (select t from orchestra.due($1, $2, $3, $4 + interval '40 days', $4 + interval '10 years', 1) t)
  );
$$;

-- A schedule that comes to mean something else begins anew, whoever changed its row.
create or replace function orchestra.begin_schedule() returns trigger
language plpgsql set search_path = ''
as $$
begin
  new.since := now();
  return new;
end
$$;

create or replace trigger begin_schedule
before update of cron, every_ms, timezone on orchestra.schedule
for each row
when ((old.cron, old.every_ms, old.timezone) is distinct from (new.cron, new.every_ms, new.timezone))
execute function orchestra.begin_schedule();
-- Worker slots. Who holds one may run one handler; there are `concurrency` of them, so never more handlers run.
--
-- A SQL worker is a call in a backend, and whether that call still goes on can be known: its backend exists and has
-- been running the same statement since the slot was taken. So a slot is never taken from a worker that lives, and one
-- that was killed gives its slot up at once, without waiting for a lease.
--
-- Cancelling is a handshake over the slot's row. The tick locks the row, notes `cancelled_at` and only then signals the
-- backend; a worker locks the row as soon as its handler has ended and keeps it until it has committed the verdict. So
-- a cancel can hit the handler that it was meant for, or the wait for the row, and never the verdict or a later item.

-- Whether the very call that took a slot still goes on. `query_start` is hidden where activity is not tracked; then a
-- backend of that number counts, as long as the lease runs.
create or replace function orchestra.call_goes_on(pid int, call_started timestamptz, lease_until timestamptz)
returns boolean
language plpgsql volatile set search_path = ''
as $$
begin
  if call_goes_on.pid is null then
    return coalesce(call_goes_on.lease_until > clock_timestamp(), false);
  end if;
  -- The picture of what backends do is taken once a transaction; one older than the slot's row would be wrong.
  perform pg_stat_clear_snapshot();
  return exists (
    select from pg_stat_get_activity(call_goes_on.pid) a
    where (a.query_start = call_goes_on.call_started and a.state = 'active')
       or (a.query_start is null and call_goes_on.lease_until > clock_timestamp())
  );
end
$$;

-- Takes a slot for the call that runs this; its token, or null where there is nothing to do or the slot is taken.
create or replace function orchestra.slot_enter(project text, workload text, slot int) returns uuid
language plpgsql set search_path = '' set lock_timeout = '5s'
as $$
declare
  mine orchestra.slot;
  fresh uuid := gen_random_uuid();
begin
  if not exists (
    select from orchestra.workload w join orchestra.project p on p.project = w.project
    where w.project = slot_enter.project and w.name = slot_enter.workload
      and p.gate = 'open' and not w.paused and slot_enter.slot <= w.concurrency
  ) then
    return null;
  end if;
  if not exists (
    select from orchestra.slot s
    where s.project = slot_enter.project and s.workload = slot_enter.workload and s.slot = slot_enter.slot
  ) then
    insert into orchestra.slot (project, workload, slot)
    values (slot_enter.project, slot_enter.workload, slot_enter.slot)
    on conflict do nothing;
  end if;
  select s.* into mine from orchestra.slot s
  where s.project = slot_enter.project and s.workload = slot_enter.workload and s.slot = slot_enter.slot
  for update skip locked;
  if not found then
    return null;
  end if;
  if mine.token is not null then
    if orchestra.call_goes_on(mine.pid, mine.call_started, mine.lease_until) then
      return null;
    end if;
    perform orchestra.slot_reap(mine);
  end if;
  update orchestra.slot s set
    token = fresh,
    pid = pg_backend_pid(),
    call_started = (select a.query_start from pg_stat_get_activity(pg_backend_pid()) a),
    lease_until = clock_timestamp() + interval '1 minute'
  where s.project = slot_enter.project and s.workload = slot_enter.workload and s.slot = slot_enter.slot;
  return fresh;
end
$$;

-- Locks the caller's slot until its transaction ends, so that nobody cancels it from here on. Says whether a cancel has
-- been sent for what the slot holds; null when the slot is the caller's no longer.
create or replace function orchestra.slot_hold(project text, workload text, slot int, token uuid) returns boolean
language sql set search_path = ''
as $$
  select s.cancelled_at is not null
  from orchestra.slot s
  where s.project = $1 and s.workload = $2 and s.slot = $3 and s.token = $4
  for update;
$$;

create or replace function orchestra.slot_leave(project text, workload text, slot int, token uuid) returns void
language sql set search_path = ''
as $$
  update orchestra.slot s set
    token = null, pid = null, call_started = null, lease_until = null,
    held = '{}', held_ct = '{}', due_at = null, cancelled_at = null
  where s.project = $1 and s.workload = $2 and s.slot = $3 and s.token = $4;
$$;

-- Frees the slot of a worker that is gone (the caller holds the row's lock and knows). What it was working on has spent
-- an attempt without a verdict: it waits like a failure does, and stays suspect.
create or replace function orchestra.slot_reap(gone orchestra.slot) returns void
language plpgsql set search_path = ''
as $$
declare
  number int;
begin
  for number in select generate_subscripts((gone).held, 1) loop
    perform orchestra.fail_message(
      (gone).project, (gone).workload, (gone).held[number], (gone).held_ct[number],
      error => case
        when (gone).cancelled_at is not null then 'timed out; its worker was ended'
        else format('its worker went away without a verdict (backend %s)', coalesce((gone).pid::text, 'unknown'))
      end,
      sqlstate => '57P01', verdict => false
    );
  end loop;
  update orchestra.scheduled_run r set
    status = 'lost', finished_at = clock_timestamp(),
    error = 'its backend went away without a verdict'
  where r.project = (gone).project and r.workload = (gone).workload and r.status = 'running' and (gone).slot = 1;
  perform orchestra.slot_leave((gone).project, (gone).workload, (gone).slot, (gone).token);
end
$$;
-- Claiming, acknowledging and failing one message.
--
-- Every write to a queue is fenced by read_ct, which only grows: whoever holds an older hand-out changes nothing.
-- An attempt is a hand-out that was not refunded: read_ct minus `delivery.free`.

-- The wait before the next attempt: capped exponential backoff with full jitter, computed by logarithms, so that no
-- factor and no number of attempts overflows.
create or replace function orchestra.backoff(target orchestra.workload, attempt int) returns interval
language sql volatile set search_path = ''
as $$
  select make_interval(secs => wait_ms * case when (target).backoff_jitter = 'full' then random() else 1 end / 1000)
  from (
    select case
      when (target).backoff_initial_ms = 0 then 0
      else least(
        exp(least(ln((target).backoff_initial_ms) + greatest(attempt - 1, 0) * ln((target).backoff_factor), 30)),
        greatest((target).backoff_max_ms, (target).backoff_initial_ms)
      )
    end
  ) waits(wait_ms);
$$;

-- Moves a message to the dead letters, if the fence holds.
create or replace function orchestra.bury_message(
  target orchestra.workload, msg_id bigint, read_ct int, attempts int, reason text, error text, sqlstate text
) returns boolean
language plpgsql set search_path = ''
as $$
declare
  buried boolean;
begin
  -- As JSON, because a queue of pgmq 1.4 has no column headers.
  execute format(
    'with gone as (
       delete from pgmq.%I m where m.msg_id = $1 and m.read_ct = $2
       returning m.msg_id, m.enqueued_at, m.message, to_jsonb(m) -> ''headers'' as headers
     ),
     buried as (
       insert into orchestra.dead_letter
         (project, workload, queue_name, msg_id, enqueued_at, payload, headers, attempts, reason, error, sqlstate)
       select $3, $4, $5, g.msg_id, g.enqueued_at, g.message, nullif(g.headers, ''null''), $6, $7, $8, $9
       from gone g
       returning 1
     )
     select count(*) > 0 from buried', 'q_' || (target).queue_name)
  into buried
  using bury_message.msg_id, bury_message.read_ct, (target).project, (target).name, (target).queue_name,
        attempts, reason, coalesce(error, 'no error was recorded'), sqlstate;
  delete from orchestra.delivery d
  where d.project = (target).project and d.workload = (target).name and d.msg_id = bury_message.msg_id;
  return buried;
end
$$;

-- Hands out one message to the worker that holds a slot. No row when nothing is visible, the gate is closed, the
-- workload paused, the worker beyond the limit, or the slot lost. What has no attempt left goes to the dead letters
-- on the way. `now()` and nothing but `order by vt` let the claim walk the index on vt; the settings keep the planner
-- from believing old statistics of a table that changes all the time.
create or replace function orchestra.next_message(
  project text, workload text, slot int, token uuid,
  out msg_id bigint, out read_ct int, out attempt int, out payload jsonb,
  out sql text, out run_role text, out search_path text, out queue_name text, out keep boolean, out timeout_ms int
)
language plpgsql
set search_path = '' set lock_timeout = '5s' set enable_seqscan = off set enable_sort = off set enable_bitmapscan = off
as $$
declare
  target orchestra.workload;
  known orchestra.delivery;
  buried int := 0;
begin
  select w.* into target
  from orchestra.workload w join orchestra.project p on p.project = w.project
  where w.project = next_message.project and w.name = next_message.workload
    and p.gate = 'open' and not w.paused and next_message.slot <= w.concurrency;
  if found then
    loop
      execute format(
        'with next as (
           select m.msg_id from pgmq.%1$I m where m.vt <= now() order by m.vt limit 1 for update skip locked
         )
         update pgmq.%1$I m set read_ct = m.read_ct + 1, vt = clock_timestamp() + $1
         from next where m.msg_id = next.msg_id
         returning m.msg_id, m.read_ct, m.message', 'q_' || target.queue_name)
      into next_message.msg_id, next_message.read_ct, payload
      using make_interval(secs => target.visibility_timeout_ms / 1000.0);
      exit when next_message.msg_id is null;
      attempt := next_message.read_ct;
      if attempt > 1 then
        select d.* into known from orchestra.delivery d
        where d.project = next_message.project and d.workload = next_message.workload
          and d.msg_id = next_message.msg_id;
        attempt := greatest(attempt - coalesce(known.free, 0), 1);
      end if;
      exit when attempt <= target.max_attempts;
      perform orchestra.bury_message(
        target, next_message.msg_id, next_message.read_ct, attempt - 1, 'exhausted',
        coalesce(known.last_error, 'its worker went away without a verdict'), known.last_sqlstate
      );
      next_message.msg_id := null;
      buried := buried + 1;
      exit when buried >= 100;
    end loop;
  end if;
  update orchestra.slot s set
    held = case when next_message.msg_id is null then '{}' else array[next_message.msg_id] end,
    held_ct = case when next_message.msg_id is null then '{}' else array[next_message.read_ct] end,
    due_at = case when next_message.msg_id is not null
                  then clock_timestamp() + make_interval(secs => target.timeout_ms / 1000.0) end,
    cancelled_at = null,
    lease_until = clock_timestamp() + make_interval(secs => coalesce(target.visibility_timeout_ms, 60000) / 1000.0)
  where s.project = next_message.project and s.workload = next_message.workload
    and s.slot = next_message.slot and s.token = next_message.token;
  if not found then
    -- Raised, so that the hand-out is undone with it.
    raise exception 'slot % of workload % was taken over', next_message.slot, next_message.workload
      using errcode = 'ORC03';
  end if;
  sql := target.sql;
  run_role := target.run_role;
  search_path := (
    select coalesce(string_agg(quote_ident(s.name), ', ' order by s.position), '')
    from unnest(target.search_path) with ordinality s(name, position)
  );
  queue_name := target.queue_name;
  keep := target.retention_completed_ms is not null;
  timeout_ms := target.timeout_ms;
end
$$;

-- Takes a finished message off its queue; false when the hand-out is no longer the caller's.
create or replace function orchestra.ack_message(
  project text, workload text, queue_name text, msg_id bigint, read_ct int, keep boolean
) returns boolean
language plpgsql set search_path = ''
as $$
declare
  acknowledged bigint;
begin
  if keep then
    execute format(
      'select m.msg_id from pgmq.%I m where m.msg_id = $1 and m.read_ct = $2 for update', 'q_' || queue_name)
    into acknowledged using ack_message.msg_id, ack_message.read_ct;
    if acknowledged is not null then
      -- pgmq's own statement, because the columns of archives differ between its versions.
      perform pgmq.archive(ack_message.queue_name, ack_message.msg_id);
    end if;
  else
    execute format(
      'delete from pgmq.%I m where m.msg_id = $1 and m.read_ct = $2 returning m.msg_id', 'q_' || queue_name)
    into acknowledged using ack_message.msg_id, ack_message.read_ct;
  end if;
  if acknowledged is not null and ack_message.read_ct > 1 then
    delete from orchestra.delivery d
    where d.project = ack_message.project and d.workload = ack_message.workload and d.msg_id = ack_message.msg_id;
  end if;
  return acknowledged is not null;
end
$$;

-- Records that a hand-out failed and decides what becomes of the message, by the settings as they are now:
--
--   SQLSTATE ORC01        the dead letters at once
--   SQLSTATE ORC02        again after the interval in HINT, at no attempt
--   anything else         again after the backoff, or the dead letters when no attempt is left
--
-- `verdict` false: nobody reported this, the worker just went away, so the message stays suspect.
-- Answers `dead`, `snoozed`, `retry`, or `lost` when the hand-out is no longer the caller's.
create or replace function orchestra.fail_message(
  project text, workload text, msg_id bigint, read_ct int, error text, sqlstate text,
  hint text default null, verdict boolean default true
) returns text
language plpgsql set search_path = ''
as $$
declare
  target orchestra.workload;
  known orchestra.delivery;
  attempt int;
  refund int := 0;
  wait interval;
  touched bigint;
begin
  select w.* into target from orchestra.workload w
  where w.project = fail_message.project and w.name = fail_message.workload;
  if not found then
    return 'lost';
  end if;
  select d.* into known from orchestra.delivery d
  where d.project = fail_message.project and d.workload = fail_message.workload
    and d.msg_id = fail_message.msg_id;
  attempt := greatest(fail_message.read_ct - coalesce(known.free, 0), 1);

  if fail_message.sqlstate = 'ORC02' then
    begin
      wait := greatest(coalesce(fail_message.hint, '')::interval, interval '0');
      refund := 1;
    exception when others then
      error := format('snoozed without an interval in its hint (%s): %s', fail_message.hint, error);
    end;
  end if;
  if refund = 0 and (fail_message.sqlstate = 'ORC01' or attempt >= target.max_attempts) then
    return case
      when orchestra.bury_message(
        target, fail_message.msg_id, fail_message.read_ct, attempt,
        case fail_message.sqlstate when 'ORC01' then 'permanent' else 'exhausted' end,
        left(error, 8000), fail_message.sqlstate
      ) then 'dead'
      else 'lost'
    end;
  end if;

  execute format(
    'update pgmq.%I m set vt = clock_timestamp() + $3 where m.msg_id = $1 and m.read_ct = $2 returning m.msg_id',
    'q_' || target.queue_name)
  into touched
  using fail_message.msg_id, fail_message.read_ct, coalesce(wait, orchestra.backoff(target, attempt));
  if touched is null then
    return 'lost';
  end if;
  insert into orchestra.delivery as d
    (project, workload, msg_id, free, settled, last_error, last_sqlstate)
  values (
    fail_message.project, fail_message.workload, fail_message.msg_id, refund,
    case when verdict then fail_message.read_ct else 0 end,
    case when refund = 0 then left(error, 8000) end, case when refund = 0 then fail_message.sqlstate end
  )
  on conflict on constraint delivery_pkey do update set
    free = d.free + excluded.free,
    settled = greatest(d.settled, excluded.settled),
    last_error = coalesce(excluded.last_error, d.last_error),
    last_sqlstate = coalesce(excluded.last_sqlstate, d.last_sqlstate),
    updated_at = now();
  return case when refund = 1 then 'snoozed' else 'retry' end;
end
$$;
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
-- goes wrong is raised: call it in a block that catches `others`, `query_canceled` and `assert_failure`.
create or replace function orchestra.run_handler(
  project text, workload text, slot int, token uuid,
  sql text, run_role text, handler_path text, timeout_ms int, payload jsonb, attempt int, message_id bigint
) returns void
language plpgsql
as $$
declare
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
  execute sql using payload, attempt, message_id;
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
    select * into item
    from orchestra.next_message(drain_sql.project, drain_sql.workload, drain_sql.worker, token);
    done := false;
    lost := false;
    commit;
    -- From here on the item may become overdue: nothing stands between this commit and the block that catches.
    if item.msg_id is null then
      -- A claim beside the last acknowledgement saw the queue as it was when that transaction began.
      exit when fresh;
      fresh := true;
      continue;
    end if;
    begin
      fresh := false;
      perform pg_catalog.set_config('search_path', '', true);
      perform orchestra.run_handler(
        drain_sql.project, drain_sql.workload, drain_sql.worker, token,
        item.sql, item.run_role, item.search_path, item.timeout_ms, item.payload, item.attempt, item.msg_id);
      lost := not orchestra.ack_message(
        drain_sql.project, drain_sql.workload, item.queue_name, item.msg_id, item.read_ct, item.keep);
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
-- The watch over running handlers. `statement_timeout` set inside a call does not arm, so handlers that are overdue are
-- cancelled from outside, and the slots of workers that went away are freed.

-- Looks after one slot: `cancelled`, `ended`, `reaped`, or null when nothing was to do. Reaping writes to a queue, which
-- somebody may have locked; the short lock timeout keeps that from holding up all others.
create or replace function orchestra.watch_slot(project text, workload text, slot int) returns text
language plpgsql set search_path = '' set lock_timeout = '100ms'
as $$
declare
  mine orchestra.slot;
begin
  select s.* into mine from orchestra.slot s
  where s.project = watch_slot.project and s.workload = watch_slot.workload and s.slot = watch_slot.slot
    and s.pid is not null
  for update skip locked;
  if not found then
    return null;
  end if;
  if not orchestra.call_goes_on(mine.pid, mine.call_started, mine.lease_until) then
    perform orchestra.slot_reap(mine);
    return 'reaped';
  end if;
  if mine.due_at is null or mine.due_at > clock_timestamp() then
    return null;
  end if;
  if mine.cancelled_at is null then
    update orchestra.slot s set cancelled_at = clock_timestamp()
    where s.project = watch_slot.project and s.workload = watch_slot.workload and s.slot = watch_slot.slot;
    perform pg_cancel_backend(mine.pid);
    return 'cancelled';
  end if;
  -- A handler that caught its cancel and went on.
  if mine.cancelled_at < clock_timestamp() - interval '10 seconds' then
    perform pg_terminate_backend(mine.pid);
    return 'ended';
  end if;
  return null;
end
$$;

-- Looks after a project's slots, or after those whose workload is polled every `interval_ms` (and those of scheduled SQL,
-- which is polled by nobody). A transaction for each, so that a worker never waits for more than its own.
create or replace procedure orchestra.watch(project text, interval_ms int default null)
language plpgsql
as $$
declare
  mark record;
begin
  perform pg_catalog.set_config('search_path', '', true);
  for mark in
    select s.workload, s.slot
    from orchestra.slot s
    join orchestra.workload w on w.project = s.project and w.name = s.workload
    where s.project = watch.project and s.pid is not null
      and (watch.interval_ms is null or w.poll_interval_ms = watch.interval_ms or w.poll_interval_ms is null)
      and (s.due_at < pg_catalog.clock_timestamp()
           or not orchestra.call_goes_on(s.pid, s.call_started, s.lease_until))
  loop
    begin
      perform orchestra.watch_slot(watch.project, mark.workload, mark.slot);
    exception when others then
      raise warning 'orchestra: slot % of %/%: %', mark.slot, watch.project, mark.workload, sqlerrm;
    end;
    commit;
    perform pg_catalog.set_config('search_path', '', true);
  end loop;
end
$$;

-- The job that all queues of one poll interval share.
create or replace procedure orchestra.tick(project text, interval_ms int)
language plpgsql
as $$
begin
  call orchestra.watch(tick.project, tick.interval_ms);
end
$$;
-- Schedules. The row in `fired` is inserted before anything happens, so a due time fires at most once, however many
-- calls there are. A cron job may well call when nothing is due (a time zone's job comes at every hour): what is due
-- is decided here.

-- Writes down how a due time was dealt with; false when it had been already.
create or replace function orchestra.note_fired(
  project text, workload text, "position" int, scheduled_for timestamptz, outcome text, msg_id bigint default null
) returns boolean
language plpgsql set search_path = ''
as $$
begin
  insert into orchestra.fired (project, workload, position, scheduled_for, outcome, msg_id)
  values (note_fired.project, note_fired.workload, note_fired.position, note_fired.scheduled_for,
          note_fired.outcome, note_fired.msg_id)
  on conflict do nothing;
  return found;
end
$$;

-- How many messages of a schedule's earlier firings have not left the queue.
create or replace function orchestra.unfinished_firings(target orchestra.workload, "position" int) returns int
language plpgsql set search_path = ''
as $$
declare
  ids bigint[];
  counted int;
begin
  ids := array(
    select f.msg_id from orchestra.fired f
    where f.project = (target).project and f.workload = (target).name and f.position = unfinished_firings.position
      and f.msg_id is not null
    order by f.scheduled_for desc
    limit 32
  );
  execute format('select count(*) from pgmq.%I m where m.msg_id = any ($1)', 'q_' || (target).queue_name)
  into counted using ids;
  return counted;
end
$$;

-- Takes what holds of a due time into account and deals with it: enqueues the message of a queue, or takes the slot
-- for scheduled SQL and answers its token. Only due times after `since` and not older than ten minutes (a call
-- that pg_cron started late) or the catch-up window are looked at; of several that were missed, the last one counts,
-- and the others with it only where runs may overlap. Catching up leaves to the schedule's own job what has become due
-- within the last minute and a half.
create or replace function orchestra.fire_due(
  project text, workload text, "position" int, catching_up boolean default false,
  out scheduled_for timestamptz, out token uuid
)
language plpgsql set search_path = '' set lock_timeout = '5s'
as $$
declare
  plan orchestra.schedule;
  target orchestra.workload;
  gate text;
  until_ts timestamptz := clock_timestamp();
  catchup interval;
  due timestamptz;
  last_one boolean;
begin
  select s.* into plan from orchestra.schedule s
  where s.project = fire_due.project and s.workload = fire_due.workload and s.position = fire_due.position;
  if not found then
    return;
  end if;
  select w.* into target from orchestra.workload w
  where w.project = fire_due.project and w.name = fire_due.workload;
  select p.gate into gate from orchestra.project p where p.project = fire_due.project;
  catchup := coalesce(make_interval(secs => plan.catchup_window_ms / 1000.0), '0');
  if catching_up then
    until_ts := until_ts - least(interval '90 seconds', catchup / 2);
  end if;

  for due, last_one in
    select d.t, d.t = max(d.t) over ()
    from orchestra.due(
      plan.cron, plan.every_ms, plan.timezone,
      greatest(plan.since, clock_timestamp() - case
        when catching_up then catchup
        else greatest(catchup, interval '10 minutes')
      end), until_ts,
      case when plan.catchup_window_ms is null then -1 else -100 end
    ) d(t)
    where not exists (
      select from orchestra.fired f
      where f.project = fire_due.project and f.workload = fire_due.workload and f.scheduled_for = d.t
    )
    order by d.t
  loop
    continue when not last_one and due < clock_timestamp() - catchup;
    if gate is distinct from 'open' or target.paused then
      perform orchestra.note_fired(fire_due.project, fire_due.workload, fire_due.position, due, 'paused');
    elsif not last_one and plan.overlap <> 'allow' then
      perform orchestra.note_fired(fire_due.project, fire_due.workload, fire_due.position, due, 'skipped');
    elsif target.pattern = 'queue' then
      if plan.overlap <> 'allow'
         and orchestra.unfinished_firings(target, fire_due.position)
             > (case plan.overlap when 'buffer_one' then 1 else 0 end) then
        perform orchestra.note_fired(fire_due.project, fire_due.workload, fire_due.position, due, 'skipped');
      elsif orchestra.note_fired(fire_due.project, fire_due.workload, fire_due.position, due, 'enqueued') then
        update orchestra.fired f set msg_id = (orchestra.enqueue(
          target, array[jsonb_build_object('scheduled_for', orchestra.iso(due))], null, null))[1]
        where f.project = fire_due.project and f.workload = fire_due.workload and f.scheduled_for = due;
      end if;
    elsif target.pattern = 'scheduled_sql' then
      -- A call that waited in pg_cron for the run before it comes late: its time was due while that run went on.
      if plan.overlap = 'skip' and exists (
        select from orchestra.scheduled_run r
        where r.project = fire_due.project and r.workload = fire_due.workload
          and r.status <> 'lost' and r.started_at <= due and r.finished_at > due
      ) then
        perform orchestra.note_fired(fire_due.project, fire_due.workload, fire_due.position, due, 'skipped');
      elsif orchestra.note_fired(fire_due.project, fire_due.workload, fire_due.position, due, 'run') then
        token := orchestra.slot_enter(fire_due.project, fire_due.workload, 1);
        if token is null then
          update orchestra.fired f set outcome = case
            when plan.overlap = 'skip' or exists (
              select from orchestra.fired b
              where b.project = fire_due.project and b.workload = fire_due.workload and b.outcome = 'buffered'
            ) then 'skipped'
            else 'buffered'
          end
          where f.project = fire_due.project and f.workload = fire_due.workload and f.scheduled_for = due;
        else
          scheduled_for := due;
          perform orchestra.begin_run(fire_due.project, fire_due.workload, token, due, 1);
        end if;
      end if;
    end if;
  end loop;
end
$$;

-- Opens the record of an attempt, and the time that it has. The next attempt of an earlier due time is superseded.
create or replace function orchestra.begin_run(
  project text, workload text, token uuid, scheduled_for timestamptz, attempt int
) returns bigint
language plpgsql set search_path = ''
as $$
declare
  run_id bigint;
begin
  update orchestra.scheduled_run r set retry_at = null
  where r.project = begin_run.project and r.workload = begin_run.workload and r.retry_at is not null;
  update orchestra.slot s set
    due_at = clock_timestamp() + make_interval(secs => nullif(w.timeout_ms, 0) / 1000.0),
    lease_until = clock_timestamp() + make_interval(secs => w.timeout_ms / 1000.0) + interval '1 minute',
    cancelled_at = null
  from orchestra.workload w
  where w.project = begin_run.project and w.name = begin_run.workload
    and s.project = begin_run.project and s.workload = begin_run.workload and s.slot = 1
    and s.token = begin_run.token;
  insert into orchestra.scheduled_run (project, workload, scheduled_for, attempt)
  values (begin_run.project, begin_run.workload, begin_run.scheduled_for, begin_run.attempt)
  returning id into run_id;
  return run_id;
end
$$;

-- Closes the record of the attempt that is running, and says when the next one is due, if there is to be one: SQLSTATE
-- ORC01 is permanent, ORC02 asks for another time (the interval in HINT) at no attempt.
create or replace function orchestra.end_run(
  project text, workload text, error text default null, sqlstate text default null, hint text default null,
  out wait interval, out attempt int
)
language plpgsql set search_path = ''
as $$
declare
  target orchestra.workload;
  run orchestra.scheduled_run;
begin
  select w.* into target from orchestra.workload w
  where w.project = end_run.project and w.name = end_run.workload;
  select r.* into run from orchestra.scheduled_run r
  where r.project = end_run.project and r.workload = end_run.workload and r.status = 'running'
  order by r.id desc limit 1;
  attempt := run.attempt + 1;
  if error is null or sqlstate = 'ORC01' then
    wait := null;
  elsif sqlstate = 'ORC02' then
    begin
      wait := greatest(hint::interval, interval '0');
      attempt := run.attempt;
    exception when others then
      error := format('snoozed without an interval in its hint (%s): %s', hint, error);
    end;
  end if;
  if error is not null and wait is null and sqlstate <> 'ORC01' and run.attempt < target.max_attempts then
    wait := orchestra.backoff(target, run.attempt);
  end if;
  update orchestra.scheduled_run r set
    finished_at = clock_timestamp(),
    status = case when end_run.error is null then 'done' else 'failed' end,
    error = left(end_run.error, 8000),
    sqlstate = end_run.sqlstate,
    retry_at = clock_timestamp() + wait
  where r.id = run.id;
end
$$;

-- The due time that waits for the run which has just ended, if one does.
create or replace function orchestra.take_buffered(project text, workload text) returns timestamptz
language sql set search_path = ''
as $$
  update orchestra.fired f set outcome = 'run'
  where (f.project, f.workload, f.scheduled_for) = (
    select b.project, b.workload, b.scheduled_for from orchestra.fired b
    where b.project = $1 and b.workload = $2 and b.outcome = 'buffered'
    order by b.scheduled_for desc limit 1
    for update skip locked
  )
  returning f.scheduled_for;
$$;

-- Runs scheduled SQL whose slot and record are taken and committed: its attempts, as long as their waits are short, and
-- what was buffered meanwhile. A later attempt is left to the housekeeping.
create or replace procedure orchestra.run_scheduled(project text, workload text, token uuid, scheduled_for timestamptz)
language plpgsql
as $$
declare
  target record;
  due timestamptz := run_scheduled.scheduled_for;
  attempt int;
  error text;
  error_state text;
  error_hint text;
  again record;
begin
  loop
    perform pg_catalog.set_config('search_path', '', true);
    select w.sql, w.run_role, w.timeout_ms, r.attempt,
           (select pg_catalog.string_agg(pg_catalog.quote_ident(p.name), ', ' order by p.place)
            from pg_catalog.unnest(w.search_path) with ordinality p(name, place)) as handler_path
    into target
    from orchestra.workload w
    join orchestra.scheduled_run r on r.project = w.project and r.workload = w.name and r.status = 'running'
    where w.project = run_scheduled.project and w.name = run_scheduled.workload;
    exit when not found;
    error := null;
    error_state := null;
    error_hint := null;
    begin
      perform orchestra.run_handler(
        run_scheduled.project, run_scheduled.workload, 1, run_scheduled.token,
        target.sql, target.run_role, coalesce(target.handler_path, ''), target.timeout_ms,
        pg_catalog.jsonb_build_object('scheduled_for', orchestra.iso(due)), target.attempt, null);
    exception
      when query_canceled or assert_failure or others then
        get stacked diagnostics
          error = message_text, error_state = returned_sqlstate, error_hint = pg_exception_hint;
    end;
    if error_state is not null then
      if orchestra.slot_hold_after_failure(
        run_scheduled.project, run_scheduled.workload, 1, run_scheduled.token, error_state = '57014'
      ) and error_state = '57014' then
        error := pg_catalog.format('timed out after %s ms', target.timeout_ms);
      end if;
    end if;
    select * into again
    from orchestra.end_run(run_scheduled.project, run_scheduled.workload, error, error_state, error_hint);
    if again.wait <= interval '20 seconds'
       and pg_catalog.clock_timestamp() + again.wait < orchestra.call_ends(target.timeout_ms) then
      update orchestra.slot s set due_at = null
      where s.project = run_scheduled.project and s.workload = run_scheduled.workload and s.slot = 1
        and s.token = run_scheduled.token;
      commit;
      perform pg_catalog.pg_sleep(extract(epoch from again.wait));
      attempt := again.attempt;
    else
      exit when pg_catalog.clock_timestamp() > orchestra.call_ends(target.timeout_ms);
      due := orchestra.take_buffered(run_scheduled.project, run_scheduled.workload);
      exit when due is null;
      attempt := 1;
    end if;
    perform orchestra.begin_run(run_scheduled.project, run_scheduled.workload, run_scheduled.token, due, attempt);
    commit;
  end loop;
  perform orchestra.slot_leave(run_scheduled.project, run_scheduled.workload, 1, run_scheduled.token);
  commit;
end
$$;

-- What the cron job of a schedule calls.
create or replace procedure orchestra.fire(project text, workload text, "position" int)
language plpgsql
as $$
declare
  started record;
begin
  -- A project with nothing but schedules has no tick: each of its jobs looks after the others.
  call orchestra.watch(fire.project);
  perform pg_catalog.set_config('search_path', '', true);
  select * into started from orchestra.fire_due(fire.project, fire.workload, fire.position);
  commit;
  if started.token is null then
    return;
  end if;
  call orchestra.run_scheduled(fire.project, fire.workload, started.token, started.scheduled_for);
  -- All is written down and committed. What has failed for good fails its cron job too, so that it shows there.
  select r.status, r.error, r.retry_at into started
  from orchestra.scheduled_run r
  where r.project = fire.project and r.workload = fire.workload
  order by r.id desc limit 1;
  if started.status = 'failed' and started.retry_at is null then
    raise exception 'the scheduled run of %/% failed: %', fire.project, fire.workload, started.error
      using errcode = 'ORC04';
  end if;
end
$$;
-- What operators do by hand. Each verb leaves a row in the operator log.

create or replace function orchestra.log_verb(verb text, project text, workload text, detail jsonb default '{}')
returns void
language sql set search_path = ''
as $$
  insert into orchestra.operator_log (role_name, verb, project, workload, detail)
  values (session_user, $1, $2, $3, $4);
$$;

create or replace function orchestra.set_paused(verb text, project text, workload text, paused boolean) returns void
language plpgsql set search_path = ''
as $$
declare
  known boolean;
begin
  if set_paused.workload is null then
    update orchestra.project p set
      gate = case when set_paused.paused then 'paused' else 'open' end,
      updated_at = now()
    where p.project = set_paused.project;
    known := found;
  else
    update orchestra.workload w set paused = set_paused.paused
    where w.project = set_paused.project and w.name = set_paused.workload;
    known := found;
  end if;
  if not known then
    raise exception 'there is no %', case
      when set_paused.workload is null then format('project %s', set_paused.project)
      else format('workload %s in project %s', set_paused.workload, set_paused.project)
    end using errcode = 'ORC20';
  end if;
  perform orchestra.log_verb(set_paused.verb, set_paused.project, set_paused.workload);
end
$$;

-- Nothing of the project, or of the workload, begins any more: what is running ends, messages wait.
create or replace function orchestra.pause(project text, workload text default null) returns void
language sql set search_path = ''
as $$
  select orchestra.set_paused('pause', $1, $2, true);
$$;

-- Due times that fell into the pause are not made up for.
create or replace function orchestra.resume(project text, workload text default null) returns void
language sql set search_path = ''
as $$
  select orchestra.set_paused('resume', $1, $2, false);
$$;

-- Sends dead letters back as new messages, with all their attempts before them: those of `ids`, or the oldest
-- `at_most`. Answers how many.
create or replace function orchestra.redrive(
  workload text, ids bigint[] default null, at_most int default 1000, delay interval default '0'
) returns bigint
language plpgsql set search_path = ''
as $$
declare
  target constant orchestra.workload := orchestra.find_workload(redrive.workload);
  letter record;
  redriven bigint := 0;
begin
  if target.queue_name is null then
    raise exception 'workload % has no queue', target.name
      using errcode = 'ORC22', hint = format('It is %s; only a queue has dead letters.', target.pattern);
  end if;
  for letter in
    select d.id, d.payload, d.headers
    from orchestra.dead_letter d
    where d.project = target.project and d.workload = target.name and d.redriven_at is null
      and (redrive.ids is null or d.id = any (redrive.ids))
    order by d.id
    limit case when redrive.ids is null then redrive.at_most end
    for update skip locked
  loop
    update orchestra.dead_letter d set
      redriven_at = clock_timestamp(),
      redriven_as = (orchestra.enqueue(target, array[letter.payload], redrive.delay, letter.headers))[1]
    where d.id = letter.id;
    redriven := redriven + 1;
  end loop;
  perform orchestra.log_verb('redrive', target.project, target.name,
    jsonb_build_object('count', redriven, 'ids', to_jsonb(redrive.ids)));
  return redriven;
end
$$;

-- For handlers that are written in SQL alone: gives the message up, or asks for it again later at no attempt.
create or replace function orchestra.reject(reason text) returns void
language plpgsql set search_path = ''
as $$
begin
  raise exception using errcode = 'ORC01', message = coalesce(reason, 'rejected');
end
$$;

create or replace function orchestra.snooze(delay interval, reason text default null) returns void
language plpgsql set search_path = ''
as $$
begin
  raise exception using errcode = 'ORC02', message = coalesce(reason, 'snoozed'), hint = delay::text;
end
$$;

-- For a queue that orchestra adopts with messages in it: the hand-outs that they have had count as no attempts. Answers
-- how many messages that concerns.
create or replace function orchestra.refund_hand_outs(project text, workload text, queue text) returns bigint
language plpgsql set search_path = ''
as $$
declare
  refunded bigint;
begin
  execute format(
    'insert into orchestra.delivery (project, workload, msg_id, free, settled)
     select $1, $2, m.msg_id, m.read_ct, m.read_ct from pgmq.%I m where m.read_ct > 0
     on conflict on constraint delivery_pkey do update set
       free = excluded.free, settled = excluded.settled, updated_at = now()', 'q_' || refund_hand_outs.queue)
  using refund_hand_outs.project, refund_hand_outs.workload;
  get diagnostics refunded = row_count;
  perform orchestra.log_verb(
    'refund', refund_hand_outs.project, refund_hand_outs.workload, jsonb_build_object('count', refunded));
  return refunded;
end
$$;
-- The job of each minute: what was missed is made up for, what is old goes. Each call does a bounded amount, each
-- workload for itself, in transactions of its own: a locked table or a dropped queue holds up nobody else.

-- Deletes what a workload's retention no longer keeps, at most `at_most` rows of each sort.
create or replace function orchestra.prune_workload(project text, workload text, at_most int) returns void
language plpgsql set search_path = '' set lock_timeout = '200ms'
as $$
declare
  target orchestra.workload;
  queue text;
  start_at bigint;
begin
  select w.* into target from orchestra.workload w
  where w.project = prune_workload.project and w.name = prune_workload.workload;
  if not found then
    return;
  end if;

  delete from orchestra.dead_letter d
  where d.id in (
    select o.id from orchestra.dead_letter o
    where o.project = target.project and o.workload = target.name
      and o.dead_at < now() - make_interval(secs => target.retention_failed_ms / 1000.0)
    order by o.dead_at limit at_most
  );

  delete from orchestra.scheduled_run r
  where r.id in (
    select o.id from orchestra.scheduled_run o
    where o.project = target.project and o.workload = target.name
      and o.status <> 'running' and o.retry_at is null
      and o.started_at < now() - make_interval(secs => case o.status
        when 'done' then coalesce(target.retention_completed_ms / 1000.0, 7 * 86400)
        else coalesce(target.retention_failed_ms / 1000.0, 90 * 86400)
      end)
    order by o.started_at limit at_most
  );

  -- A due time must be remembered for as long as it could be looked at again.
  delete from orchestra.fired f
  where f.project = target.project and f.workload = target.name
    and f.scheduled_for in (
      select o.scheduled_for from orchestra.fired o
      where o.project = target.project and o.workload = target.name
        and o.outcome <> 'buffered'
        and o.scheduled_for < now() - interval '7 days' - make_interval(secs => coalesce((
          select max(s.catchup_window_ms) from orchestra.schedule s
          where s.project = target.project and s.workload = target.name
        ), 0) / 1000.0)
      order by o.scheduled_for limit at_most
    );

  delete from orchestra.slot s
  where s.project = target.project and s.workload = target.name and s.slot > target.concurrency and s.token is null;

  if target.queue_name is null then
    return;
  end if;

  if target.retention_completed_ms is not null then
    queue := format('pgmq.%I', 'a_' || target.queue_name);
    execute format(
      'delete from %1$s a where a.msg_id in (
         select o.msg_id from %1$s o where o.archived_at < now() - $1 order by o.archived_at limit $2
       )', queue)
    using make_interval(secs => target.retention_completed_ms / 1000.0), at_most;
  end if;

  -- Notes about messages that are gone, looked for from a place that is another one each time.
  queue := format('pgmq.%I', 'q_' || target.queue_name);
  select min(d.msg_id) + floor(random() * (max(d.msg_id) - min(d.msg_id)))::bigint into start_at
  from orchestra.delivery d
  where d.project = target.project and d.workload = target.name;
  if start_at is not null then
    execute format(
      'delete from orchestra.delivery d
       where d.project = $1 and d.workload = $2 and d.msg_id in (
         select o.msg_id from (
           (select d.msg_id, d.updated_at from orchestra.delivery d
            where d.project = $1 and d.workload = $2 and d.msg_id >= $3 order by d.msg_id limit $4)
           union all
           (select d.msg_id, d.updated_at from orchestra.delivery d
            where d.project = $1 and d.workload = $2 and d.msg_id < $3 order by d.msg_id limit $4)
         ) o
         where o.updated_at < now() - interval ''1 hour''
           and not exists (select from %s m where m.msg_id = o.msg_id)
       )', queue)
    using target.project, target.name, start_at, at_most;
  end if;
end
$$;

-- pg_cron never deletes what it notes about runs. Rows of the project's jobs go after a day, also those of jobs that
-- are no longer there: they are known by their command, and by their role, as not every role is held to row security. The
-- walk along the primary key goes on where it ended, because other people's rows may be many and stay.
create or replace function orchestra.prune_cron(project text, at_most int) returns bigint
language plpgsql set search_path = '' set lock_timeout = '200ms'
as $$
declare
  reached bigint;
  next_reached bigint;
  pruned bigint := 0;
begin
  if to_regclass('cron.job_run_details') is null then
    return 0;
  end if;
  select p.cron_pruned_to into reached from orchestra.project p
  where p.project = prune_cron.project
  for update skip locked;
  if not found then
    return 0;
  end if;
  execute
    'select max(d.runid) from (
       select d.runid, coalesce(d.end_time, d.start_time, now()) as at
       from cron.job_run_details d where d.runid > $1 order by d.runid limit $2
     ) d
     where d.at < now() - interval ''1 day'''
  into next_reached using reached, at_most;
  if next_reached is null then
    return 0;
  end if;
  execute
    'delete from cron.job_run_details d
     where d.runid > $1 and d.runid <= $2 and d.username = current_user
       and d.command ilike ''call orchestra.%'' and split_part(d.command, '''''''', 2) = $3'
  using reached, next_reached, prune_cron.project;
  get diagnostics pruned = row_count;
  update orchestra.project p set cron_pruned_to = next_reached where p.project = prune_cron.project;
  return pruned;
end
$$;

-- Takes the slot for the next attempt of scheduled SQL whose wait is over.
create or replace function orchestra.begin_retry(
  project text, workload text, out token uuid, out scheduled_for timestamptz
)
language plpgsql set search_path = ''
as $$
declare
  run orchestra.scheduled_run;
begin
  select r.* into run from orchestra.scheduled_run r
  where r.project = begin_retry.project and r.workload = begin_retry.workload and r.retry_at <= clock_timestamp()
  order by r.id desc limit 1
  for update skip locked;
  if not found then
    scheduled_for := orchestra.take_buffered(begin_retry.project, begin_retry.workload);
    if scheduled_for is null then
      return;
    end if;
  end if;
  token := orchestra.slot_enter(begin_retry.project, begin_retry.workload, 1);
  if token is null then
    if scheduled_for is not null then
      update orchestra.fired f set outcome = 'buffered'
      where f.project = begin_retry.project and f.workload = begin_retry.workload
        and f.scheduled_for = begin_retry.scheduled_for;
    end if;
    return;
  end if;
  if scheduled_for is null then
    scheduled_for := run.scheduled_for;
    perform orchestra.begin_run(begin_retry.project, begin_retry.workload, token, scheduled_for,
      run.attempt + case when run.sqlstate = 'ORC02' then 0 else 1 end);
  else
    perform orchestra.begin_run(begin_retry.project, begin_retry.workload, token, scheduled_for, 1);
  end if;
end
$$;

-- What removed workloads have left behind, except their dead letters, which are somebody's data.
create or replace function orchestra.prune_removed(project text, at_most int) returns void
language sql set search_path = ''
as $$
  delete from orchestra.delivery d
  where d.ctid = any (array(
    select o.ctid from orchestra.delivery o
    where o.project = $1
      and not exists (select from orchestra.workload w where w.project = o.project and w.name = o.workload)
    limit $2
  ));
  delete from orchestra.fired f
  where f.ctid = any (array(
    select o.ctid from orchestra.fired o
    where o.project = $1
      and not exists (select from orchestra.workload w where w.project = o.project and w.name = o.workload)
    limit $2
  ));
  delete from orchestra.scheduled_run r
  where r.ctid = any (array(
    select o.ctid from orchestra.scheduled_run o
    where o.project = $1
      and not exists (select from orchestra.workload w where w.project = o.project and w.name = o.workload)
    limit $2
  ));
$$;

create or replace procedure orchestra.housekeep(project text)
language plpgsql
as $$
declare
  item record;
  started record;
begin
  call orchestra.watch(housekeep.project);

  perform pg_catalog.set_config('search_path', '', true);
  for item in
    select w.name from orchestra.workload w where w.project = housekeep.project order by w.name
  loop
    begin
      perform orchestra.prune_workload(housekeep.project, item.name, 5000);
    exception when others then
      raise warning 'orchestra: retention of %/%: %', housekeep.project, item.name, sqlerrm;
    end;
    commit;
    perform pg_catalog.set_config('search_path', '', true);
  end loop;
  begin
    perform orchestra.prune_cron(housekeep.project, 20000);
    perform orchestra.prune_removed(housekeep.project, 5000);
  exception when others then
    raise warning 'orchestra: pruning the run history of cron: %', sqlerrm;
  end;
  commit;

  -- Last, because scheduled SQL takes as long as it takes.
  perform pg_catalog.set_config('search_path', '', true);
  for item in
    select s.workload, s.position from orchestra.schedule s
    where s.project = housekeep.project and s.catchup_window_ms is not null
    order by s.workload, s.position
  loop
    started := null;
    begin
      select * into started
      from orchestra.fire_due(housekeep.project, item.workload, item.position, catching_up => true);
    exception when others then
      raise warning 'orchestra: catching up with %/%: %', housekeep.project, item.workload, sqlerrm;
    end;
    commit;
    if started.token is not null then
      call orchestra.run_scheduled(housekeep.project, item.workload, started.token, started.scheduled_for);
    end if;
    perform pg_catalog.set_config('search_path', '', true);
  end loop;
  for item in
    select r.workload from orchestra.scheduled_run r
    where r.project = housekeep.project and r.retry_at <= pg_catalog.clock_timestamp()
    union
    select f.workload from orchestra.fired f
    where f.project = housekeep.project and f.outcome = 'buffered'
  loop
    exit when pg_catalog.clock_timestamp() > pg_catalog.statement_timestamp() + interval '45 seconds';
    started := null;
    begin
      select * into started from orchestra.begin_retry(housekeep.project, item.workload);
    exception when others then
      raise warning 'orchestra: retrying %/%: %', housekeep.project, item.workload, sqlerrm;
    end;
    commit;
    if started.token is not null then
      call orchestra.run_scheduled(housekeep.project, item.workload, started.token, started.scheduled_for);
    end if;
    perform pg_catalog.set_config('search_path', '', true);
  end loop;
  commit;
end
$$;
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
    grant execute on function orchestra.send(text, jsonb, interval, jsonb) to service_role;
    grant execute on function orchestra.send_many(text, jsonb[], interval, jsonb) to service_role;
  end if;
end
$$;
insert into orchestra.version (version, oldest_tool) values (1, '0.1.0');
