"""How numbers read."""

from __future__ import annotations

import pytest

from orchestra.classify.words import duration
from orchestra.report.explain_numbers import digits, rate, seconds, times


@pytest.mark.parametrize(
    ("ms", "text"),
    [
        (0, "0 ms"),
        (400, "400 ms"),
        (29_999, "29.999 s"),
        (30_000, "30 s"),
        (60_000, "1 min"),
        (121_000, "121 s"),
        (7_200_000, "2 h"),
        (3_600_001, "3600.001 s"),
    ],
)
def test_durations_are_exact(ms, text):
    """`29.999 s` must never read as 30."""
    assert duration(ms) == text


@pytest.mark.parametrize(
    ("s", "text"),
    [(0.0235, "0.0235 s"), (260, "260 s"), (600, "10 min"), (14_400, "4 h"), (864_000, "10 days")],
)
def test_times_have_three_digits_and_a_unit(s, text):
    assert seconds(s) == text


@pytest.mark.parametrize(
    ("per_s", "text"), [(47.61, "47.6/s"), (0.05, "3/min"), (0.001, "3.6/h"), (0, "0/s")]
)
def test_rates_are_in_the_unit_that_reads_best(per_s, text):
    assert rate(per_s) == text


def test_ratios_are_no_more_exact_than_they_are_known():
    assert [times(x) for x in (1.694, 9.52, 250.4)] == ["1.69 times", "9.5 times", "250 times"]
    assert digits(1_930.4) == "1,930"
