"""Runs a schedule with whatever does the work of one database."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Protocol

from orchestra.fleet.model import Result
from orchestra.fleet.schedule import Schedule

Told = Callable[[Schedule, Result | None], None]
"""Called when something was begun (None), or has ended."""


class Crew(Protocol):
    """Does the work of many databases at once."""

    def begin(self, name: str) -> None: ...

    def wait(self) -> Iterable[Result]:
        """What has ended by now, at least one unless `interrupted` has become true; the first call after that ends
        what runs."""

    @property
    def interrupted(self) -> bool:
        """Somebody wants it to end."""


def run(schedule: Schedule, crew: Crew, told: Told) -> tuple[Result, ...]:
    """One result for each name of the schedule, in the order in which they came."""
    results: list[Result] = []
    while True:
        if crew.interrupted:
            schedule.stop("the run was interrupted before its turn")
        while (name := schedule.begin()) is not None:
            crew.begin(name)
            told(schedule, None)
        if schedule.is_over:
            return (*results, *schedule.not_begun())
        for result in crew.wait():
            if schedule.ended(result):
                results.append(result)
                told(schedule, result)
