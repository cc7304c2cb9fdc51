-- The app's own tables. orchestra does not touch them.
create schema if not exists app;

create table if not exists app.task (
  id bigint primary key,
  note text not null,
  state text not null default 'waiting' check (state in ('waiting', 'processed')),
  attempts int not null default 0,
  processed_at timestamptz
);

create table if not exists app.task_log (
  id bigint generated always as identity primary key,
  task_id bigint not null references app.task (id),
  message_id bigint not null,
  action text not null,
  at timestamptz not null default now()
);

create table if not exists app.report (
  customer bigint not null,
  month text not null,
  body text not null,
  primary key (customer, month)
);

insert into app.task (id, note) values
  (123, 'Render the annual report'),
  (124, 'Import the price list'),
  (125, 'Rebuild the search index')
on conflict (id) do nothing;
