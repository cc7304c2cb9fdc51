-- What operators' commands need to remember.

-- The person behind a verb, as the command line knew it: a database role is often everybody's. It proves nothing.
alter table orchestra.operator_log add column actor text;

-- What came into each queue and left it up to a moment, as orchestra.status says it: the housekeeping notes it each minute and
-- keeps eleven of them, so that a rate can be told. A row of workload '' only says that the housekeeping was there. Nothing
-- depends on a row for longer than that, so it knows no renames.
create table orchestra.traffic (
  project text not null,
  workload text not null,
  at timestamptz not null default clock_timestamp(),
  queue oid not null,
  came bigint not null,
  gone bigint not null,
  depth bigint,
  front bigint,
  primary key (project, workload, at)
);
alter table orchestra.traffic enable row level security;

-- It answers more now, which `create or replace` cannot change.
drop function if exists orchestra.status(text);
