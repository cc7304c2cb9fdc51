"""The minutes at which pg_cron calls a schedule that has a time zone: all at which it can be due, around every change
of its clocks, and few others. No database: which of the calls is the right one is decided there, see test_due."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from functools import cache

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from hypothesis.strategies import DrawFn

from orchestra.ir.cron import in_zone
from runtime import cron_oracle
from runtime.test_due import CRONS, NIGHTLY

# Where clocks are odd: offsets of half and three quarter hours, changes by half an hour and by two hours, at midnight,
# around Ramadan, given up or moved in these years; and where they are not.
ZONES = (
    "Europe/Berlin",
    "Europe/London",
    "America/New_York",
    "Asia/Kolkata",
    "Asia/Kathmandu",
    "Asia/Tehran",
    "America/St_Johns",
    "Australia/Lord_Howe",
    "Pacific/Chatham",
    "Antarctica/Troll",
    "America/Havana",
    "Asia/Beirut",
    "America/Santiago",
    "Africa/Cairo",
    "Asia/Gaza",
    "Africa/Casablanca",
    "America/Nuuk",
    "America/Scoresbysund",
    "Pacific/Fiji",
    "Pacific/Apia",
)
FIRST_YEAR, LAST_YEAR = 2020, 2030
NEARLY_A_DAY = timedelta(hours=13)
OFTEN_HIT = (
    "30 2 * * *",
    "15 2,3 * * *",
    "*/20 0-3 * * *",
    "0 0 * * *",
    "59 23 * * *",
    "7 * * * *",
    "7 */2 * * *",
    "5,35 0-23/2 * * sun",
)


@cache
def changes(zone: str) -> tuple[datetime, ...]:
    """Those of the clocks; where there are none, some moment."""
    found = cron_oracle.transitions(zone, FIRST_YEAR, LAST_YEAR)
    return tuple(found) or (datetime(FIRST_YEAR, 6, 1, tzinfo=UTC),)


def due_around(cron: str, zone: str, moment: datetime) -> list[datetime]:
    return cron_oracle.due(cron, zone, moment - NEARLY_A_DAY, moment + NEARLY_A_DAY)


def not_called(cron: str, zone: str, due: list[datetime]) -> list[datetime]:
    """Those of the due times at which pg_cron, whose clock shows UTC, would not call."""
    job = cron_oracle.Cron(in_zone(cron, zone))
    return [moment for moment in due if not job.matches(moment)]


@pytest.mark.parametrize("zone", ZONES)
def test_each_due_time_around_a_change_of_clocks_is_a_time_of_the_job(zone: str) -> None:
    for cron in OFTEN_HIT:
        for moment in changes(zone)[:4]:
            due = due_around(cron, zone, moment)
            assert due or cron.endswith("sun")
            assert not_called(cron, zone, due) == []


@st.composite
def moments(draw: DrawFn) -> tuple[str, datetime]:
    """A zone, and one of the changes of its clocks."""
    zone = draw(st.sampled_from(ZONES))
    return zone, draw(st.sampled_from(changes(zone)))


@given(st.one_of(CRONS, NIGHTLY), moments())
@example("15 2 * * *", ("Australia/Lord_Howe", changes("Australia/Lord_Howe")[1]))
@example("0 0 * * *", ("America/Havana", changes("America/Havana")[0]))
@settings(max_examples=300, deadline=None)
def test_whatever_the_expression_no_due_time_is_missed(cron: str, at: tuple[str, datetime]) -> None:
    zone, moment = at
    assert not_called(cron, zone, due_around(cron, zone, moment)) == []


@pytest.mark.parametrize(
    ("cron", "zone", "job"),
    [
        ("30 2 * * *", "UTC", "30 * * * *"),
        ("30 2 * * *", "Asia/Tokyo", "30 * * * *"),
        # The hour that is left out ends on the hour; a wildcard has nothing to make up for.
        ("30 2 * * *", "Europe/Berlin", "0,30 * * * *"),
        ("30 */2 * * *", "Europe/Berlin", "30 * * * *"),
        ("0 0 * * *", "America/Havana", "0 * * * *"),
        ("15 9 * * *", "Asia/Kolkata", "45 * * * *"),
        ("15 9 * * *", "Asia/Kathmandu", "30 * * * *"),
        ("10 9 * * *", "Pacific/Chatham", "0,25 * * * *"),
        ("10 2 * * *", "Australia/Lord_Howe", "10,30,40 * * * *"),
        ("* 2 * * *", "Europe/Berlin", "* * * * *"),
    ],
)
def test_no_other_minutes_are_called_at(cron: str, zone: str, job: str) -> None:
    assert in_zone(cron, zone) == job
