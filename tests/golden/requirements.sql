-- a-project-with-a-name-of-30-ch: background work, compiled by orchestra VERSION (sha256 …).
-- Do not edit: change the spec and compile again.
--
-- 7 requirements, 1 extension, 1 runtime, 1 project, 1 workload, 3 cron jobs
--
-- Run it as the role that shall own the jobs; running it again changes nothing. It opens no transaction of its own:
-- give psql --single-transaction, or let a migration tool wrap it. A database built from this file alone starts
-- paused: `orchestra apply` opens the gate.
--
-- Its place: stage tests select 1/0;; priority low; after table, pg_cron; before others.

-- requirement.a recent server; it's 100% new select 1/0;
do $orchestra$
begin
  if not (coalesce((
select current_setting('server_version_num')::int >= 150000
), false)) then
    raise exception '%', 'requirement a recent server; it''s 100% new
select 1/0; does not hold'
      using detail = 'a-project-with-a-name-of-30-ch needs this check to be true: select current_setting(''server_version_num'')::int >= 150000';
  end if;
end
$orchestra$;

-- requirement.ends-in-a-comment
do $orchestra$
begin
  if not (coalesce((
select true -- yes
), false)) then
    raise exception '%', 'requirement ends-in-a-comment does not hold'
      using detail = 'a-project-with-a-name-of-30-ch needs this check to be true: select true -- yes';
  end if;
end
$orchestra$;

-- requirement.ends-in-semicolon
do $orchestra$
begin
  if not (coalesce((
select true
), false)) then
    raise exception '%', 'requirement ends-in-semicolon does not hold'
      using detail = 'a-project-with-a-name-of-30-ch needs this check to be true: select true;';
  end if;
end
$orchestra$;

-- requirement.pg_cron
do $orchestra$
begin
  if not (coalesce(string_to_array(regexp_replace(coalesce((select extversion from pg_catalog.pg_extension where extname = 'pg_cron'), (select default_version from pg_catalog.pg_available_extensions where name = 'pg_cron')), '[^0-9.].*$|([.]0)+$', ''), '.')::int[] >= array[1, 4]::int[], false)) then
    raise exception '%', 'requirement pg_cron does not hold'
      using detail = 'a-project-with-a-name-of-30-ch needs the extension pg_cron >=1.4';
  end if;
end
$orchestra$;

-- requirement.plpgsql
do $orchestra$
begin
  if not ((select extversion from pg_catalog.pg_extension where extname = 'plpgsql') is not null) then
    raise exception '%', 'requirement plpgsql does not hold'
      using detail = 'a-project-with-a-name-of-30-ch needs the extension plpgsql';
  end if;
end
$orchestra$;

-- requirement.table
do $orchestra$
begin
  if not (to_regclass('"app"."item"') is not null) then
    raise exception '%', 'requirement table does not hold'
      using detail = 'a-project-with-a-name-of-30-ch needs the relation app.item';
  end if;
end
$orchestra$;

-- requirement.view
do $orchestra$
begin
  if not (to_regclass('"app"."items"') is not null) then
    raise exception '%', 'requirement view does not hold'
      using detail = 'a-project-with-a-name-of-30-ch needs the relation app.items';
  end if;
end
$orchestra$;

-- extension.pg_cron
create extension if not exists "pg_cron";

-- runtime.orchestra
--   …

-- project.a-project-with-a-name-of-30-ch
select orchestra.claim('a-project-with-a-name-of-30-ch', 'project.a-project-with-a-name-of-30-ch', 'a-project-with-a-name-of-30-ch', '{}');
select orchestra.register_project('a-project-with-a-name-of-30-ch');

-- workload.touch
select orchestra.claim('a-project-with-a-name-of-30-ch', 'workload.touch', 'touch', '{"backoff_factor": 2, "backoff_initial_ms": 5000, "backoff_max_ms": 900000, "handler": "sql", "pattern": "scheduled_sql", "timeout_ms": 5000, "visibility_timeout_ms": 35000}'::jsonb || jsonb_build_object('sql', $sql$select 1$sql$));
select orchestra.set_workload('a-project-with-a-name-of-30-ch', 'touch');

-- cron_job.catch-up.1m
select orchestra.claim('a-project-with-a-name-of-30-ch', 'cron_job.catch-up.1m', 'orchestra:a-project-with-a-name-of-30-ch:catch-up.1m', '{"command": "call orchestra.catch_up(''a-project-with-a-name-of-30-ch'')", "job": "orchestra:a-project-with-a-name-of-30-ch:catch-up.1m", "schedule": "* * * * *"}');
select cron.schedule('orchestra:a-project-with-a-name-of-30-ch:catch-up.1m', '* * * * *', $$call orchestra.catch_up('a-project-with-a-name-of-30-ch')$$);

-- cron_job.housekeep.1m
select orchestra.claim('a-project-with-a-name-of-30-ch', 'cron_job.housekeep.1m', 'orchestra:a-project-with-a-name-of-30-ch:housekeep.1m', '{"command": "call orchestra.housekeep(''a-project-with-a-name-of-30-ch'')", "job": "orchestra:a-project-with-a-name-of-30-ch:housekeep.1m", "schedule": "* * * * *"}');
select cron.schedule('orchestra:a-project-with-a-name-of-30-ch:housekeep.1m', '* * * * *', $$call orchestra.housekeep('a-project-with-a-name-of-30-ch')$$);

-- cron_job.touch
select orchestra.claim('a-project-with-a-name-of-30-ch', 'cron_job.touch', 'orchestra:a-project-with-a-name-of-30-ch:touch', '{"command": "call orchestra.fire(''a-project-with-a-name-of-30-ch'', ''touch'', 1)", "every_ms": 3600000, "job": "orchestra:a-project-with-a-name-of-30-ch:touch", "overlap": "skip", "position": 1, "schedule": "0 * * * *", "workload": "touch"}');
insert into orchestra.schedule (project, workload, position, cron, every_ms, timezone, overlap, catchup_window_ms)
values ('a-project-with-a-name-of-30-ch', 'touch', 1, null, 3600000, null, 'skip', null)
on conflict (project, workload, position) do update set
  cron = excluded.cron, every_ms = excluded.every_ms, timezone = excluded.timezone,
  overlap = excluded.overlap, catchup_window_ms = excluded.catchup_window_ms;
select cron.schedule('orchestra:a-project-with-a-name-of-30-ch:touch', '0 * * * *', $$call orchestra.fire('a-project-with-a-name-of-30-ch', 'touch', 1)$$);
