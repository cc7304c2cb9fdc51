-- Stand-in for pg_cron 1.6: the same catalogue, the same messages, no C. Jobs are run by orchestra.dev.ticker.
\echo Use "CREATE EXTENSION pg_cron" to load this file. \quit

do $$
begin
    if pg_catalog.current_database() <> pg_catalog.current_setting('cron.database_name') then
        raise exception 'can only create extension in database %', pg_catalog.current_setting('cron.database_name')
            using detail = 'Jobs must be scheduled from the database configured in cron.database_name, '
                           'since the pg_cron background worker reads job descriptions from this database.',
                  hint = pg_catalog.format('Add cron.database_name = ''%s'' in postgresql.conf '
                                           'to use the current database.', pg_catalog.current_database());
    end if;
end
$$;

create schema cron;

create sequence cron.jobid_seq;
create table cron.job (
    jobid bigint primary key default pg_catalog.nextval('cron.jobid_seq'),
    schedule text not null,
    command text not null,
    nodename text not null default 'localhost',
    nodeport int not null default pg_catalog.inet_server_port(),
    database text not null default pg_catalog.current_database(),
    username text not null default current_user,
    active boolean not null default 'true',
    jobname text,
    constraint jobname_username_uniq unique (jobname, username)
);
grant select on cron.job to public;
alter table cron.job enable row level security;
create policy cron_job_policy on cron.job using (username = current_user);

create sequence cron.runid_seq;
create table cron.job_run_details (
    jobid bigint,
    runid bigint primary key default pg_catalog.nextval('cron.runid_seq'),
    job_pid integer,
    database text,
    username text,
    command text,
    status text,
    return_message text,
    start_time timestamptz,
    end_time timestamptz
);
grant select, delete on cron.job_run_details to public;
alter table cron.job_run_details enable row level security;
create policy cron_job_run_details_policy on cron.job_run_details using (username = current_user);

grant select on sequence cron.jobid_seq, cron.runid_seq to public;

select pg_catalog.pg_extension_config_dump('cron.job', '');
select pg_catalog.pg_extension_config_dump('cron.jobid_seq', '');
select pg_catalog.pg_extension_config_dump('cron.job_run_details', '');
select pg_catalog.pg_extension_config_dump('cron.runid_seq', '');

-- Everything that the C library does behind its functions lies in a schema of its own, so that `cron` holds exactly what
-- it holds on a real server. Each helper takes the caller's name: inside a SECURITY DEFINER function, as which these have
-- to write the tables, the caller can no longer be told. The stand-in is for development; it is no security border.
create schema cron_standin;
grant usage on schema cron_standin to public;

-- A number or name of a schedule field, as C's atoi reads it: it wraps at 32 bits. Null when it is neither.
create function cron_standin.field_number(word text, low int, names text[]) returns int
    language plpgsql immutable set search_path = ''
as $$
declare
    place int := pg_catalog.array_position(names, pg_catalog.lower(word));
    value numeric;
begin
    if place is not null then
        return low + place - 1;
    end if;
    if word is null or word !~ '^[0-9]+$' then
        return null;
    end if;
    value := least(word::numeric, 9223372036854775807) % 4294967296;
    return case when value >= 2147483648 then value - 4294967296 else value end;
end
$$;

-- Take one field (a list of ranges, what junk follows them, and blanks) off the text. Null when it is refused.
create function cron_standin.after_field(rest text, low int, high int, names text[]) returns text
    language plpgsql immutable set search_path = ''
as $$
declare
    word text;
    first int;
    last int;
    step int;
begin
    loop
        if rest like '*%' then
            first := low;
            last := high;
            rest := pg_catalog.substr(rest, 2);
        else
            word := substring(rest from '^[A-Za-z0-9]+');
            first := cron_standin.field_number(word, low, names);
            if first is null then
                return null;
            end if;
            rest := pg_catalog.substr(rest, pg_catalog.length(word) + 1);
            last := first;
            if rest like '-%' then
                word := substring(rest from '^-([A-Za-z0-9]+)');
                last := cron_standin.field_number(word, low, names);
                if last is null then
                    return null;
                end if;
                rest := pg_catalog.substr(rest, pg_catalog.length(word) + 2);
            elsif rest like '/%' then
                return null;  -- a step needs a range
            end if;
        end if;
        if rest like '/%' then
            word := substring(rest from '^/([A-Za-z0-9]+)');
            step := cron_standin.field_number(word, 0, null);
            if step is null or step <= 0 or step > high then
                return null;
            end if;
            rest := pg_catalog.substr(rest, pg_catalog.length(word) + 2);
        end if;
        if first not between low and high or last not between low and high then
            return null;
        end if;
        exit when rest not like ',%';
        rest := pg_catalog.substr(rest, 2);
    end loop;
    return pg_catalog.regexp_replace(rest, '^[^ \t\n]*[ \t]*', '');
end
$$;

-- Whether pg_cron takes the text as a schedule; like it, this takes much that makes no sense.
create function cron_standin.is_schedule(schedule text) returns boolean
    language plpgsql immutable set search_path = ''
