"""The 14 digits are above every file that is there, as texts, whatever it is called."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from orchestra.errors import OrchestraError
from orchestra.migrate import next_version

FLOOR = datetime(2027, 1, 15, 8, tzinfo=UTC)


@pytest.mark.parametrize(
    ("files", "version"),
    [
        ([], "20270115080000"),
        (["20200101000000_old.sql", "notes.txt", "20991231000000_no_sql.txt"], "20270115080000"),
        (["20270115080000_same.sql"], "20270115080001"),
        (["20271231235959_later.sql", "20270301000000_a.sql"], "20280101000000"),
        (["20279999999999_no_time.sql"], "20280000000000"),
        (["3_short.sql"], "30000000000001"),
        (["202711_month.sql"], "20271100000001"),
        (["20270115080000123_long.sql"], "20270115080001"),
    ],
)
def test_the_next(files: list[str], version: str) -> None:
    assert next_version(FLOOR, files) == version


def test_behind_everything_there_is_nothing() -> None:
    with pytest.raises(OrchestraError, match="sorts behind every migration"):
        next_version(FLOOR, ["99999999999999_last.sql"])


_NUMBERS = st.builds("{}{}".format, st.integers(0, 8), st.integers(0, 10**15))


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(_NUMBERS, max_size=5), st.integers(0, 4_000_000_000))
def test_it_sorts_behind_all(numbers: list[str], seconds: int) -> None:
    floor = datetime.fromtimestamp(seconds, UTC)
    version = next_version(floor, [f"{n}_x.sql" for n in numbers])
    assert len(version) == 14
    assert all(n < version for n in numbers)
    assert version >= floor.strftime("%Y%m%d%H%M%S")
