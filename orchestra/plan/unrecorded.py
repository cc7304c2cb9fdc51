"""What the database has already as the spec says, while the registry says otherwise: somebody changed it by hand, and
then the spec. Only the record changes, so that it is what the spec says after every apply."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from orchestra.ir.category import Category
from orchestra.ir.program import Program, Resource
from orchestra.kinds import BY_NAME
from orchestra.live.model import Live
from orchestra.plan.compare import Draft
from orchestra.plan.model import Action


def with_unrecorded(drafts: Sequence[Draft], program: Program, live: Live) -> list[Draft]:
    """The drafts with one more for each record that lags behind."""
    known = {d.address for d in drafts}
    return [*drafts, *(d for r in program if r.address not in known for d in _late(r, live))]


def _late(resource: Resource, live: Live) -> Iterator[Draft]:
    kind = BY_NAME[resource.kind]
    entry = live.entries.get(resource.address)
    found = live.find(resource.kind, resource.object_name)
    if not kind.owned or kind.name == "project" or entry is None or entry.tombstoned or found is None:
        return
    wanted = resource.values()
    names = [n for n in wanted if n not in kind.kept_when_unset and entry.applied.get(n) != wanted[n]]
    if names:
        yield Draft(
            resource.address,
            Action.UPDATE,
            Category.METADATA,
            (f"the database has it already as the spec says; what is recorded follows: {', '.join(names)}",),
            resource=resource,
            live=found,
            entry=entry,
        )
