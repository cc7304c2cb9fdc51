"""The proof before a commit: planning the touched addresses again finds nothing, and nothing else has moved."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from importlib.resources import files

from orchestra.errors import ApplyError, ProofError
from orchestra.ir.program import Address, Json, Program, Resource
from orchestra.kinds import BY_NAME
from orchestra.kinds.workload import Workload
from orchestra.live.checks import handler_faults
from orchestra.live.connect import Database
from orchestra.live.model import Live, ServerFacts
from orchestra.live.read import read
from orchestra.plan.compare import compare, fingerprint
from orchestra.plan.model import Change
from orchestra.plan.options import PlanOptions


@dataclass(frozen=True, slots=True)
class Seen:
    """The live state of a batch's addresses with the fingerprint of each, and what is amiss elsewhere."""

    live: Live
    fingerprints: Mapping[Address, str]
    elsewhere: frozenset[str]


@dataclass(frozen=True, slots=True)
class Part:
    """The addresses of one batch and what each of them shall be; those that go away have no resource."""

    project: str
    addresses: frozenset[Address]
    resources: Mapping[Address, Resource]
    origin: Mapping[Address, Address]
    """Where those are until then that move."""
    takes: Mapping[Address, str]
    """The objects of other names that are adopted."""

    @property
    def former_project(self) -> str:
        """The project's name until then."""
        moved = (former.name for former in self.origin.values() if former.kind == "project")
        return next(moved, self.project)

    @classmethod
    def of(
        cls, project: str, changes: Iterable[Change], desired: Mapping[Address, dict[str, Json] | None]
    ) -> Part:
        changes = tuple(changes)
        touched = frozenset(c.address for c in changes)
        wanted = {a: BY_NAME[a.kind].resource.of(a.name, v) for a in touched if (v := desired[a]) is not None}
        origin = {c.address: c.moved_from for c in changes if c.moved_from}
        return cls(project, touched, wanted, origin, {c.address: c.takes for c in changes if c.takes})


def look(database: Database, server: ServerFacts, part: Part, *, before: bool) -> Seen:
    """Reads what a batch touches; of everything else only what this transaction changed or what is missing. `before`:
    what moves is still where it was."""
    project = part.former_project if before else part.project
    origin = part.origin if before else {}
    only = part.addresses | frozenset(origin.values())
    also = {"cron_job": frozenset(part.takes.values())} if part.takes else {}
    live = read(database, server, project, part.resources.values(), only, also)
    seen = {a: _seen(part, a, origin.get(a, a), live) for a in part.addresses}
    return Seen(live, seen, _elsewhere(database, server, part))


def _seen(part: Part, address: Address, registered: Address, live: Live) -> str:
    entry = live.entries.get(registered)
    resource = part.resources.get(address)
    found = live.find(address.kind, resource.object_name) if resource else None
    if found is None and address in part.takes:
        found = live.find(address.kind, part.takes[address])
    if found is None and entry is not None and not entry.tombstoned:
        found = live.find(address.kind, entry.name)
    return fingerprint(found, entry)


def _elsewhere(database: Database, server: ServerFacts, part: Part) -> frozenset[str]:
    if not server.relations.issuperset({"orchestra.registry", "orchestra.workload", "cron.job", "pgmq.meta"}):
        return frozenset()
    if part.former_project != part.project:
        return frozenset()  # it moves with everything that it has
    touched = part.addresses | frozenset(part.origin.values())
    sql = files("orchestra.apply").joinpath("elsewhere.sql").read_text("utf-8")
    rows = database.rows(sql, {"project": part.project, "touched": sorted(str(a) for a in touched)})
    return frozenset(r["what"] for r in rows)


def prove(database: Database, server: ServerFacts, part: Part, before: Seen, options: PlanOptions) -> None:
    """Raises ProofError where a change did not bring about what it said, or moved something else."""
    after = look(database, server, part, before=False)
    wanted = Program.of(part.project, part.resources.values())
    drafts, _ = compare(wanted, after.live, options)
    if drafts:
        names = ", ".join(f.path for f in drafts[0].fields)
        raise ProofError(
            f"after the changes {drafts[0].address} is still not what the plan says"
            + (f" ({names})" if names else ""),
            "everything was rolled back; a trigger or another session may change it at the same time",
        )
    moved = sorted(after.elsewhere - before.elsewhere)
    if moved:
        raise ProofError(f"the changes also touched {moved[0]}", "everything was rolled back")
    _handlers(database, wanted)


def _handlers(database: Database, wanted: Program) -> None:
    """What a handler needs and this very plan has made could only be looked at now."""
    faults = handler_faults(database, [r for r in wanted if isinstance(r, Workload)])
    if faults:
        raise ApplyError(
            f"workload.{faults[0].workload}: {faults[0].said}",
            "everything was rolled back; mend run.sql",
        )
