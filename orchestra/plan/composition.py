"""`composition`: what has to be in a database before a project, and what must not be there before it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from difflib import get_close_matches

from orchestra.ir.program import Address, Program, Resource
from orchestra.kinds.requirement import Requirement
from orchestra.live.model import Dependent, Found, Live
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
    """What goes, or gets another name, and another project of this database says that it needs."""
    gone = {_known_as(d.address, d.live or d.former) for d in drafts if _goes(d)}
    renamed = {
        _known_as(d.moved_from or d.address, d.live or d.former) for d in drafts if d.resource is not None
    }
    renamed -= {_known_as(d.address, d.resource) for d in drafts if d.resource is not None}
    whole = any(d.moved_from is not None and d.moved_from.kind == "project" for d in drafts)
    for dependent in dependents:
        name = (dependent.kind, dependent.name)
        if whole or name in gone | renamed:
            yield Blocker(
                "required",
                Address(*name),
                f"project {dependent.project} of this database requires {dependent.kind} {dependent.name}",
                f"take it out of the `requires` of {dependent.project} and apply that first, or destroy "
                f"{dependent.project} first"
                + ("; once it has its new name, require that" if name not in gone else ""),
            )


def _goes(draft: Draft) -> bool:
    return draft.action is Action.DELETE or any(
        f.path == "removal" and f.after is not None for f in draft.fields
    )


def _known_as(address: Address, found: Found | Resource | None) -> tuple[str, str]:
    """As others name it: a queue by its own name, all else by that of the spec."""
    if address.kind != "queue" or found is None:
        return address.kind, address.name
    return address.kind, found.object_name if isinstance(found, Resource) else found.name


def removes(drafts: Sequence[Draft]) -> bool:
    """Whether anything goes that others may require, so that it is worth asking who does."""
    return any(d.address.kind in _REQUIRED and d.action is not Action.CREATE for d in drafts)
