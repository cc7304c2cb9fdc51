create schema site;
create table site.page (id int primary key, body text);
create table site.done (what text not null, at timestamptz not null default clock_timestamp());
