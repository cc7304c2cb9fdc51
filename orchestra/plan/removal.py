"""Removal in steps: what a workload that is no longer in the spec keeps until its queue has drained."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from orchestra.ir import cron
from orchestra.ir.program import Address, Program, Resource
from orchestra.kinds import BY_NAME
from orchestra.kinds.cron_job import CronJob, of_project
from orchestra.kinds.queue import Queue
from orchestra.kinds.workload import Workload
from orchestra.live.model import Entry, Found, Live, QueueFacts
from orchestra.plan.model import Condition
from orchestra.plan.options import PlanOptions
from orchestra.plan.owning import belongs, workload_of

DRAIN: Final = "drain"


@dataclass(frozen=True, slots=True)
class Removals:
    """How each workload that the spec no longer has goes: its policy by name. `kept` stays in place meanwhile."""

    policies: Mapping[str, str]
    kept: tuple[Resource, ...] = ()
    conditions: tuple[Condition, ...] = ()

    def policy(self, key: str) -> str:
        """Of whatever address key belongs to the workload."""
        return self.policies.get(workload_of(key), "drop")


def draining(program: Program, live: Live, options: PlanOptions) -> list[str]:
    """The queues that have to be looked at before it is known what becomes of the workloads that they belong to."""
    return [
        str(entry.applied["queue_name"])
        for entry in _leaving(program, live, options)
        if _policy(entry, options) == DRAIN and entry.applied.get("queue_name")
    ]


def decide(program: Program, live: Live, queues: Mapping[str, QueueFacts], options: PlanOptions) -> Removals:
    """`queues` holds those that `draining` named."""
    policies: dict[str, str] = {}
    kept: list[Resource] = []
    conditions: list[Condition] = []
    for entry in _leaving(program, live, options):
        name = entry.address.name
        policies[name] = _policy(entry, options)
        facts = queues.get(str(entry.applied.get("queue_name")))
        if policies[name] == DRAIN and facts is not None and facts.waiting:
            stays = list(_kept(entry, live, program.project))
            kept += stays
            conditions.append(_condition(entry, live.find("workload", entry.name), facts, stays))
    if kept:
        kept += _shared(program, live, kept)
    return Removals(policies, tuple(kept), tuple(conditions))


def _leaving(program: Program, live: Live, options: PlanOptions) -> Iterator[Entry]:
    if options.only is not None:
        return
    for address, entry in sorted(live.entries.items()):
        if (
            address.kind == "workload"
            and not entry.tombstoned
            and address not in program.resources
            and options.workload in (None, address.name)
        ):
            yield entry


def _policy(entry: Entry, options: PlanOptions) -> str:
    """What its spec said of it last; where that said nothing, what is said now. A removal that has begun goes on."""
    if entry.applied.get("removal") == DRAIN:
        return DRAIN
    return str(entry.applied.get("on_delete") or options.on_delete or "drop")


def _kept(entry: Entry, live: Live, project: str) -> Iterator[Resource]:
    """The workload on its way out, its queues, and the jobs that work them off; nothing that brings in more."""
    found = live.find("workload", entry.name)
    if found is None:
        return
    # A pause by hand stays one: what is recorded is what the spec said.
    paused = entry.applied.get("paused", False)
    yield Workload.of(entry.address.name, {**found.values, "paused": paused, "removal": DRAIN})
    for address, other in live.entries.items():
        if other.tombstoned or not belongs(address.name, entry.address.name):
            continue
        if address.kind == "queue" or (address.kind == "cron_job" and ".worker-" in address.name):
            yield from _as_it_is(other, live, project)


def _shared(program: Program, live: Live, kept: Iterable[Resource]) -> Iterator[Resource]:
    """The ticks and the housekeeping, where nothing that stays in the spec has them already."""
    intervals = {w.poll_interval_ms for w in kept if isinstance(w, Workload) and w.poll_interval_ms}
    for key in (*(f"tick.{cron.label(i)}" for i in sorted(intervals)), "housekeep.1m"):
        address = Address("cron_job", key)
        entry = live.entries.get(address)
        if address not in program.resources and entry is not None and not entry.tombstoned:
            yield from _as_it_is(entry, live, program.project)


def _as_it_is(entry: Entry, live: Live, project: str) -> Iterator[Resource]:
    """A job has the name of its project in its texts, which may be another from now on."""
    found = live.find(entry.address.kind, entry.name)
    if found is not None:
        resource = BY_NAME[entry.address.kind].resource.of(entry.address.name, found.values)
        yield of_project(resource, project) if isinstance(resource, CronJob) else resource


def _condition(entry: Entry, found: Found | None, facts: QueueFacts, kept: Iterable[Resource]) -> Condition:
    from orchestra.plan.hazards import age, count

    oldest = f", the oldest for {age(facts.oldest_s)}" if facts.oldest_s is not None else ""
    paused = found is not None and found.values.get("paused")
    queues = ", ".join(sorted(r.name for r in kept if isinstance(r, Queue)))
    return Condition(
        "draining",
        entry.address,
        f"workload {entry.address.name} is on its way out: {count(facts.waiting)} messages wait in {queues}{oldest}, "
        f"{count(facts.in_flight)} in flight"
        + (", and it is paused, so they wait for ever" if paused else ""),
        "resume it, or nothing will ever work them off"
        if paused
        else "apply again when they are worked off: what is left of it goes then",
    )
