-- What pg_cron noted of its newest runs: its record has no index but that of its key, so it is read up to a number of rows.
-- The row without a jobid says since when they go.
with recent as (
  select d.jobid, d.runid, d.status, d.return_message, d.start_time
  from cron.job_run_details d
  where d.runid > (select max(m.runid) from cron.job_run_details m) - %(newest)s
),
ended as (
  select r.jobid, r.runid, r.status, r.return_message,
         row_number() over (partition by r.jobid order by r.runid desc) as place
  from recent r where r.status in ('succeeded', 'failed')
),
streak as (
  select e.jobid, coalesce(min(e.place) filter (where e.status = 'succeeded') - 1, count(*)) as failing,
         coalesce((array_agg(e.return_message order by e.runid desc) filter (where e.status = 'failed'))[1], '') as message
  from ended e group by e.jobid
)
select r.jobid, max(r.start_time) as last_start, min(r.start_time) as first_start,
       (array_agg(r.status order by r.runid desc))[1] not in ('succeeded', 'failed') as running,
       coalesce(max(s.failing), 0) as failing, coalesce(max(s.message), '') as message
from recent r
left join streak s on s.jobid = r.jobid
group by grouping sets ((r.jobid), ())
