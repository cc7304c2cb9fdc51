-- When a schedule is due: the one answer for the guard of a run, for catch-up and for the plan.
--
-- `due` is a single SELECT over its positional parameters, so that a plan can run the same text in a database where
-- nothing is installed yet:
--
--   $1 cron       five fields as pg_cron reads them, or null       $4 after this instant (not itself)
--   $2 every_ms   an interval anchored to the epoch, or null       $5 up to this instant (itself too)
--   $3 timezone   null is UTC                                      $6 count: the first so many; below zero, the last
--                                                                     so many, latest first; null, all of them
--
-- What the fields mean is local time in the zone. A wildcard hour (`*`, `*/2`) runs by elapsed time: every instant whose
-- local time matches, so nothing in the hour that the spring skips, and both of the hours that the autumn repeats.
-- A fixed hour fires once each local day: a time that is skipped at the first instant after the gap, one that
-- is repeated at its first. Day of month and day of week mean either of them, unless one begins with a star: then both.
--
-- PostgreSQL reads a local time inside a gap by the offset before it, and a repeated one as its second occurrence.

create or replace function orchestra.due(
  cron text, every_ms bigint, timezone text, after_ts timestamptz, until_ts timestamptz, count int default null
) returns setof timestamptz
language sql stable set search_path = '' set jit = off
as $body$
with field as (
  select f.i::int, f.item, starts_with(f.item, '*') as star
  from regexp_split_to_table(
    case lower(btrim($1::text))
      when '@hourly' then '0 * * * *'
      when '@daily' then '0 0 * * *'
      when '@midnight' then '0 0 * * *'
      when '@weekly' then '0 0 * * 0'
      when '@monthly' then '0 0 1 * *'
      when '@yearly' then '0 0 1 1 *'
      when '@annually' then '0 0 1 1 *'
      else lower(btrim($1::text))
    end, '\s+'
  ) with ordinality f(item, i)
),
-- Each field as the numbers that it stands for. In days of the month, 0 is `$`, the last one; in weekdays, 7 is 0.
allowed as (
  select f.i, case when f.i = 5 then n % 7 else n end as n
  from field f
  cross join lateral unnest(string_to_array(f.item, ',')) p(part)
  cross join lateral (
    select split_part(split_part(p.part, '/', 1), '-', 1) as low,
           coalesce(nullif(split_part(split_part(p.part, '/', 1), '-', 2), ''),
                    split_part(split_part(p.part, '/', 1), '-', 1)) as high,
           coalesce(nullif(split_part(p.part, '/', 2), '')::int, 1) as step
  ) s
  cross join lateral generate_series(
    case
      when s.low = '*' then (array[0, 0, 1, 1, 0])[f.i]
      when s.low = '$' then 0
      when s.low ~ '^[0-9]+$' then s.low::int
      when f.i = 4 then array_position(array['jan','feb','mar','apr','may','jun','jul','aug','sep','oct','nov','dec'], s.low)
      when f.i = 5 then array_position(array['sun','mon','tue','wed','thu','fri','sat'], s.low) - 1
    end,
    case
      when s.high = '*' then (array[59, 23, 31, 12, 6])[f.i]
      when s.high = '$' then 0
      when s.high ~ '^[0-9]+$' then s.high::int
      when f.i = 4 then array_position(array['jan','feb','mar','apr','may','jun','jul','aug','sep','oct','nov','dec'], s.high)
      when f.i = 5 then array_position(array['sun','mon','tue','wed','thu','fri','sat'], s.high) - 1
    end,
    s.step
  ) g(n)
),
spec as (
  select
    array(select distinct a.n from allowed a where a.i = 3) as monthdays,
    array(select distinct a.n from allowed a where a.i = 4) as months,
    array(select distinct a.n from allowed a where a.i = 5) as weekdays,
    exists (select from field f where f.i in (3, 5) and f.star) as both_days,
    exists (select from field f where f.i = 2 and f.star) as by_elapsed_time,
    coalesce($3::text, 'UTC') as zone
),
-- The window in local time. Where no offset changes near an end, local times there are in the order of the instants;
-- otherwise the end is moved a day out, and what is too much falls away below.
span as (
  select s.*,
         low.at_zone - case when low.change then interval '1 day' else interval '0' end as low,
         high.at_zone + case when high.change then interval '1 day' else interval '0' end as high
  from spec s
  cross join lateral (
    select $4::timestamptz at time zone s.zone as at_zone,
           ($4::timestamptz - interval '25 hours') at time zone s.zone + interval '50 hours'
             <> ($4::timestamptz + interval '25 hours') at time zone s.zone as change
  ) low
  cross join lateral (
    select $5::timestamptz at time zone s.zone as at_zone,
           ($5::timestamptz - interval '25 hours') at time zone s.zone + interval '50 hours'
             <> ($5::timestamptz + interval '25 hours') at time zone s.zone as change
  ) high
),
-- Days that match: a few more than the times that are asked for, as a day has one at least (unless the clock skips it).
day as (
  select d.day
  from span s
  cross join lateral generate_series(date_trunc('day', s.low), s.high, interval '1 day') d(day)
  cross join lateral (
    select extract(day from d.day)::int = any (s.monthdays)
             or (0 = any (s.monthdays) and extract(day from d.day + interval '1 day') = 1) as in_month,
           extract(dow from d.day)::int = any (s.weekdays) as in_week
  ) m
  where extract(month from d.day)::int = any (s.months)
    and case when s.both_days then m.in_month and m.in_week else m.in_month or m.in_week end
  order by case when $6::int < 0 then d.day end desc, d.day
  limit abs($6::int)::bigint + 6
),
-- Local times, again some more than asked for, as a whole gap of them may fall together (a day, at the date line).
local_time as (
  select d.day + make_interval(hours => h.n, mins => m.n) as at
  from span s
  cross join day d
  cross join (select distinct a.n from allowed a where a.i = 2) h
  cross join (select distinct a.n from allowed a where a.i = 1) m
  where d.day + make_interval(hours => h.n, mins => m.n) between s.low and s.high
  order by case when $6::int < 0 then d.day + make_interval(hours => h.n, mins => m.n) end desc,
           d.day + make_interval(hours => h.n, mins => m.n)
  limit abs($6::int)::bigint + case when $3::text is null then 1 else 3000 end
),
-- Each local time as instants: as PostgreSQL reads it, and by the offset of a day before, which is the first of two.
instant as (
  select case when s.by_elapsed_time then array[
           case when r.late at time zone s.zone = l.at then r.late end,
           case when r.early at time zone s.zone = l.at then r.early end
         ]
         when r.late at time zone s.zone <> l.at then array[(
           select min(g.t)
           from generate_series(r.late - (r.late at time zone s.zone - l.at), r.late, interval '1 minute') g(t)
           where g.t at time zone s.zone - g.t at time zone 'UTC'
               = r.late at time zone s.zone - r.late at time zone 'UTC'
         )]
         when r.early at time zone s.zone = l.at then array[least(r.early, r.late)]
         else array[r.late]
         end as instants
  from local_time l
  cross join span s
  cross join lateral (
    select l.at at time zone s.zone as late,
           case when $3::text is not null then (
             l.at - (
               (l.at at time zone s.zone - interval '24 hours') at time zone s.zone
               - (l.at at time zone s.zone - interval '24 hours') at time zone 'UTC'
             )
           ) at time zone 'UTC' end as early
  ) r
)
select t
from (
  select distinct i.t
  from instant, unnest(instants) i(t)
  where $1::text is not null and i.t > $4::timestamptz and i.t <= $5::timestamptz
  union all
  select to_timestamp(n * $2::bigint / 1000.0)
  from (
    select floor(extract(epoch from $4::timestamptz) * 1000 / $2::bigint)::bigint + 1 as low,
           floor(extract(epoch from $5::timestamptz) * 1000 / $2::bigint)::bigint as high
  ) bounds
  cross join lateral generate_series(
    case when $6::int < 0 then greatest(low, high + $6::int + 1) else low end,
    case when $6::int > 0 then least(high, low + $6::int - 1) else high end
  ) n
  where $2::bigint is not null
) due(t)
order by case when $6::int < 0 then t end desc, t
limit abs($6::int)
$body$;

