-- What pg_net was answered lately, whoever had asked: a cron job that only makes a call succeeds whatever comes of it, and
-- nothing in the answer says whose it was.
select count(*) as answers, count(*) filter (where a.bad) as failed,
       (select count(*) from (select from net.http_request_queue limit 1000) q) as queued,
       (array_agg(coalesce(a.error_msg, 'answered ' || a.status_code) order by a.created desc) filter (where a.bad))[1]
         as last_error
from (
  select r.*, r.status_code is null or r.status_code >= 400 as bad
  from net._http_response r
  where r.created > now() - interval '15 minutes'
  order by r.created desc limit 1000
) a
