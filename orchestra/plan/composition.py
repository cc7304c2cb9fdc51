"""`composition`: what has to be in a database before a project, and what must not be there before it."""

from __future__ import annotations

from collections.abc import Iterator

from orchestra.ir.program import Address, Program
from orchestra.kinds.requirement import Requirement
from orchestra.live.model import Live
from orchestra.plan.model import Blocker, Condition
from orchestra.spec.model import Composition


def missing(composition: Composition, program: Program, projects: frozenset[str]) -> Iterator[Blocker]:
    """`after` names a `requires` check of this spec, which is proved by itself, or a project that has to be there."""
    checked = {r.key for r in program if isinstance(r, Requirement)}
    for name in composition.after:
        if name not in checked and name not in projects:
            yield Blocker(
                "composition",
                Address("project", program.project),
                f"composition says after: {name}, and this database has no project of that name",
                f"apply {name} first, or declare it under requires",
            )


def overtaken(
    composition: Composition, program: Program, projects: frozenset[str], live: Live
) -> Iterator[Condition]:
    """`before` names projects that this one precedes; one that is there already has been applied too early."""
    if live.find("project", program.project) is not None:
        return
    for name in composition.before:
        if name in projects:
            yield Condition(
                "composition",
                Address("project", program.project),
                f"composition says before: {name}, and that project is in this database already",
                f"apply this project first in the next database; here, see that {name} did not need it",
            )
