"""Names, schedules and durations as an import writes them."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestra.importing.durations import generous, guess, spelled, taken
from orchestra.importing.names import LONGEST, Names, fold
from orchestra.importing.schedules import written
from orchestra.live.take_inventory import search_path

NAME = re.compile(r"[a-z][a-z0-9]*(-[a-z0-9]+)*\Z")


@given(st.lists(st.text(max_size=70), max_size=12))
def test_whatever_they_are_called_workloads_get_names_of_their_own(texts: list[str]) -> None:
    names = Names()
    given_names = [names.give(fold(text) or "job", "job") for text in texts]
    assert len(set(given_names)) == len(texts)
    assert all(NAME.match(name) and len(name) <= LONGEST for name in given_names)


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("Purge Sessions", "purge-sessions"),
        ("  __Ünïcode__ Jöb ", "unicode-job"),
        ("日本語", ""),
        ("7 days", "job-7-days"),
        ("a" * 63, "a" * 47),
        ("x" * 46 + " y", "x" * 46),
    ],
)
def test_names_are_folded(text: str, name: str) -> None:
    assert fold(text) == name


@pytest.mark.parametrize(
    ("schedule", "timezone", "keys"),
    [
        ("*/5  * * * *", "GMT", {"cron": "*/5 * * * *"}),
        ("30 seconds", "GMT", {"every": "30s"}),
        ("1 second", None, {"every": "1s"}),
        ("@Daily", "UTC", {"cron": "0 0 * * *"}),
        ("0 3 * * 1-5", "Europe/Berlin", {"cron": "0 3 * * 1-5", "timezone": "Europe/Berlin"}),
    ],
)
def test_schedules_are_kept(schedule: str, timezone: str | None, keys: dict[str, str]) -> None:
    assert written(schedule, timezone) == (keys, None)


def test_a_number_of_seconds_that_wraps_is_no_schedule() -> None:
    keys, fault = written("4294967326 seconds", "GMT")
    assert keys == {}
    assert fault is not None
    assert "1 to 59" in fault


@pytest.mark.parametrize(
    ("longest_ms", "budget_ms", "seconds"),
    [
        (0, 0, 5),
        (1_200, 0, 5),
        (4_000, 0, 20),
        (50_000, 0, 300),
        (50_000, 120_000, 120),
        (130_000, 120_000, 600),
        (100_000_000, 0, 345_600),
    ],
)
def test_durations_are_generous_within_the_budget(longest_ms: int, budget_ms: int, seconds: int) -> None:
    assert generous(longest_ms, budget_ms) == seconds


def test_durations_are_spelled_as_people_do() -> None:
    assert [spelled(s) for s in (5, 90, 300, 7_200)] == ["5s", "90s", "5m", "2h"]
    assert [taken(ms) for ms in (7, 3_400, 125_000, 120_000)] == ["7 ms", "3.4 s", "2 min 5 s", "2 min"]
    assert guess(120_000) == 120


def test_a_search_path_is_read_as_the_server_does() -> None:
    assert list(search_path('"$user", public, "My ""Schema", PUBLIC,pg_temp', "app")) == [
        "app",
        "public",
        'My "Schema',
    ]
    assert list(search_path("", "app")) == []
