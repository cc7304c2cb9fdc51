"""Due times against a minute-by-minute oracle on Python's time zones."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from functools import cache
from importlib.resources import files

import psycopg
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from hypothesis.strategies import DrawFn

from runtime import cron_oracle
from runtime.runtime_db import RuntimeDb

ENGINES = ("embedded", "pg17")

# Where clocks are odd: half hours, three quarters, changes at midnight, two hours at once, a day that was left out.
ZONES = (
    "Europe/Berlin",
    "America/New_York",
    "Asia/Kolkata",
    "Asia/Kathmandu",
    "Australia/Lord_Howe",
    "Pacific/Chatham",
    "America/Sao_Paulo",
    "America/Havana",
    "America/St_Johns",
    "Asia/Tehran",
    "Antarctica/Troll",
    "Pacific/Apia",
    "Europe/London",
    "UTC",
)
FIRST_YEAR, LAST_YEAR = 2010, 2021  # years about which every edition of the time zone data agrees


@cache
def changes(zone: str) -> list[datetime]:
    return cron_oracle.transitions(zone, FIRST_YEAR, LAST_YEAR)


def field(low: int, high: int, names: tuple[str, ...] = ()) -> st.SearchStrategy[str]:
    number = st.integers(low, high)
    span = st.tuples(number, number).map(lambda p: f"{min(p)}-{max(p)}")
    stepped = st.tuples(st.one_of(st.just("*"), span), st.integers(1, high)).map(lambda p: f"{p[0]}/{p[1]}")
    single = number.map(str) | (st.sampled_from(names) if names else st.nothing())
    listed = st.lists(st.one_of(number.map(str), span), min_size=2, max_size=3).map(",".join)
    return st.one_of(st.just("*"), single, span, stepped, listed)


CRONS = st.tuples(
    field(0, 59),
    field(0, 23),
    field(1, 31) | st.just("$"),
    st.just("*") | field(1, 12, tuple(cron_oracle.MONTHS)),
    st.just("*") | field(0, 7, tuple(cron_oracle.WEEKDAYS)),
).map(" ".join)
NIGHTLY = st.tuples(field(0, 59), st.integers(0, 3).map(str)).map(lambda p: f"{p[0]} {p[1]} * * *")


@st.composite
def windows(draw: DrawFn) -> tuple[str | None, datetime, datetime]:
    """A zone (None now and then) and two days, more often than not around a change of its clocks."""
    zone = draw(st.sampled_from(ZONES))
    around: list[datetime] = changes(zone)
    first = datetime(FIRST_YEAR, 1, 2, tzinfo=UTC)
    near = draw(st.booleans())
    if around and near:
        moment = draw(st.sampled_from(around)) - timedelta(minutes=draw(st.integers(0, 2880)))
    else:
        moment = first + timedelta(minutes=draw(st.integers(0, 365 * 24 * 60 * (LAST_YEAR - FIRST_YEAR))))
    until = moment + timedelta(minutes=draw(st.integers(1, 2880)))
    return (None if zone == "UTC" and draw(st.booleans()) else zone), moment, until


def utc(*parts: int) -> datetime:
    return datetime(*parts, tzinfo=UTC)  # type: ignore[arg-type, misc]


def due(
    db: RuntimeDb, cron: str, zone: str | None, after: datetime, until: datetime, count: int | None = None
) -> list[datetime]:
    found = db.rows("select * from orchestra.due(%s, null, %s, %s, %s, %s)", cron, zone, after, until, count)
    return [row[0].astimezone(UTC) for row in found]


@given(st.one_of(CRONS, NIGHTLY), windows())
@example("30 2 * * *", ("Europe/Berlin", utc(2020, 3, 28), utc(2020, 3, 30)))
@example("30 2 * * *", ("Europe/Berlin", utc(2020, 10, 24), utc(2020, 10, 26)))
@example("*/20 * * * *", ("Europe/Berlin", utc(2020, 10, 24, 22), utc(2020, 10, 25, 3)))
@example("0 0 * * *", ("America/Sao_Paulo", utc(2018, 11, 3), utc(2018, 11, 5)))
@example("15 2 * * *", ("Australia/Lord_Howe", utc(2020, 10, 3), utc(2020, 10, 4, 12)))
@example("0 9 30 12 *", ("Pacific/Apia", utc(2011, 12, 29), utc(2012, 1, 1)))
@settings(max_examples=250, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_due_times_are_those_that_a_watched_clock_shows(
    db: RuntimeDb, cron: str, window: tuple[str | None, datetime, datetime]
) -> None:
    zone, after, until = window
    expected = cron_oracle.due(cron, zone, after, until)
    assert due(db, cron, zone, after, until) == expected
    assert due(db, cron, zone, after, until, 2) == expected[:2]
    assert due(db, cron, zone, after, until, -2) == expected[::-1][:2]


@given(NIGHTLY, windows())
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_the_last_and_the_next_due_time_are_neighbours_in_the_same_list(
    db: RuntimeDb, cron: str, window: tuple[str | None, datetime, datetime]
) -> None:
    zone, at, _ = window
    near = cron_oracle.due(cron, zone, at - timedelta(days=2), at + timedelta(days=2))
    assert db.one("select orchestra.previous_due(%s, null, %s, %s)", cron, zone, at) == max(
        t for t in near if t <= at
    )
    assert db.one("select orchestra.next_due(%s, null, %s, %s)", cron, zone, at) == min(
        t for t in near if t > at
    )


@pytest.mark.parametrize(
    ("cron", "at", "previous", "following"),
    [
        ("0 0 29 2 *", (2023, 1, 1), (2020, 2, 29), (2024, 2, 29)),
        ("0 0 29 2 *", (2099, 1, 1), (2096, 2, 29), (2104, 2, 29)),
        ("0 0 $ * *", (2023, 3, 1), (2023, 2, 28), (2023, 3, 31)),
        ("0 0 31 * *", (2023, 4, 15), (2023, 3, 31), (2023, 5, 31)),
        ("@yearly", (2023, 4, 15), (2023, 1, 1), (2024, 1, 1)),
        ("0 0 13 * FRI", (2023, 1, 12), (2023, 1, 6), (2023, 1, 13)),
        ("0 0 */2 * 1", (2023, 1, 8), (2022, 12, 19), (2023, 1, 9)),
        ("0 0 * * 7", (2023, 1, 8), (2023, 1, 8), (2023, 1, 15)),
        ("0 0 30 2 *", (2023, 1, 1), None, None),
    ],
)
def test_months_leap_years_and_both_day_fields(
    db: RuntimeDb,
    cron: str,
    at: tuple[int, ...],
    previous: tuple[int, ...] | None,
    following: tuple[int, ...] | None,
) -> None:
    assert db.one("select orchestra.previous_due(%s, null, null, %s)", cron, utc(*at)) == (
        previous and utc(*previous)
    )
    assert db.one("select orchestra.next_due(%s, null, null, %s)", cron, utc(*at)) == (
        following and utc(*following)
    )


@given(st.integers(1, 400_000), st.integers(1, 10**9), st.integers(1, 3_000_000))
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_intervals_are_anchored_to_the_epoch(db: RuntimeDb, every_s: int, start: int, length: int) -> None:
    length = min(length, every_s * 50)
    after, until = datetime.fromtimestamp(start, UTC), datetime.fromtimestamp(start + length, UTC)
    found = db.rows(
        "select * from orchestra.due(null, %s, 'Asia/Tokyo', %s, %s)", every_s * 1000, after, until
    )
    first = start // every_s + 1
    assert [int(t.timestamp()) for (t,) in found] == [
        n * every_s for n in range(first, (start + length) // every_s + 1)
    ]


def test_the_body_is_a_plain_select_that_runs_where_nothing_is_installed(db: RuntimeDb) -> None:
    source = (files("orchestra.runtime") / "functions" / "200_due.sql").read_text("utf-8")
    body = source.split("$body$")[1]
    values = ["'30 2 * * *'", "null", "'Europe/Berlin'", "'2026-03-27'", "'2026-04-01'", "3"]
    text = re.sub(r"\$([1-6])", lambda m: values[int(m[1]) - 1], body)
    with db.connect() as connection:
        connection.execute("set search_path = ''")
        plain = connection.execute(text).fetchall()
    assert plain == db.rows(
        "select * from orchestra.due('30 2 * * *', null, 'Europe/Berlin', '2026-03-27', '2026-04-01', 3)"
    )
    assert len(plain) == 3


def test_an_unknown_zone_is_an_error(db: RuntimeDb) -> None:
    with pytest.raises(psycopg.errors.InvalidParameterValue):
        due(db, "0 0 * * *", "Mars/Olympus", utc(2023, 1, 1), utc(2023, 1, 2))
