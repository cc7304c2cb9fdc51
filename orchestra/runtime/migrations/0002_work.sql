-- What work in Edge Functions, keys, rate limits and pipelines need to remember.

-- Defaults as in 020_configuration.sql, which writes every column at each apply.
alter table orchestra.workload
  add column per_worker int not null default 10 check (per_worker >= 1),
  add column linger_ms int not null default 2000 check (linger_ms >= 0),
  add column cpu_ms int not null default 5 check (cpu_ms >= 0),
  add column contract text,
  add column url_secret text,
  add column key_secret text,
  add column max_items int check (max_items >= 1),
  add column rate_limit int check (rate_limit >= 1),
  add column rate_period_ms bigint check (rate_period_ms > 0),
  add column rate_key text,
  add column rate_on_excess text not null default 'queue' check (rate_on_excess in ('queue', 'drop')),
  add column idempotency_key text,
  add column idempotency_ttl_ms bigint check (idempotency_ttl_ms > 0),
  add column debounce_ms bigint check (debounce_ms > 0),
  add column debounce_key text,
  add column on_failure text,
  add column dead_letter_queue text,
  add column steps jsonb check (jsonb_typeof(steps) = 'array'),
  drop constraint workload_check,
  add constraint workload_sql check ((handler = 'sql' and steps is null) = (sql is not null)),
  add constraint workload_rate check ((rate_limit is null) = (rate_period_ms is null));

-- The `read_ct` of the hand-out that was refunded last: none is refunded twice, however often that is reported.
alter table orchestra.delivery add column refunded int not null default 0;

-- What a worker in an Edge Function holds: `contract` is the version of its code, `busy` says that it is not looking for
-- work at the moment, `alone` that it was handed a message which must have no company. `fresh` and `fresh_ct` are the claim
-- of turn `seq`, which a repeated turn answers again. `share` are its handlers, `lease_ms` is how long its leases are, and
-- `limits` those that it was told when it came.
alter table orchestra.slot
  add column contract text,
  add column busy boolean not null default false,
  add column alone boolean not null default false,
  add column fresh bigint[] not null default '{}',
  add column fresh_ct int[] not null default '{}',
  add column share int,
  add column lease_ms bigint,
  add column limits text,
  -- A row of a few hundred held messages stays in the table: it is written at every turn.
  set (toast_tuple_target = 8160);

-- Wake-up calls to the Edge Function of a workload. `entered_at` is when one of its workers last came; a call after which
-- none comes is a miss, and the next one waits longer. `request` is the last call's id in pg_net; `error` says why no call
-- could be made.
create table orchestra.wake (
  project text not null,
  workload text not null,
  last_at timestamptz,
  entered_at timestamptz,
  misses int not null default 0,
  request bigint,
  error text,
  primary key (project, workload),
  foreign key (project, workload) references orchestra.workload (project, name)
    on update cascade on delete cascade
) with (fillfactor = 50);

-- One row a transaction and workload that enqueues, gone at its commit: what a deferred trigger hangs on.
create unlogged table orchestra.knock (
  project text not null,
  workload text not null,
  xid xid8 not null,
  messages bigint not null,
  primary key (project, workload, xid)
);

-- Versions of a workload's code that have announced themselves.
create table orchestra.contract (
  project text not null,
  workload text not null,
  contract text not null,
  first_at timestamptz not null default clock_timestamp(),
  last_at timestamptz not null default clock_timestamp(),
  primary key (project, workload, contract),
  foreign key (project, workload) references orchestra.workload (project, name)
    on update cascade on delete cascade
);

-- Keys under which something was enqueued, and as what: a message, or a run of a pipeline.
create table orchestra.idempotency (
  project text not null,
  workload text not null,
  key text not null,
  id bigint,
  expires_at timestamptz not null,
  primary key (project, workload, key)
);
create index idempotency_expired on orchestra.idempotency (project, workload, expires_at);

-- The message that waits for later ones of the same key.
create table orchestra.debounce (
  project text not null,
  workload text not null,
  key text not null,
  msg_id bigint,
  run bigint,
  due_at timestamptz,
  primary key (project, workload, key)
);

