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

    @classmethod
    def of(
        cls, project: str, addresses: Iterable[Address], desired: Mapping[Address, dict[str, Json] | None]
    ) -> Part:
        touched = frozenset(addresses)
        wanted = {a: BY_NAME[a.kind].resource.of(a.name, v) for a in touched if (v := desired[a]) is not None}
        return cls(project, touched, wanted)


def look(database: Database, server: ServerFacts, part: Part) -> Seen:
    """Reads what a batch touches; of everything else only what this transaction changed or what is missing."""
    live = read(database, server, part.project, part.resources.values(), part.addresses)
    seen = {a: _seen(a, part.resources.get(a), live) for a in part.addresses}
    return Seen(live, seen, _elsewhere(database, server, part))


def _seen(address: Address, resource: Resource | None, live: Live) -> str:
    entry = live.entries.get(address)
    found = live.find(address.kind, resource.object_name) if resource else None
    if found is None and entry is not None and not entry.tombstoned:
        found = live.find(address.kind, entry.name)
    return fingerprint(found, entry)


def _elsewhere(database: Database, server: ServerFacts, part: Part) -> frozenset[str]:
    if not server.relations.issuperset({"orchestra.registry", "orchestra.workload", "cron.job", "pgmq.meta"}):
        return frozenset()
    sql = files("orchestra.apply").joinpath("elsewhere.sql").read_text("utf-8")
    rows = database.rows(sql, {"project": part.project, "touched": sorted(str(a) for a in part.addresses)})
    return frozenset(r["what"] for r in rows)


def prove(database: Database, server: ServerFacts, part: Part, before: Seen, options: PlanOptions) -> None:
    """Raises ProofError where a change did not bring about what it said, or moved something else."""
    after = look(database, server, part)
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
