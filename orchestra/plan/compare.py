"""Desired against live, address by address. Pure: it says what differs and why, not how to change it."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace

from orchestra.ir.category import Category
from orchestra.ir.program import Address, Json, Program, Resource
from orchestra.kinds import BY_NAME, Kind
from orchestra.live.model import Entry, Found, Live
from orchestra.plan.conditions import (
    foreign_jobs,
    made_inactive,
    missing_secret,
    not_deployed,
    turned_by_hand,
)
from orchestra.plan.fields import changes, rewritten, weightiest
from orchestra.plan.model import Action, Condition, FieldChange
from orchestra.plan.options import PlanOptions

_OWN = re.compile(r"\.((worker|schedule|table)-[0-9]+|dead-letters)$")


@dataclass(frozen=True, slots=True)
class Draft:
    """One address that differs. `resource` is what it shall be, `live` what it is, `former` the object that a new
    name leaves behind."""

    address: Address
    action: Action
    category: Category
    reasons: tuple[str, ...]
    fields: tuple[FieldChange, ...] = ()
    resource: Resource | None = None
    declared: Resource | None = None
    """What the spec says, where `resource` keeps what an operator turned: the next plan must still know it."""
    live: Found | None = None
    former: Found | None = None
    entry: Entry | None = None
    drift: bool = False
    resume: bool = False
    owner: str | None = None
    """The other project that has an object of this name; the plan is then blocked."""
    unowned: bool = False
    """An object of this name that nobody claimed; the plan is then blocked."""
    holder: Address | None = None
    """The address of this very project that has an object of this name; the plan is then blocked."""

    @property
    def before(self) -> str:
        return fingerprint(self.live or self.former, self.entry)


def fingerprint(found: Found | None, entry: Entry | None) -> str:
    """What apply compares with what the plan saw: the live object and its row in the registry."""
    if found is None and entry is None:
        return ""
    row = [entry.name, entry.applied, entry.protect, entry.tombstoned] if entry else None
    text = json.dumps([found.digest if found else None, row], sort_keys=True, default=str)
    return hashlib.sha256(text.encode()).hexdigest()[:32]


def compare(desired: Program, live: Live, options: PlanOptions) -> tuple[list[Draft], list[Condition]]:
    """All differences, deletions first, in the order in which they have to be carried out."""
    conditions: list[Condition] = []
    drafts = [d for r in desired for d in _one(r, live, options, conditions)]
    return [*_removed(desired, live, options), *drafts], conditions


def belongs(key: str, workload: str) -> bool:
    """Whether an address key is a workload's own (`import`, `import.worker-2`); `tick.5s` is nobody's, whatever a
    workload is called."""
    return key == workload or _OWN.sub("", key) == workload


def _one(
    resource: Resource, live: Live, options: PlanOptions, conditions: list[Condition]
) -> Iterator[Draft]:
    kind = BY_NAME[resource.kind]
    if kind.name == "requirement":
        return
    found = live.find(resource.kind, resource.object_name)
    if kind.name == "secret":
        if found is None:
            conditions.append(missing_secret(resource))
        return
    if kind.name == "edge_function":
        conditions += not_deployed(resource, found)
        return
    entry = live.entries.get(resource.address)
    mine = entry is not None and not entry.tombstoned
    base = Draft(resource.address, Action.CREATE, Category.BEHAVIOUR, (), resource=resource, entry=entry)

    other = live.others.get((resource.kind, resource.object_name))
    if other is not None:
        yield replace(base, reasons=(f"belongs to project {other.project}",), live=found, owner=other.project)
        return
    former = (
        live.find(resource.kind, entry.name)
        if mine and entry and entry.name != resource.object_name
        else None
    )
    if found is None:
        yield _created(base, kind, former, mine)
        return
    taken_back = entry is not None and entry.name == resource.object_name and not entry.gone
    if kind.owned and not taken_back:
        holder = _holder(resource, live)
        if holder is not None:
            yield replace(base, live=found, reasons=(f"belongs to {holder}",), holder=holder)
            return
        adopted = str(resource.address) in options.adopt
        reason = (
            "adopted as you said" if adopted else "an object of this name exists that orchestra did not make"
        )
        yield replace(
            base,
            action=Action.ADOPT,
            live=found,
            fields=changes(found.values, resource.values()),
            reasons=(reason,),
            category=Category.CONTRACT,
            former=former,
            unowned=not adopted,
        )
        return
    if kind.name == "cron_job":
        conditions += foreign_jobs(resource, found, live.server.role)
    yield from _compared(base, kind, found, options, conditions)


def _holder(resource: Resource, live: Live) -> Address | None:
    if resource.kind == "workload":
        return None
    for entry in live.entries.values():
        if (
            entry.address.kind == resource.kind
            and entry.name == resource.object_name
            and not entry.tombstoned
        ):
            return entry.address
    return None


def _created(base: Draft, kind: Kind, former: Found | None, mine: bool) -> Draft:
    assert base.resource is not None
    fields = changes({}, base.resource.written())
    if former is not None:
        return replace(
            base,
            action=Action.REPLACE,
            former=former,
            fields=changes(former.values, base.resource.values()),
            category=Category.DATA if kind.name == "queue" else Category.CONTRACT,
            reasons=(f"its name changes from {former.name} to {base.resource.object_name}",),
        )
    if mine:
        reasons: tuple[str, ...] = ("it is gone: somebody dropped it outside orchestra",)
        return replace(base, fields=fields, reasons=reasons, drift=True)
    if base.entry is not None:
        return replace(base, fields=fields, reasons=("it comes back after an earlier removal",))
    return replace(base, fields=fields, reasons=("new in the spec",))


def _compared(
    base: Draft, kind: Kind, found: Found, options: PlanOptions, conditions: list[Condition]
) -> Iterator[Draft]:
    resource = base.resource
    assert resource is not None
    wanted = resource.values()
    applied: Mapping[str, Json] = base.entry.applied if base.entry else {}
    by_hand: list[str] = []
    for name in kind.kept_when_unset:
        if wanted.get(name) is None:
            wanted[name] = found.values.get(name)
    for name in kind.operator:
        now = found.values.get(name)
        if now != wanted.get(name) and name in applied and applied[name] == wanted.get(name):
            by_hand.append(name)
            if not options.resume_paused:
                wanted[name] = now
    if by_hand and not options.resume_paused:
        conditions.append(turned_by_hand(resource, by_hand[0], found))
    resume = _paused_job(resource, found, options, conditions)
    # The registry forgets nothing silently: a tombstone whose object is still there is taken back.
    revived = base.entry is not None and base.entry.tombstoned
    if wanted == found.values and not resume and not revived:
        return
    fields = changes(found.values, wanted)
    if resume:
        fields = (*fields, FieldChange("active", False, True))
    replaced = any(f.path in kind.replaced_by for f in fields)
    yield replace(
        base,
        action=Action.REPLACE if replaced else Action.UPDATE,
        # What is kept as it is must be written as it is: a row is upserted whole.
        resource=type(resource).of(resource.key, wanted),
        declared=resource,
        live=found,
        former=found if replaced else None,
        fields=fields,
        category=weightiest(kind, fields),
        reasons=tuple(_reasons(fields, wanted, found.values, applied, resume, revived)),
        drift=any(_drifted(f.path, wanted, found.values, applied) for f in fields),
        resume=resume,
    )


def _drifted(
    path: str, wanted: Mapping[str, Json], live: Mapping[str, Json], applied: Mapping[str, Json]
) -> bool:
    return path in applied and applied[path] != live.get(path) and applied[path] == wanted.get(path)


def _reasons(
    fields: Iterable[FieldChange],
    wanted: Mapping[str, Json],
    live: Mapping[str, Json],
    applied: Mapping[str, Json],
    resume: bool,
    revived: bool,
) -> Iterator[str]:
    names = [f.path for f in fields]
    drifted = [n for n in names if _drifted(n, wanted, live, applied)]
    both = [n for n in names if n in applied and applied[n] != live.get(n) and applied[n] != wanted.get(n)]
    declared = [n for n in names if n not in drifted and n not in both and n != "active"]
    if "fingerprint" in declared:
        if "version" in declared:
            yield "this orchestra brings a newer version of the runtime"
        else:
            yield "the installed runtime is another than this orchestra brings: an older build, or changed by hand"
    elif declared:
        yield f"the spec changed {_list(declared)}"
    if drifted:
        yield f"changed outside orchestra since the last apply: {_list(drifted)}"
    if both:
        yield f"changed both in the spec and outside orchestra: {_list(both)}"
    if same := [f.path for f in fields if rewritten(f)]:
        yield f"written in other words, with the same meaning: {_list(same)}"
    if resume:
        yield "paused by hand; resumed as you said"
    if revived:
        yield "it comes back after an earlier removal"


def _list(names: Iterable[str]) -> str:
    return ", ".join(dict.fromkeys(names))


def _removed(desired: Program, live: Live, options: PlanOptions) -> Iterator[Draft]:
    order = list(BY_NAME)
    gone = [e for a, e in live.entries.items() if not e.tombstoned and a not in desired.resources]
    for entry in sorted(gone, key=lambda e: (order.index(e.address.kind), e.address.name), reverse=True):
        if options.workload is not None and (
            entry.address.kind == "project" or not belongs(entry.address.name, options.workload)
        ):
            continue
        kind = BY_NAME[entry.address.kind]
        found = live.find(kind.name, entry.name)
        if found is None:
            yield Draft(
                entry.address,
                Action.FORGET,
                Category.METADATA,
                ("no longer in the spec, and already gone from the database",),
                entry=entry,
            )
            continue
        yield Draft(
            entry.address,
            Action.DELETE,
            Category.DATA if kind.name == "queue" else Category.CONTRACT,
            ("no longer in the spec",),
            fields=changes(found.values, {}),
            live=found,
            entry=entry,
        )


def _paused_job(resource: Resource, found: Found, options: PlanOptions, conditions: list[Condition]) -> bool:
    """Whether a job that somebody made inactive is to be activated again; without that word it stays as it is."""
    if resource.kind != "cron_job" or found.extra.get("active", True):
        return False
    if options.resume_paused:
        return True
    conditions.append(made_inactive(resource, found))
    return False
