create schema chaos;
create table chaos.work (
  id bigint generated always as identity primary key,
  msg_id bigint not null,
  attempt int not null,
  isolate int not null,
  started_at timestamptz not null default clock_timestamp(),
  ended_at timestamptz
);
create table chaos.mercy (given boolean not null);
insert into chaos.mercy values (false);
create table chaos.poisoned (
  msg_id bigint not null,
  attempt int not null,
  isolate int not null,
  at timestamptz not null default clock_timestamp()
);
