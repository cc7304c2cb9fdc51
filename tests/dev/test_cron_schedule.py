"""What the ticker's reader of schedules makes of them; pg_cron itself is the judge in test_cron_contract."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from cron_cases import REFUSED, TAKEN

from orchestra.dev.cron_schedule import AtReboot, Calendar, Every, parse


def days_due(schedule: str, year: int = 2026) -> list[str]:
    """The days of a year on which a schedule is due at midnight, as month-day."""
    parsed = parse(schedule)
    assert isinstance(parsed, Calendar)
    first = datetime(year, 1, 1)  # noqa: DTZ001 - wall-clock time
    days = [first + timedelta(days=number) for number in range(366)]
    return [f"{day:%m-%d}" for day in days if day.year == year and parsed.is_due(day)]


@pytest.mark.parametrize("schedule", TAKEN)
def test_what_pg_cron_takes_is_read(schedule: str) -> None:
    assert parse(schedule) is not None


@pytest.mark.parametrize("schedule", REFUSED)
def test_what_pg_cron_refuses_is_not_read(schedule: str) -> None:
    assert parse(schedule) is None


def test_intervals_wrap_at_32_bits() -> None:
    assert parse("4294967326 seconds") == Every(30)
    assert parse("-4294967266 SECOND") == Every(30)


def test_reboot_is_known() -> None:
    assert parse("@restart") == AtReboot()


def test_day_of_month_and_day_of_week_together_mean_or() -> None:
    assert days_due("0 0 13 2 fri") == ["02-06", "02-13", "02-20", "02-27"]
    assert days_due("0 0 1 2 fri") == ["02-01", "02-06", "02-13", "02-20", "02-27"]


def test_a_star_in_either_field_means_and() -> None:
    assert days_due("0 0 */31 * mon") == ["06-01"]  # Mondays that are a first of the month...
    assert days_due("0 0 * 2 mon") == ["02-02", "02-09", "02-16", "02-23"]


def test_the_last_day_follows_the_month() -> None:
    assert days_due("0 0 $ 1-4 *") == ["01-31", "02-28", "03-31", "04-30"]
    assert days_due("0 0 $ 2 *", 2028) == ["02-29"]


def test_a_day_that_never_comes_is_taken_and_never_due() -> None:
    assert days_due("0 0 30 2 *") == []
    assert days_due("0 0 10-5 * *") == []


def test_sunday_is_0_and_7() -> None:
    assert days_due("0 0 * 2 7") == days_due("0 0 * 2 0") == days_due("0 0 * 2 Sun") == [
        "02-01", "02-08", "02-15", "02-22",
    ]  # fmt: skip


def test_macros_are_what_they_say() -> None:
    assert days_due("@yearly") == ["01-01"]
    assert len(days_due("@monthly")) == 12
    assert len(days_due("@weekly")) == 52
    assert len(days_due("@daily")) == 365