-- The last due time up to `at`, or null. It looks back 2 hours, then 2 days, 40 days, ten years: most answers are near,
-- and the farthest that can be is eight years off (29 February over 2100).
create or replace function orchestra.previous_due(cron text, every_ms bigint, timezone text, at timestamptz)
returns timestamptz
language sql stable set search_path = '' set jit = off
as $$
  select coalesce(
    (select t from orchestra.due($1, $2, $3, $4 - interval '2 hours', $4, -1) t),
    (select t from orchestra.due($1, $2, $3, $4 - interval '2 days', $4 - interval '2 hours', -1) t),
    (select t from orchestra.due($1, $2, $3, $4 - interval '40 days', $4 - interval '2 days', -1) t),
    (select t from orchestra.due($1, $2, $3, $4 - interval '10 years', $4 - interval '40 days', -1) t)
  );
$$;

-- The first due time after `at`, or null.
create or replace function orchestra.next_due(cron text, every_ms bigint, timezone text, at timestamptz)
returns timestamptz
language sql stable set search_path = '' set jit = off
as $$
  select coalesce(
    (select t from orchestra.due($1, $2, $3, $4, $4 + interval '2 hours', 1) t),
    (select t from orchestra.due($1, $2, $3, $4 + interval '2 hours', $4 + interval '2 days', 1) t),
    (select t from orchestra.due($1, $2, $3, $4 + interval '2 days', $4 + interval '40 days', 1) t),
    (select t from orchestra.due($1, $2, $3, $4 + interval '40 days', $4 + interval '10 years', 1) t)
  );
$$;

-- A schedule that comes to mean something else begins anew, whoever changed its row.
create or replace function orchestra.begin_schedule() returns trigger
language plpgsql set search_path = ''
as $$
begin
  new.since := now();
  return new;
end
$$;

create or replace trigger begin_schedule
before update of cron, every_ms, timezone on orchestra.schedule
for each row
when ((old.cron, old.every_ms, old.timezone) is distinct from (new.cron, new.every_ms, new.timezone))
execute function orchestra.begin_schedule();
