-- The shop's own tables, with a little in them.
create schema if not exists shop;

create table if not exists shop.product (
  sku text primary key,
  name text not null,
  price_cents int not null check (price_cents >= 0),
  imported_at timestamptz not null default now()
);

create table if not exists shop."order" (
  id bigint primary key,
  email text not null,
  total_cents int not null,
  state text not null default 'open' check (state in ('open', 'paid', 'sent'))
);

create table if not exists shop.outbox (
  order_id bigint primary key references shop."order" (id),
  recipient text not null,
  subject text not null,
  written_at timestamptz not null default now(),
  delivered_at timestamptz
);

create table if not exists shop.cart (
  id bigint primary key,
  touched_at timestamptz not null
);

insert into shop."order" (id, email, total_cents) values
  (1, 'ada@example.com', 4200), (2, 'grace@example.com', 1999)
on conflict (id) do nothing;

insert into shop.cart (id, touched_at) values
  (1, now()), (2, now() - interval '3 days')
on conflict (id) do nothing;

-- Supabase has this role; a plain PostgreSQL does not.
do $$
begin
  create role authenticated nologin;
exception when duplicate_object then
  null;
end
$$;
