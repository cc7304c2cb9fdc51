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
