"""`composition`: what has to be in a database before a project, and what must not be there before it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from difflib import get_close_matches

from orchestra.ir.program import Address, Program
from orchestra.kinds.requirement import Requirement
from orchestra.live.model import Dependent, Live
from orchestra.plan.compare import Draft
from orchestra.plan.model import Action, Blocker, Condition
from orchestra.spec.model import Composition

_REQUIRED = frozenset({"workload", "queue", "project"})


def missing(composition: Composition, program: Program, projects: frozenset[str]) -> Iterator[Blocker]:
    """`after` names a `requires` check of this spec, which is proved by itself, or a project that has to be there."""
    checked = {r.key for r in program if isinstance(r, Requirement)}
    for name in composition.after:
        if name not in checked and name not in projects:
            yield Blocker(
                "composition",
                Address("project", program.project),
                f"composition says after: {name}, and this database has no project of that name",
                f"apply {name} first, or declare it under requires{_meant(name, projects)}",
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


def _meant(name: str, projects: frozenset[str]) -> str:
    close = get_close_matches(name, sorted(projects), 1)
    return f"; if you meant {close[0]}, that one is there" if close else ""


def still_required(
    drafts: Sequence[Draft], program: Program, dependents: Sequence[Dependent]
) -> Iterator[Blocker]:
    """What goes and another project of this database says that it needs."""
    going = {
        d.address: (d.live or d.former)
        for d in drafts
        if d.action is Action.DELETE or any(f.path == "removal" and f.after is not None for f in d.fields)
    }
    named = {(a.kind, found.name if a.kind == "queue" and found else a.name) for a, found in going.items()}
    for dependent in dependents:
        if (dependent.kind, dependent.name) in named:
            yield Blocker(
                "required",
                Address(dependent.kind, dependent.name),
                f"project {dependent.project} of this database requires {dependent.kind} {dependent.name}",
                f"take it out of the `requires` of {dependent.project} and apply that first, or destroy "
                f"{dependent.project} first",
            )


def removes(drafts: Sequence[Draft]) -> bool:
    """Whether anything goes that others may require, so that it is worth asking who does."""
    return any(d.address.kind in _REQUIRED and d.action is not Action.CREATE for d in drafts)
