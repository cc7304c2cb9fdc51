-- Calls that wait for pg_net's worker, and how its last ones ended.
select jsonb_build_object(
  'waiting', (select count(*) from (select from net.http_request_queue limit 10001) q),
  'bytes', pg_catalog.pg_total_relation_size('net._http_response'),
  'answers', count(*),
  'faults', count(*) filter (where r.error_msg is not null or r.timed_out),
  'refused', count(*) filter (where r.status_code >= 400),
  'last', (array_agg(coalesce(left(r.error_msg, 200), 'status ' || r.status_code) order by r.id desc)
           filter (where r.error_msg is not null or r.status_code >= 400))[1]
)::text
from (select * from net._http_response order by id desc limit 200) r
