-- Visits as they come in, pages with their counts, and links between pages.
create schema if not exists web;

create table if not exists web.visit (
  id bigint generated always as identity primary key,
  page text not null
);

create table if not exists web.page (
  path text primary key,
  visits bigint not null
);

create table if not exists web.link (
  id bigint primary key,
  target text not null,
  known boolean,
  checked_at timestamptz
);

insert into web.visit (page)
select path from (values ('/'), ('/'), ('/about')) v(path)
where not exists (select from web.page);
