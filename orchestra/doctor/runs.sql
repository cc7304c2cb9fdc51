-- The newest runs by the primary key, never the whole history: a job of each second writes 86,400 rows a day.
with newest as (
  select d.*, j.jobname from cron.job_run_details d left join cron.job j on j.jobid = d.jobid
  order by d.runid desc limit 2000
)
select jsonb_build_object(
  'rows', (select greatest(c.reltuples, 0)::bigint from pg_catalog.pg_class c where c.oid = 'cron.job_run_details'::regclass),
  'bytes', pg_catalog.pg_total_relation_size('cron.job_run_details'),
  'looked_at', (select count(*) from newest),
  'last_s', (
    select extract(epoch from pg_catalog.clock_timestamp() - max(n.start_time))::float8 from newest n
  ),
  'waiting', (
    select count(*) from newest n where n.status in ('starting', 'connecting', 'sending')
      and n.start_time < pg_catalog.clock_timestamp() - interval '1 minute'
      and n.start_time > pg_catalog.clock_timestamp() - interval '1 hour'
  ),
  'long', (
    select coalesce(jsonb_agg(to_jsonb(o)), '[]') from (
      select coalesce(n.jobname, n.jobid::text) as job, n.job_pid as pid,
             extract(epoch from pg_catalog.clock_timestamp() - n.start_time)::float8 as seconds
      from newest n
      where n.status = 'running' and n.start_time < pg_catalog.clock_timestamp() - interval '10 minutes'
        and exists (select from pg_catalog.pg_stat_activity a where a.pid = n.job_pid)
      order by n.start_time limit 3
    ) o
  ),
  'failed', (
    select coalesce(jsonb_agg(to_jsonb(o)), '[]') from (
      select coalesce(n.jobname, n.jobid::text) as job, count(*) as times,
             (array_agg(left(n.return_message, 300) order by n.runid desc))[1] as message
      from newest n
      where n.status = 'failed' and n.start_time > pg_catalog.clock_timestamp() - interval '1 hour'
      group by 1 order by 2 desc, 1 limit 3
    ) o
  )
)::text
