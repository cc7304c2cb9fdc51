"""What is begun next, and what is not begun any more."""

from __future__ import annotations

from collections.abc import Iterable

import pytest

from orchestra.fleet.model import Outcome, Result, exit_code
from orchestra.fleet.run import run
from orchestra.fleet.schedule import Schedule

WELL = [Outcome.DONE, Outcome.UNCHANGED, Outcome.CHANGES]
NAMES = [f"n{n}" for n in range(10)]


def drain(schedule: Schedule) -> list[str]:
    """All that may be begun now."""
    return list(iter(schedule.begin, None))


def end(schedule: Schedule, *names: str, outcome: Outcome = Outcome.DONE, full: bool = False) -> list[bool]:
    return [schedule.ended(Result(name, outcome, full=full)) for name in names]


def test_never_more_than_the_limit_run() -> None:
    schedule = Schedule(NAMES, parallel=3)
    assert drain(schedule) == ["n0", "n1", "n2"]
    end(schedule, "n1")
    assert drain(schedule) == ["n3"]
    assert schedule.running == ("n0", "n2", "n3")


@pytest.mark.parametrize("outcome", WELL)
def test_the_others_run_once_every_canary_went_well(outcome: Outcome) -> None:
    schedule = Schedule(NAMES, parallel=4, canary=2)
    assert drain(schedule) == ["n0", "n1"]
    end(schedule, "n1", outcome=outcome)
    assert drain(schedule) == []
    end(schedule, "n0", outcome=outcome)
    assert drain(schedule) == ["n2", "n3", "n4", "n5"]


@pytest.mark.parametrize("outcome", [o for o in Outcome if not o.went_well])
def test_nothing_follows_a_canary_that_did_not_go_well(outcome: Outcome) -> None:
    schedule = Schedule(NAMES, parallel=4, canary=2)
    drain(schedule)
    end(schedule, "n0")
    end(schedule, "n1", outcome=outcome)
    assert schedule.is_over
    left = schedule.not_begun()
    assert [r.environment for r in left] == NAMES[2:]
    assert {(r.outcome, "n1 was a canary" in r.error) for r in left} == {(Outcome.NOT_BEGUN, True)}


def test_more_canaries_than_databases_are_all_of_them() -> None:
    schedule = Schedule(["a", "b"], parallel=4, canary=5)
    assert drain(schedule) == ["a", "b"]
    end(schedule, "a", "b")
    assert schedule.is_over


def test_a_failure_stops_nothing_unless_it_shall() -> None:
    for fail_fast in (False, True):
        schedule = Schedule(NAMES, parallel=2, fail_fast=fail_fast)
        drain(schedule)
        end(schedule, "n0", outcome=Outcome.BLOCKED)
        assert (schedule.begin() is None) is fail_fast
        end(schedule, "n1")
        assert schedule.is_over is fail_fast


def test_a_server_without_connections_gets_fewer_at_a_time_and_loses_none() -> None:
    schedule = Schedule(NAMES[:4], parallel=3)
    assert drain(schedule) == ["n0", "n1", "n2"]
    assert end(schedule, "n1", outcome=Outcome.FAILED, full=True) == [False]
    assert (schedule.parallel, drain(schedule)) == (2, [])
    assert end(schedule, "n0") == [True]
    assert drain(schedule) == ["n1"], "it is its turn again"
    end(schedule, "n2", "n1")
    assert drain(schedule) == ["n3"]
    assert end(schedule, "n3", outcome=Outcome.FAILED, full=True) == [True], "nobody ran who could make room"


def test_a_server_that_stays_full_ends_all_the_same() -> None:
    class Full:
        interrupted = False

        def __init__(self) -> None:
            self.begun: list[str] = []
            self.waiting: list[str] = []

        def begin(self, name: str) -> None:
            self.begun.append(name)
            self.waiting.append(name)

        def wait(self) -> Iterable[Result]:
            ended, self.waiting = self.waiting, []
            return [Result(name, Outcome.FAILED, full=True) for name in ended]

    crew = Full()
    results = run(Schedule(NAMES, parallel=4), crew, lambda schedule, result: None)
    assert sorted(r.environment for r in results) == NAMES
    assert len(crew.begun) <= len(NAMES) + 4


def test_an_interruption_begins_no_more_and_waits_for_what_runs() -> None:
    class Crew:
        interrupted = False
        waiting: list[str]

        def __init__(self) -> None:
            self.waiting = []

        def begin(self, name: str) -> None:
            self.waiting.append(name)

        def wait(self) -> Iterable[Result]:
            if not self.interrupted:
                self.interrupted = True
                return [Result(self.waiting.pop(0), Outcome.DONE)]
            return [Result(self.waiting.pop(0), Outcome.INTERRUPTED)]

    results = run(Schedule(NAMES[:5], parallel=3), Crew(), lambda schedule, result: None)
    assert [r.outcome.value for r in results] == ["done", *["interrupted"] * 2, *["not begun"] * 2]
    assert all("interrupted before its turn" in r.error for r in results[3:])


@pytest.mark.parametrize(
    ("outcomes", "code"),
    [
        ([], 0),
        ([Outcome.DONE, Outcome.UNCHANGED, Outcome.CHANGES], 0),
        ([Outcome.BLOCKED, Outcome.DONE], 5),
        ([Outcome.BLOCKED, Outcome.LOCKED], 4),
        ([Outcome.LOCKED, Outcome.STALE, Outcome.BLOCKED], 3),
        ([Outcome.STALE, Outcome.FAILED], 1),
        ([Outcome.FAILED, Outcome.INTERRUPTED], 130),
        ([Outcome.FAILED, Outcome.NOT_BEGUN], 1),
    ],
)
def test_the_gravest_is_the_exit_code(outcomes: list[Outcome], code: int) -> None:
    assert exit_code(Result("x", outcome) for outcome in outcomes) == code
    assert exit_code((Result("x", outcome) for outcome in reversed(outcomes)), detailed=True) == (
        code or (2 if Outcome.CHANGES in outcomes else 0)
    )
