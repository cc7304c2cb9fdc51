-- How far the work is. The last column is true when all of it is done.
select p.imported, r.receipts, r.delivered, d.dead_letters, d.error,
       p.imported = 1999 and r.delivered = 2 and d.dead_letters = 1 as done
from (select count(*) as imported from shop.product) p,
     (select count(*) as receipts, count(delivered_at) as delivered from shop.outbox) r,
     (select count(*) as dead_letters, max(error) as error from orchestra.dead_letter) d;
