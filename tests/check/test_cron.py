"""The strict grammar of cron expressions."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestra.check.cron import Cron, read_cron
from orchestra.ir.cron import MACROS


def read(text: str) -> Cron:
    cron, faults = read_cron(text)
    assert not faults
    assert cron is not None
    return cron


def faults(text: str) -> list[str]:
    cron, found = read_cron(text)
    assert cron is None
    return [f.kind for f in found]


@pytest.mark.parametrize(
    "text",
    [
        "* * * * *",
        "*/15 * * * *",
        "0 3 * * *",
        "00 03 01 01 00",
        "0,30 9-17 * * mon-fri",
        "0 9-17/2 * * MON,Wed,fri",
        "0 0 $ * *",
        "0 0 29 2 *",
        "0 0 31 1,2 *",
        "0 0 30 2 1",
        "0 0 * jan-mar 7",
        "0 0 * * 5-7",
        "  0   3 \t* * *  ",
        *MACROS.values(),
    ],
)
def test_accepts(text: str) -> None:
    assert read(text)


@pytest.mark.parametrize(
    ("text", "kinds"),
    [
        ("*/30 * * * * *", ["fields"]),
        ("0 3 * *", ["fields"]),
        ("", ["fields"]),
        ("1, 15 * * * *", ["fields"]),
        ("30 seconds", ["fields"]),
        ("@hourly", ["macro"]),
        ("@every 5m", ["macro"]),
        ("@reboot", ["macro"]),
        ("5/15 * * * *", ["foreign"]),
        ("0 0 ? * *", ["foreign"]),
        ("0 0 L * *", ["foreign"]),
        ("0 0 15W * *", ["foreign"]),
        ("H * * * *", ["foreign"]),
        ("0 0 * * 1#2", ["foreign"]),
        ("*-5 * * * *", ["foreign"]),
        ("-5 * * * *", ["foreign"]),
        ("0 0 1,$ * *", ["foreign"]),
        ("$ * * * *", ["foreign"]),
        ("0 0 * * monday", ["foreign"]),
        ("0 0 * monday *", ["foreign"]),
        ("0 0 mon * *", ["foreign"]),
        ("1,,2 * * * *", ["foreign"]),
        ("1-2-3 * * * *", ["foreign"]),
        ("*/x * * * *", ["foreign"]),
        ("٣ * * * *", ["foreign"]),
        ("60 * * * *", ["range"]),
        ("0 24 * * *", ["range"]),
        ("0 0 0 * *", ["range"]),
        ("0 0 32 * *", ["range"]),
        ("0 0 * 13 *", ["range"]),
        ("0 0 * * 8", ["range"]),
        ("99999999999999999999 * * * *", ["range"]),
        ("10-5 * * * *", ["reversed"]),
        ("0 0 * * fri-sun", ["reversed"]),
        ("*/0 * * * *", ["step"]),
        ("0-30/0 * * * *", ["step"]),
        ("*/60 * * * *", ["step"]),
        ("0 */24 * * *", ["step"]),
        ("0 0 30 2 *", ["impossible"]),
        ("0 0 31 4,6 *", ["impossible"]),
        ("0 0 31 feb */2", ["impossible"]),
        ("60 24 0 13 8", ["range"] * 5),
    ],
)
def test_refuses(text: str, kinds: list[str]) -> None:
    assert faults(text) == kinds


@pytest.mark.parametrize(
    ("text", "help"),
    [
        ("*/30 * * * * *", "For every 30 seconds write `every: 30s` instead of `cron:`."),
        (
            "0 */5 * * * *",
            'The first field is no second: write `cron: "*/5 * * * *"`, or `every:` for seconds.',
        ),
        ("1, 15 * * * *", "Write lists without blanks: `1,15 * * * *`."),
        ("@hourly", 'Write `cron: "0 * * * *"`.'),
        ("@every 5m", "Write `every:` with the interval instead of `cron:`."),
        ("5/15 * * * *", "Write `5-59/15` for every 15 minutes from 5 on."),
        ("0 0 * * 1/2", "Write `1-6/2` for every 2 days from 1 on."),
        ("0 0 L * *", "Write `$` for the last day of the month."),
        ("0 0 * * fri-sun", "Sunday is 7 as well: write `5-7`."),
        ("0 0 * * monday", "Write `mon`: names have three letters."),
        ("0 22-6 * * *", "Write `6-22`, or `22-23,0-6` to go round."),
    ],
)
def test_says_what_to_write(text: str, help: str) -> None:
    assert [f.help for f in read_cron(text)[1]] == [help]


def test_the_advice_is_itself_accepted() -> None:
    for text in ("5-59/15 * * * *", "0 0 * * 1-6/2", "0 22-23,0-6 * * *", "0 0 * * 5-7", "0 0 * * mon"):
        assert read(text)


@pytest.mark.parametrize(
    ("text", "minutes"),
    [
        ("* * * * *", 1),
        ("*/15 * * * *", 15),
        ("*/7 * * * *", 4),
        ("0 */5 * * *", 4 * 60),
        ("0 3 * * *", 24 * 60),
        ("0 3,4 * * *", 60),
        ("50 23 * * *", 24 * 60),
        ("0,50 0,23 * * *", 10),
        ("0 3 * * 1", 7 * 24 * 60),
        ("0 3 * * 1,3", 2 * 24 * 60),
        ("0 3 * * mon-fri", 24 * 60),
        ("0 3 1 * *", 28 * 24 * 60),
        ("0 3 1,15 * *", 14 * 24 * 60),
        ("0 3 1 * 1", 24 * 60),
    ],
)
def test_shortest_gap(text: str, minutes: int) -> None:
    assert read(text).shortest_gap_ms == minutes * 60_000


def test_steps_that_do_not_come_out_even() -> None:
    assert [(u.text, u.gap, u.last) for u in read("*/45 */5 * * *").uneven] == [
        ("*/45", 45, 15),
        ("*/5", 5, 4),
    ]
    assert read("*/15 */6 * * *").uneven == ()


def test_either_day_is_told_from_both() -> None:
    assert read("0 0 13 * 5").either_day
    assert not read("0 0 13 * *").either_day
    assert not read("0 0 */2 * 1").either_day


def _field(low: int, high: int) -> st.SearchStrategy[str]:
    number = st.integers(low, high)
    span = st.tuples(number, number).map(sorted)
    part = (
        st.just("*")
        | st.integers(1, high - low).map("*/{}".format)
        | number.map(str)
        | span.map(lambda s: f"{s[0]}-{s[1]}")
        | st.tuples(span, st.integers(1, high - low)).map(lambda t: f"{t[0][0]}-{t[0][1]}/{t[1]}")
    )
    return st.lists(part, min_size=1, max_size=3).map(",".join)


EXPRESSIONS = st.tuples(_field(0, 59), _field(0, 23), _field(1, 28), _field(1, 12), _field(0, 7)).map(
    " ".join
)


@given(EXPRESSIONS)
def test_accepts_all_that_the_grammar_makes(text: str) -> None:
    assert read(text)


@given(EXPRESSIONS)
def test_no_two_fires_are_nearer_than_the_shortest_gap(text: str) -> None:
    cron = read(text)
    gap = timedelta(milliseconds=cron.shortest_gap_ms)
    times = [(h, m) for h in sorted(cron.hours) for m in sorted(cron.minutes)]
    day, last = datetime(2027, 1, 1, tzinfo=UTC), None
    for _ in range(40):
        if _runs_on(cron, day):
            for hour, minute in (times[0], times[-1]):
                moment = day.replace(hour=hour, minute=minute)
                assert last is None or moment == last or moment - last >= gap
                last = moment
        day += timedelta(days=1)


def _runs_on(cron: Cron, day: datetime) -> bool:
    dom, dow = day.day in cron.doms, day.isoweekday() % 7 in cron.dows
    return day.month in cron.months and ((dom or dow) if cron.either_day else (dom and dow))


@given(st.text(max_size=40) | st.text("0123456789*/-,$ @LWH#?montue", max_size=30))
def test_never_raises(text: str) -> None:
    cron, found = read_cron(text)
    assert (cron is None) == bool(found)
    for fault in found:
        assert 0 <= fault.start <= fault.end <= max(len(text), fault.start + 1)
