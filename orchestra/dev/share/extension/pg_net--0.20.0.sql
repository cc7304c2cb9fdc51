-- Stand-in for pg_net 0.20: the same tables and functions, no C. Requests are sent by orchestra.dev.net_worker.
\echo Use "CREATE EXTENSION pg_net" to load this file. \quit

create schema if not exists net;

create domain net.http_method as text
    check (value ilike 'get' or value ilike 'post' or value ilike 'delete');

create unlogged table net.http_request_queue (
    id bigserial,
    method net.http_method not null,
    url text not null,
    headers jsonb,
    body bytea,
    timeout_milliseconds int not null
);

create unlogged table net._http_response (
    id bigint,
    status_code integer,
    content_type text,
    headers jsonb,
    content text,
    timed_out bool,
    error_msg text,
    created timestamptz not null default now()
);
create index on net._http_response (created);

create type net.request_status as enum ('PENDING', 'SUCCESS', 'ERROR');
create type net.http_response as (status_code integer, headers jsonb, body text);
create type net.http_response_result as (status net.request_status, message text, response net.http_response);

-- The worker is known by its application name: only a C library could be a `backend_type` of its own.
create function net.check_worker_is_up() returns void
    language plpgsql
as $$
begin
    if not exists (select from pg_catalog.pg_stat_activity where application_name like 'pg_net %') then
        raise exception 'the pg_net background worker is not up'
            using detail = 'the pg_net background worker is down due to an internal error and cannot process requests',
                  hint = 'make sure that you didn''t modify any of pg_net internal tables';
    end if;
end
$$;
comment on function net.check_worker_is_up()
    is 'raises an exception if the pg_net background worker is not up, otherwise it doesn''t return anything';

create function net._await_response(request_id bigint) returns bool
    language plpgsql
as $$
begin
    while not exists (select from net._http_response r where r.id = request_id) loop
        perform pg_catalog.pg_sleep(0.05);
    end loop;
    return true;
end
$$;

create function net._urlencode_string(string varchar) returns text
    language sql immutable
as $$
    select coalesce(string_agg(
        case when chr(byte) ~ '[A-Za-z0-9._~-]' and byte < 128 then chr(byte)
             else '%' || upper(lpad(to_hex(byte), 2, '0')) end, '' order by place), '')
      from (select place, get_byte(bytes, place) as byte
              from (select convert_to(string, 'UTF8') as bytes) b,
                   generate_series(0, octet_length(bytes) - 1) as place) each
     where string is not null
$$;

create function net._encode_url_with_params_array(url text, params_array text[]) returns text
    language plpgsql immutable
as $$
declare
    fragment text := coalesce(substring(url from '#.*$'), '');
    base text := regexp_replace(url, '#.*$', '');
    query text := array_to_string(params_array, '&');
begin
    if base !~* '^[a-z][a-z0-9+.-]*://[^/?#[:space:]]' then
        raise exception 'URL using bad/illegal format or missing URL' using errcode = 'internal_error';
    end if;
    base := regexp_replace(base, '^([^:]+://[^/?]+)($|\?)', '\1/\2');
    if query <> '' then
        base := base || case when base like '%?%' then '&' else '?' end || query;
    end if;
    return base || fragment;
end
$$;

create function net.worker_restart() returns bool language sql as $$ select true $$;
create function net.wait_until_running() returns void
    language plpgsql
as $$
begin
    loop
        exit when exists (select from pg_catalog.pg_stat_activity where application_name like 'pg_net %');
        perform pg_catalog.pg_stat_clear_snapshot(), pg_catalog.pg_sleep(0.05);
    end loop;
end
$$;
comment on function net.wait_until_running() is 'waits until the worker is running';
create function net.wake() returns void language plpgsql as $$ begin end $$;  -- the worker looks by itself

create function net.http_get(
    url text, params jsonb default '{}'::jsonb, headers jsonb default '{}'::jsonb, timeout_milliseconds int default 5000
) returns bigint
    language plpgsql
as $$
declare
    request_id bigint;
    pairs text[];
begin
    select coalesce(array_agg(net._urlencode_string(key) || '=' || net._urlencode_string(value)), '{}')
      into pairs from jsonb_each_text(params);
    insert into net.http_request_queue (method, url, headers, timeout_milliseconds)
    values ('GET', net._encode_url_with_params_array(url, pairs), headers, timeout_milliseconds)
    returning id into request_id;
    perform net.wake();
    return request_id;
end
$$;

create function net.http_post(
    url text, body jsonb default '{}'::jsonb, params jsonb default '{}'::jsonb,
    headers jsonb default '{"Content-Type": "application/json"}'::jsonb, timeout_milliseconds int default 5000
) returns bigint
    language plpgsql
as $$
declare
    request_id bigint;
    pairs text[];
    content_type text;
begin
    select h.value into content_type
      from jsonb_each_text(coalesce(headers, '{}'::jsonb)) h where lower(h.key) = 'content-type' limit 1;
    if content_type is null then
        headers := headers || '{"Content-Type": "application/json"}'::jsonb;
    end if;
    if content_type <> 'application/json' then
        raise exception 'Content-Type header must be "application/json"';
    end if;
    select coalesce(array_agg(net._urlencode_string(key) || '=' || net._urlencode_string(value)), '{}')
      into pairs from jsonb_each_text(params);
    insert into net.http_request_queue (method, url, headers, body, timeout_milliseconds)
    values ('POST', net._encode_url_with_params_array(url, pairs), headers, convert_to(body::text, 'UTF8'),
            timeout_milliseconds)
    returning id into request_id;
    perform net.wake();
    return request_id;
end
$$;

create function net.http_delete(
    url text, params jsonb default '{}'::jsonb, headers jsonb default '{}'::jsonb,
    timeout_milliseconds int default 5000, body jsonb default null
) returns bigint
    language plpgsql
as $$
declare
    request_id bigint;
    pairs text[];
begin
    select coalesce(array_agg(net._urlencode_string(key) || '=' || net._urlencode_string(value)), '{}')
      into pairs from jsonb_each_text(params);
    insert into net.http_request_queue (method, url, headers, body, timeout_milliseconds)
    values ('DELETE', net._encode_url_with_params_array(url, pairs), headers, convert_to(body::text, 'UTF8'),
            timeout_milliseconds)
    returning id into request_id;
    perform net.wake();
    return request_id;
end
$$;

create function net._http_collect_response(request_id bigint, async bool default true)
    returns net.http_response_result
    language plpgsql
as $$
declare
    found_response net._http_response;
begin
    if not async then
        perform net._await_response(request_id);
    end if;
    select * into found_response from net._http_response r where r.id = request_id;
    if found_response.id is null or found_response.error_msg is not null then
        return ('ERROR', coalesce(found_response.error_msg, 'request matching request_id not found'), null)
            ::net.http_response_result;
    end if;
    return ('SUCCESS', 'ok',
            (found_response.status_code, found_response.headers, found_response.content)::net.http_response)
        ::net.http_response_result;
end
$$;

create function net.http_collect_response(request_id bigint, async bool default true)
    returns net.http_response_result
    language plpgsql
as $$
begin
    raise notice 'The net.http_collect_response function is deprecated.';
    return net._http_collect_response(request_id, async);
end
$$;

grant usage on schema net to public;
grant all on all sequences in schema net to public;
grant all on all tables in schema net to public;
