-- Some work for the shop: a catalogue of 2,000 products, one of which no attempt can import, and two paid orders.
-- Both are enqueued in this transaction: rolled back, nothing would have been sent.
begin;
select count(*) as products_sent
from unnest(orchestra.send_many('import-product', array(
  select jsonb_build_object(
    'sku', 'P' || n, 'name', 'Product ' || n,
    'price_cents', case n when 1000 then 'free of charge' else (100 + n)::text end
  )
  from generate_series(1, 2000) n
)));
update shop."order" set state = 'paid' where state = 'open';
commit;
