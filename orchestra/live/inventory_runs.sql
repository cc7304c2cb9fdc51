-- The history has no index but that of its key, and nothing prunes it: only its newest part is read.
with recent as (
  select d.jobid, d.runid, d.status, d.return_message, d.start_time, d.end_time,
         row_number() over (partition by d.jobid order by d.runid desc) as place
  from cron.job_run_details d
  where d.runid > (select max(m.runid) from cron.job_run_details m) - %(newest)s
    and d.status in ('succeeded', 'failed')
)
select jobid, count(*) as seen,
       coalesce(min(place) filter (where status = 'succeeded') - 1, count(*)) as failing,
       (extract(epoch from max(end_time - start_time)) * 1000)::bigint as longest_ms,
       coalesce(
         (array_agg(return_message order by runid desc) filter (where status = 'failed' and return_message <> ''))[1], ''
       ) as message
from recent
group by jobid