as $$
declare
    lowered text := pg_catalog.translate(schedule, 'ABCDEFGHIJKLMNOPQRSTUVWXYZ', 'abcdefghijklmnopqrstuvwxyz');
    digits text;
    seconds numeric;
    rest text := schedule;
begin
    -- `N seconds`: what C's scanf reads into 32 bits without a sign, so both signs and values that wrap are taken
    digits := substring(
        lowered from '^[ \t\n\v\f\r]*([+-]?[0-9]+)[ \t\n\v\f\r]*second(?:s[ \t\n\v\f\r]*)?$');
    if digits is not null then
        seconds := least(pg_catalog.ltrim(digits, '+-')::numeric, 18446744073709551615);
        if digits like '-%' and seconds < 18446744073709551615 then
            seconds := 18446744073709551616 - seconds;
        end if;
        if seconds % 4294967296 between 1 and 59 then
            return true;
        end if;
    end if;

    if pg_catalog.octet_length(schedule) >= 1000 then
        return false;
    end if;
    rest := pg_catalog.regexp_replace(rest, '^([ \t]*(#[^\n]*)?\n)*[ \t]*', '');
    if rest like '@%' then
        return substring(rest from '^@([^ \t\n]*)') in (
            'reboot', 'restart', 'yearly', 'annually', 'monthly', 'weekly', 'daily', 'midnight', 'hourly');
    end if;
    rest := cron_standin.after_field(rest, 0, 59, null);
    rest := cron_standin.after_field(rest, 0, 23, null);
    if rest ~ '^\$[ \t]' then
        rest := pg_catalog.regexp_replace(rest, '^\$[ \t]+', '');
    else
        rest := cron_standin.after_field(rest, 1, 31, null);
    end if;
    rest := cron_standin.after_field(
        rest, 1, 12, '{jan,feb,mar,apr,may,jun,jul,aug,sep,oct,nov,dec}'::text[]);
    rest := cron_standin.after_field(rest, 0, 7, '{sun,mon,tue,wed,thu,fri,sat,sun}'::text[]);
    return rest is not null;
end
$$;

create function cron_standin.check_schedule(schedule text) returns void
    language plpgsql immutable set search_path = ''
as $$
begin
    if not cron_standin.is_schedule(schedule) then
        raise exception 'invalid schedule: %', schedule
            using errcode = 'invalid_parameter_value',
                  hint = 'Use cron format (e.g. 5 4 * * *), or interval format ''[1-59] seconds''';
    end if;
end
$$;

create function cron_standin.check_login(username text) returns void
    language plpgsql stable security definer set search_path = ''
as $$
declare
    can_login boolean := (select r.rolcanlogin from pg_catalog.pg_roles r where r.rolname = username);
begin
    if can_login is null then
        raise exception 'role "%" does not exist', username using errcode = 'internal_error';
    elsif not can_login then
        raise exception 'role "%" can not log in', username
            using errcode = 'internal_error',
                  detail = 'Jobs may only be run by roles that have the LOGIN attribute.';
    end if;
end
$$;

create function cron_standin.check_connect(username text, database text) returns void
    language plpgsql stable security definer set search_path = ''
as $$
begin
    if not pg_catalog.has_database_privilege(username, database, 'CONNECT') then
        raise exception 'User % does not have CONNECT privilege on %', username, database
            using errcode = 'internal_error';
    end if;
end
$$;

create function cron_standin.is_superuser(username text) returns boolean
    language sql stable set search_path = ''
as $$ select r.rolsuper from pg_catalog.pg_roles r where r.rolname = username $$;

create function cron_standin.schedule(
    caller text, job_name text, schedule text, command text, database text, username text, active boolean
) returns bigint
    language plpgsql security definer set search_path = ''
as $$
declare
    owner text := coalesce(username, caller);
    target text := coalesce(database, pg_catalog.current_setting('cron.database_name'));
    new_jobid bigint;
begin
    perform cron_standin.check_schedule(schedule);
    if username is not null then
        if not cron_standin.is_superuser(caller) then
            raise exception 'must be superuser to create a job for another role' using errcode = 'internal_error';
        end if;
        perform cron_standin.check_login(username);
    end if;
    perform cron_standin.check_connect(owner, target);
    insert into cron.job as j (schedule, command, nodename, nodeport, database, username, active, jobname)
    values (schedule, command, pg_catalog.current_setting('cron.host'), pg_catalog.current_setting('port')::int,
            target, owner, active, job_name)
    on conflict on constraint jobname_username_uniq do update
        set schedule = excluded.schedule, command = excluded.command, database = excluded.database
    returning j.jobid into new_jobid;
    return new_jobid;
end
$$;

create function cron_standin.require(argument text, is_missing boolean) returns void
    language plpgsql immutable set search_path = ''
as $$
begin
    if is_missing then
        raise exception '% can not be NULL', argument using errcode = 'internal_error';
    end if;
end
$$;

create function cron_standin.alter_job(
    caller text, job_id bigint, schedule text, command text, database text, username text, active boolean
) returns void
    language plpgsql security definer set search_path = ''
