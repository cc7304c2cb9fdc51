"""What plan, apply and destroy have in common: connect, plan, show."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from orchestra.cli import console
from orchestra.cli.database import Chosen

if TYPE_CHECKING:
    from orchestra.pipeline import PlanOptions
    from orchestra.plan.model import Plan


def options(
    chosen: Chosen,
    *,
    workload: str | None = None,
    allow_destroy: bool = False,
    allow: Sequence[str] = (),
    adopt: Sequence[str] = (),
    resume_paused: bool = False,
) -> PlanOptions:
    from orchestra.pipeline import PlanOptions

    return PlanOptions(
        environment=chosen.environment,
        environment_paused=chosen.paused,
        protect=chosen.protect,
        workload=workload,
        allow_destroy=allow_destroy,
        allow=frozenset(allow),
        adopt=frozenset(adopt),
        resume_paused=resume_paused,
        where=chosen.where,
    )


@contextmanager
def connected(chosen: Chosen) -> Iterator[Any]:
    """A connection that is closed on the way out. What a plan is made of lives to its end, so nothing is collected
    meanwhile: that would only walk it again and again."""
    from orchestra.live.connect import connect
    from orchestra.spec.parsing import no_collection

    connection = connect(chosen.url)
    try:
        with no_collection():
            yield connection
    finally:
        connection.close()


def shown(plan: Plan, *, show_sql: bool = False, full: bool = False, stderr: bool = False) -> None:
    """Print a plan for people: as the result, or beside it."""
    from orchestra.report import plan_text

    stream, write = (sys.stderr, console.note) if stderr else (sys.stdout, console.out)
    write(plan_text.render(plan, console.style(stream), show_sql=show_sql, full=full), end="")


def carry_out(plan: Plan, run: Callable[[Callable[[int, int, str], None]], Any]) -> Any:
    """Run an apply under a progress line; Ctrl-C says in which state it left the database."""
    from orchestra.cli.ending import Interrupted
    from orchestra.cli.progress import Progress

    progress = Progress()
    try:
        return run(progress)
    except KeyboardInterrupt as stop:
        progress.end()
        raise Interrupted(_state(plan, getattr(stop, "committed", 0))) from None
    finally:
        progress.end()


def _state(plan: Plan, committed: int) -> str:
    """What is true of the database when an apply is interrupted after so many of its batches."""
    if len(plan.batches) <= 1:
        return (
            "Interrupted. The transaction was rolled back, so nothing was changed. (Had its commit been on the way "
            "already, all of it was: orchestra plan tells.)"
        )
    return (
        f"Interrupted. What was in progress was rolled back; {committed} of {len(plan.batches)} transactions were "
        "committed before. Run the same apply again to go on from there."
    )
