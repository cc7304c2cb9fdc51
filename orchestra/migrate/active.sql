select cron.alter_job(job_id => j.jobid, active => true)
from cron.job j
join orchestra.registry r on r.kind = 'cron_job' and r.name = j.jobname and r.updated_at = now()
where r.project = :project and r.address = any(:addresses) and j.username = current_user