as $$
begin
    if username is not null then
        if not cron_standin.is_superuser(caller) then
            raise exception 'must be superuser to alter username' using errcode = 'internal_error';
        end if;
        perform cron_standin.check_login(username);
    end if;
    if database is not null then
        perform cron_standin.check_connect(coalesce(username, caller), database);
    end if;
    if schedule is not null then
        perform cron_standin.check_schedule(schedule);
    end if;
    if schedule is null and command is null and database is null and username is null and active is null then
        raise exception 'no updates specified'
            using errcode = 'internal_error',
                  hint = 'You must specify at least one job attribute to change when calling alter_job';
    end if;
    update cron.job j
       set schedule = coalesce(alter_job.schedule, j.schedule),
           command = coalesce(alter_job.command, j.command),
           database = coalesce(alter_job.database, j.database),
           username = coalesce(alter_job.username, j.username),
           active = coalesce(alter_job.active, j.active)
     where j.jobid = job_id and (j.username = caller or cron_standin.is_superuser(caller));
    if not found then
        raise exception 'Job % does not exist or you don''t own it', job_id using errcode = 'internal_error';
    end if;
end
$$;

create function cron_standin.unschedule(caller text, job_id bigint) returns boolean
    language plpgsql security definer set search_path = ''
as $$
declare
    owner text := (select j.username from cron.job j where j.jobid = job_id);
begin
    if owner is null then
        raise exception 'could not find valid entry for job %', job_id using errcode = 'internal_error';
    end if;
    if pg_catalog.lower(owner) <> pg_catalog.lower(caller)
       and not pg_catalog.has_table_privilege(caller, 'cron.job', 'DELETE') then
        raise exception 'permission denied for table job' using errcode = 'insufficient_privilege';
    end if;
    delete from cron.job j where j.jobid = job_id;
    return true;
end
$$;

create function cron_standin.unschedule(caller text, job_name text) returns boolean
    language plpgsql security definer set search_path = ''
as $$
begin
    delete from cron.job j where j.jobname = job_name and j.username = caller;
    if not found then
        raise exception 'could not find valid entry for job ''%''', job_name using errcode = 'internal_error';
    end if;
    return true;
end
$$;

-- What is public, argument for argument as in pg_cron.

create function cron.schedule(schedule text, command text) returns bigint
    language plpgsql strict cost 1
as $$
begin
    return cron_standin.schedule(current_user::text, null, schedule, command, null, null, true);
end
$$;
comment on function cron.schedule(text, text) is 'schedule a pg_cron job';

create function cron.schedule(job_name text, schedule text, command text) returns bigint
    language plpgsql cost 1
as $$
begin
    perform cron_standin.require('job_name', job_name is null);
    perform cron_standin.require('schedule', schedule is null);
    perform cron_standin.require('command', command is null);
    return cron_standin.schedule(current_user::text, job_name, schedule, command, null, null, true);
end
$$;
comment on function cron.schedule(text, text, text) is 'schedule a pg_cron job';

create function cron.schedule_in_database(
    job_name text, schedule text, command text, database text,
    username text default null, active boolean default 'true'
) returns bigint
    language plpgsql cost 1
as $$
begin
    perform cron_standin.require('job_name', job_name is null);
    perform cron_standin.require('schedule', schedule is null);
    perform cron_standin.require('command', command is null);
    return cron_standin.schedule(
        current_user::text, job_name, schedule, command, database, username, coalesce(active, true));
end
$$;
comment on function cron.schedule_in_database(text, text, text, text, text, boolean) is 'schedule a pg_cron job';
revoke all on function cron.schedule_in_database(text, text, text, text, text, boolean) from public;

create function cron.alter_job(
    job_id bigint, schedule text default null, command text default null,
    database text default null, username text default null, active boolean default null
) returns void
    language plpgsql cost 1
as $$
begin
    perform cron_standin.require('job_id', job_id is null);
    perform cron_standin.alter_job(current_user::text, job_id, schedule, command, database, username, active);
end
$$;
comment on function cron.alter_job(bigint, text, text, text, text, boolean)
    is 'Alter the job identified by job_id. Any option left as NULL will not be modified.';
revoke all on function cron.alter_job(bigint, text, text, text, text, boolean) from public;

create function cron.unschedule(job_id bigint) returns bool
    language plpgsql strict cost 1
as $$
begin
    return cron_standin.unschedule(current_user::text, job_id);
end
$$;
comment on function cron.unschedule(bigint) is 'unschedule a pg_cron job';

create function cron.unschedule(job_name text) returns bool
    language plpgsql strict cost 1
as $$
begin
    return cron_standin.unschedule(current_user::text, job_name);
end
$$;
comment on function cron.unschedule(text) is 'unschedule a pg_cron job';

create function cron.job_cache_invalidate() returns trigger
    language plpgsql cost 1
as $$
begin
    return null;  -- the ticker reads the table at every turn
end
$$;
comment on function cron.job_cache_invalidate() is 'invalidate job cache';

create trigger cron_job_cache_invalidate
    after insert or update or delete or truncate on cron.job
    for each statement execute function cron.job_cache_invalidate();
