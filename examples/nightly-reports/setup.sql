-- Customers and what they bought, yesterday and today by the clocks of Berlin.
create schema if not exists sales;

create table if not exists sales.customer (
  id bigint primary key,
  name text not null
);

create table if not exists sales.sale (
  id bigint primary key,
  customer_id bigint not null references sales.customer (id),
  amount_cents int not null,
  sold_at timestamptz not null
);

create table if not exists sales.daily (
  day date not null,
  customer_id bigint not null references sales.customer (id),
  sales bigint not null,
  total_cents bigint not null,
  primary key (day, customer_id)
);

create table if not exists sales.report (
  customer_id bigint not null references sales.customer (id),
  day date not null,
  body text not null,
  primary key (customer_id, day)
);

insert into sales.customer (id, name) values (1, 'Ada''s Bakery'), (2, 'Grace & Sons'), (3, 'Linus Hardware')
on conflict (id) do nothing;

insert into sales.sale (id, customer_id, amount_cents, sold_at)
select s.id, s.customer_id, s.amount_cents, (d.midnight + s.at) at time zone 'Europe/Berlin'
from (select date_trunc('day', now() at time zone 'Europe/Berlin') as midnight) d
cross join (values
  (1, 1, 1250, interval '-15 hours'), (2, 1, 990, interval '-9 hours'), (3, 2, 20000, interval '-1 minute'),
  (4, 3, 700, interval '1 minute')
) s(id, customer_id, amount_cents, at)
on conflict (id) do nothing;
