"""The proof before a commit: planning the touched addresses again finds nothing, and nothing else has moved."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from orchestra.errors import ApplyError, ProofError
from orchestra.ir.program import Address, Program, Resource
from orchestra.kinds import BY_NAME
from orchestra.kinds.workload import Workload
from orchestra.live.checks import handler_faults
from orchestra.live.connect import Database
from orchestra.live.read import Live, read
from orchestra.live.server import ServerFacts
from orchestra.plan.compare import compare, fingerprint
from orchestra.plan.model import Change, Plan
from orchestra.plan.options import PlanOptions


@dataclass(frozen=True, slots=True)
class Seen:
    """The live state as one batch finds it, with the fingerprint of each address."""

    live: Live
    fingerprints: Mapping[Address, str]


def resources_of(plan: Plan) -> tuple[Resource, ...]:
    """What the changed addresses shall be."""
    return tuple(
        BY_NAME[address.kind].resource.of(address.name, values)
        for address, values in plan.desired
        if values is not None
    )


def look(database: Database, server: ServerFacts, plan: Plan) -> Seen:
    """Reads everything of the project, and whatever stands where the plan wants to make something."""
    resources = resources_of(plan)
    live = read(database, server, plan.project, resources)
    wanted = {r.address: r for r in resources}
    return Seen(live, {a: _seen(a, wanted.get(a), live) for a in {*wanted, *live.entries}})


def _seen(address: Address, resource: Resource | None, live: Live) -> str:
    entry = live.entries.get(address)
    found = live.find(address.kind, resource.object_name) if resource else None
    if found is None and entry is not None and not entry.tombstoned:
        found = live.find(address.kind, entry.name)
    return fingerprint(found, entry)


def prove(
    database: Database,
    server: ServerFacts,
    plan: Plan,
    changes: Sequence[Change],
    before: Seen,
    options: PlanOptions,
) -> None:
    """Raises ProofError where a change did not bring about what it said, or moved something else."""
    after = look(database, server, plan)
    touched = {c.address for c in changes}
    wanted = Program.of(plan.project, (r for r in resources_of(plan) if r.address in touched))
    drafts, _ = compare(wanted, after.live, options)
    left = [d for d in drafts if d.address in touched]
    if left:
        names = ", ".join(f.path for f in left[0].fields)
        raise ProofError(
            f"after the changes {left[0].address} is still not what the plan says"
            + (f" ({names})" if names else ""),
            "everything was rolled back; a trigger or another session may change it at the same time",
        )
    moved = [
        a
        for a, seen in before.fingerprints.items()
        if a not in touched and a.kind != "runtime" and after.fingerprints.get(a) != seen
    ]
    if moved:
        raise ProofError(f"the changes also moved {moved[0]}", "everything was rolled back")
    _handlers(database, wanted)


def _handlers(database: Database, wanted: Program) -> None:
    """What a handler needs and this very plan has made could only be looked at now."""
    faults = handler_faults(database, [r for r in wanted if isinstance(r, Workload)])
    if faults:
        raise ApplyError(
            f"workload.{faults[0].workload}: PostgreSQL refuses its SQL: {faults[0].message}",
            "everything was rolled back; mend run.sql",
        )
