"""The difference of two Programs, with no database: what a change of the spec would do to a database in step."""

from __future__ import annotations

from collections.abc import Iterator

from orchestra.ir.category import Category
from orchestra.ir.program import Program
from orchestra.kinds import BY_NAME
from orchestra.plan.fields import changes, weightiest
from orchestra.plan.model import Action, Change


def diff(before: Program, after: Program) -> tuple[Change, ...]:
    """Changes by address, removals first; without statements, hazards and facts, which only a database can tell."""
    return (*_removed(before, after), *_kept(before, after))


def _removed(before: Program, after: Program) -> Iterator[Change]:
    for resource in reversed(list(before)):
        if resource.address not in after.resources:
            yield Change(
                resource.address,
                Action.DELETE,
                Category.DATA if resource.kind == "queue" else Category.CONTRACT,
                ("no longer in the spec",),
                changes(resource.values(), {}),
            )


def _kept(before: Program, after: Program) -> Iterator[Change]:
    for resource in after:
        old = before.get(resource.address)
        if old is None:
            yield Change(
                resource.address,
                Action.CREATE,
                Category.BEHAVIOUR,
                ("new in the spec",),
                changes({}, resource.values()),
            )
        elif old != resource:
            kind = BY_NAME[resource.kind]
            fields = changes(old.values(), resource.values())
            yield Change(
                resource.address,
                Action.REPLACE if any(f.path in kind.replaced_by for f in fields) else Action.UPDATE,
                weightiest(kind, fields),
                (f"the spec changed {', '.join(f.path for f in fields)}",),
                fields,
            )
