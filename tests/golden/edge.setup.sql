create role clerk;
create table public.item (id bigint primary key, customer text, counted boolean not null default false);
grant select, update on public.item to clerk;