-- Starts within the last period, some of them counted together: `n[i]` starts up to `at[i]`. `next_at` is the last of the next
-- free times, and `ahead` the last place in the line, that messages were given which had to wait.
create table orchestra.rate (
  project text not null,
  workload text not null,
  key text not null,
  at timestamptz[] not null default '{}',
  n int[] not null default '{}',
  next_at timestamptz,
  ahead timestamptz,
  dropped bigint not null default 0,
  updated_at timestamptz not null default clock_timestamp(),
  primary key (project, workload, key)
) with (fillfactor = 50);

-- Calls that an Edge Function has accepted and works off behind its answer. `lost`: nothing was heard of it again.
create table orchestra.call (
  id bigint generated always as identity primary key,
  project text not null,
  workload text not null,
  contract text,
  payload jsonb,
  accepted_at timestamptz not null default clock_timestamp(),
  due_at timestamptz not null,
  finished_at timestamptz,
  status text not null default 'running' check (status in ('running', 'done', 'failed', 'lost')),
  error text,
  code text
);
create index call_history on orchestra.call (project, workload, accepted_at);
create index call_running on orchestra.call (project, due_at) where status = 'running';
-- The last failure is asked for by each status.
create index call_failed on orchestra.call (project, workload, accepted_at) where status in ('failed', 'lost');
create index scheduled_run_failed on orchestra.scheduled_run (project, workload, started_at)
  where status in ('failed', 'lost');

-- A run: a pipeline's, or that of all items of one request. `attempt` counts `retry_run`; messages of an earlier one are
-- nobody's. `caller` is who asked for it: the subject of a JWT, or a database role.
create table orchestra.run (
  id bigint generated always as identity primary key,
  project text not null,
  workload text not null,
  status text not null default 'running' check (status in ('waiting', 'running', 'done', 'failed', 'cancelled')),
  attempt int not null default 1,
  input jsonb,
  caller text,
  started_at timestamptz not null default clock_timestamp(),
  finished_at timestamptz,
  error text
);
create index run_history on orchestra.run (project, workload, started_at);
create index run_going_on on orchestra.run (project, workload) where status in ('waiting', 'running');
create index run_caller on orchestra.run (caller, id);

-- A step of a run; the items of a plain request are its one step `items`. The counters are written once a batch.
create table orchestra.step (
  run bigint not null references orchestra.run (id) on delete cascade,
  step text not null,
  position int not null,
  status text not null default 'waiting'
    check (status in ('waiting', 'running', 'done', 'failed', 'skipped', 'cancelled')),
  total int not null default 0,
  done int not null default 0,
  failed int not null default 0,
  started_at timestamptz,
  finished_at timestamptz,
  primary key (run, step)
) with (fillfactor = 50);

-- Tasks of a step that have ended, with what they answered: the element `i` of what the step before it answered, or 0.
create table orchestra.task (
  run bigint not null,
  step text not null,
  i int not null,
  failed boolean not null default false,
  result jsonb,
  primary key (run, step, i)
);

-- Roles that may read the progress of the runs that they asked for.
create table orchestra.reader (
  project text not null,
  workload text not null,
  role_name text not null,
  primary key (project, workload, role_name)
);

alter table orchestra.fired add column run bigint;

alter table orchestra.wake enable row level security;
alter table orchestra.knock enable row level security;
alter table orchestra.contract enable row level security;
alter table orchestra.idempotency enable row level security;
alter table orchestra.debounce enable row level security;
alter table orchestra.rate enable row level security;
alter table orchestra.call enable row level security;
alter table orchestra.run enable row level security;
alter table orchestra.step enable row level security;
alter table orchestra.task enable row level security;
alter table orchestra.reader enable row level security;

-- They take more arguments now, or answer something else, which `create or replace` cannot change.
drop function if exists orchestra.send(text, jsonb, interval, jsonb);
drop function if exists orchestra.prune_workload(text, text, int);
drop function if exists orchestra.send_many(text, jsonb[], interval, jsonb);
drop function if exists orchestra.enqueue(orchestra.workload, jsonb[], interval, jsonb);
drop function if exists orchestra.run_handler(text, text, int, uuid, text, text, text, int, jsonb, int, bigint);
drop function if exists orchestra.next_message(text, text, int, uuid);
drop function if exists orchestra.ack_message(text, text, text, bigint, int, boolean);
