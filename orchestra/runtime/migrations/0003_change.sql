-- What renames, removals in steps and accepted pauses need to remember.

-- What an operator turned and somebody has accepted, by field: it stays, and is no longer reported.
alter table orchestra.registry add column accepted jsonb not null default '{}';

-- `drain`: the workload is no longer in the spec. It takes nothing new, works off what it has, and goes then.
alter table orchestra.workload add column removal text check (removal in ('drain'));

-- Messages of queues that were removed with `on_delete: archive`, as they were. `archived_at` is set on those that were in
-- the queue's own archive already.
create table orchestra.archive (
  id bigint generated always as identity primary key,
  project text not null,
  workload text not null,
  queue_name text not null,
  msg_id bigint not null,
  read_ct int not null,
  enqueued_at timestamptz not null,
  archived_at timestamptz,
  payload jsonb,
  headers jsonb,
  kept_at timestamptz not null default now()
);
create index archive_of on orchestra.archive (project, workload, msg_id);
alter table orchestra.archive enable row level security;
