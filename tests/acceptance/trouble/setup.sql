create schema trouble;
create table trouble.done (
  message_id bigint,
  attempt int,
  what text not null,
  bytes int,
  isolate int not null,
  started_at timestamptz not null,
  ended_at timestamptz not null default clock_timestamp()
);
