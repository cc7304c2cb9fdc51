"""Desired against live, address by address. Pure: it says what differs and why, not how to change it."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace

from orchestra.ir.category import Category
from orchestra.ir.program import Address, Json, Program, Resource
from orchestra.kinds import BY_NAME, Kind
from orchestra.live.model import Entry, Found, Live
from orchestra.plan.by_hand import by_hand
from orchestra.plan.conditions import (
    foreign_jobs,
    missing_secret,
    not_deployed,
    turned_by_hand,
)
from orchestra.plan.fields import changes, rewritten, weightiest
from orchestra.plan.model import Action, Condition, FieldChange
from orchestra.plan.moves import Moves
from orchestra.plan.options import PlanOptions
from orchestra.plan.owning import belongs, workload_of
from orchestra.plan.removal import Removals

_FIRST = ("extension", "runtime", "project")
"""What everything else needs, a removal and a move too."""


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
    moved_from: Address | None = None
    removal: str = "drop"
    """What becomes of the queue of a workload that goes: `drain`, `archive`, `drop` or `retain`."""
    leaving: bool = False
    """Part of a removal in steps, which was approved when it began."""
    accepted: Mapping[str, Json] | None = None
    """What the registry shall record as accepted of what an operator turned; empty takes it back."""
    owner: str | None = None
    """The other project that has an object of this name; the plan is then blocked."""
    unowned: bool = False
    """An object of this name that nobody claimed; the plan is then blocked."""
    absent: str | None = None
    """The object that was to be adopted and is not there; the plan is then blocked."""
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


def compare(
    desired: Program,
    live: Live,
    options: PlanOptions,
    moves: Moves = Moves(),  # noqa: B008
    removals: Removals = Removals({}),  # noqa: B008
) -> tuple[list[Draft], list[Condition]]:
    """All differences, in the order in which they have to be carried out: what all others need, what moves, what goes,
    and what comes or changes. `live` has its renames applied (`plan.moves`)."""
    conditions: list[Condition] = []
    found = [d for r in desired for d in _one(r, live, options, conditions, moves)]
    first = [d for d in found if d.address.kind in _FIRST]
    moved = [d for d in found if d.moved_from is not None and d not in first]
    rest = [d for d in found if d.address.kind not in _FIRST and d.moved_from is None]
    gone = list(_removed(desired, live, options, removals, moves))
    # What goes of a workload that moves is called as the workload was until then.
    parts = [d for d in gone if workload_of(d.address.name) in moves.workloads]
    return [*first, *parts, *moved, *(d for d in gone if d not in parts), *rest], conditions


MADE_ANEW = frozenset({"dependency", "grant", "progress", "table_trigger"})
"""Kinds whose objects hold nothing and have their names in their texts."""


def _one(
    resource: Resource, live: Live, options: PlanOptions, conditions: list[Condition], moves: Moves
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
    base = Draft(
        resource.address,
        Action.CREATE,
        Category.BEHAVIOUR,
        (),
        resource=resource,
        entry=entry,
        moved_from=moves.origin.get(resource.address),
    )

    other = live.others.get((resource.kind, resource.object_name))
    if other is not None:
        yield replace(base, reasons=(f"belongs to project {other.project}",), live=found, owner=other.project)
        return
    former = (
        live.find(resource.kind, entry.name)
        if mine and entry and entry.name != resource.object_name
        else None
    )
    if found is None and former is not None and kind.name not in MADE_ANEW:
        # Under another name it is the same thing: what is in it, and what was done to it, stays.
        yield from _compared(replace(base, former=former), kind, former, options, conditions)
        return
    if found is None:
        adopted = options.adopted_from(resource.address)
        if adopted is not None:
            yield _taken_over(base, live, adopted)
            return
        yield _created(base, kind, former, mine)
        return
    taken_back = entry is not None and entry.name == resource.object_name and not entry.gone
    if kind.owned and not taken_back:
        holder = _holder(resource, live)
        if holder is not None:
            yield replace(base, live=found, reasons=(f"belongs to {holder}",), holder=holder)
            return
        adopt = options.adopts(resource.address)
        reason = (
            "adopted as you said" if adopt else "an object of this name exists that orchestra did not make"
        )
        yield replace(
            base,
            action=Action.ADOPT,
            live=found,
            fields=changes(found.values, resource.values()),
            reasons=(reason,),
            category=Category.CONTRACT,
            former=former,
            unowned=not adopt,
        )
        return
    if kind.name == "cron_job":
        conditions += foreign_jobs(resource, found, live.server.role)
    yield from _compared(base, kind, found, options, conditions)


def _holder(resource: Resource, live: Live) -> Address | None:
    if resource.kind == "workload":
        return None
    return _registered(resource.kind, resource.object_name, live)


def _registered(kind: str, name: str, live: Live) -> Address | None:
    found = (
        e for e in live.entries.values() if (e.address.kind, e.name, e.tombstoned) == (kind, name, False)
    )
    return next((e.address for e in found), None)


def _created(base: Draft, kind: Kind, former: Found | None, mine: bool) -> Draft:
    if base.entry is not None and base.entry.accepted:
        base = replace(base, accepted={})  # what was accepted of the one that is gone is over
    assert base.resource is not None
    fields = changes({}, base.resource.written())
    if former is not None:
        return replace(
            base,
            action=Action.REPLACE,
            former=former,
            fields=changes(former.values, base.resource.values()),
            category=Category.CONTRACT,
            reasons=tuple(_moved(base, former)),
        )
    if mine:
        reasons: tuple[str, ...] = ("it is gone: somebody dropped it outside orchestra",)
        return replace(base, fields=fields, reasons=reasons, drift=True)
    if base.entry is not None:
        return replace(base, fields=fields, reasons=("it comes back after an earlier removal",))
    return replace(base, fields=fields, reasons=("new in the spec",))


def _taken_over(base: Draft, live: Live, name: str) -> Draft:
    """A cron job that has another name until now: the resource's own job takes its place."""
    assert base.resource is not None
    kind = base.address.kind
    found = live.find(kind, name)
    holder = live.others.get((kind, name))
    if found is None:
        return replace(base, action=Action.ADOPT, reasons=(f"there is no {name!r}",), absent=name)
    return replace(
        base,
        action=Action.ADOPT,
        former=found,
        fields=changes(found.values, base.resource.values()),
        category=Category.CONTRACT,
        reasons=(f"adopted as you said: it takes the place of {name}",),
        owner=holder.project if holder else None,
        holder=_registered(kind, name, live),
    )


def _compared(
    base: Draft, kind: Kind, found: Found, options: PlanOptions, conditions: list[Condition]
) -> Iterator[Draft]:
    resource = base.resource
    assert resource is not None
    wanted = resource.values()
    # What the record leaves to the database says nothing of who changed it.
    recorded: Mapping[str, Json] = base.entry.applied if base.entry else {}
    applied = {k: v for k, v in recorded.items() if v is not None or k not in kind.kept_when_unset}
    accepted: Mapping[str, Json] = base.entry.accepted if base.entry else {}
    turned: dict[str, Json] = {}
    for name in kind.kept_when_unset:
        if wanted.get(name) is None:
            wanted[name] = found.values.get(name)
    for name in kind.operator:
        is_now = found.values.get(name)
        if is_now != wanted.get(name) and name in applied and applied[name] == wanted.get(name):
            turned[name] = is_now
    if resource.kind == "cron_job" and not found.extra.get("active", True):
        turned["active"] = False
    # As it will be: where the spec turns it now, what was accepted of it is over.
    now = {**found.values, **wanted, "active": found.extra.get("active", True)} if accepted else {}
    hand = by_hand(resource.address, turned, now, accepted, options)
    resume = hand.reverted and "active" in turned
    if not hand.reverted:
        wanted |= {name: kept for name, kept in turned.items() if name in kind.operator}
        if hand.reported:
            conditions += turned_by_hand(resource, turned, found)
    # The registry forgets nothing silently: a tombstone whose object is still there is taken back.
    revived = base.entry is not None and base.entry.tombstoned
    moved = base.moved_from is not None or base.former is not None
    if wanted == found.values and not (resume or revived or moved or hand.record is not None):
        return
    fields = changes(found.values, wanted)
    if resume:
        fields = (*fields, FieldChange("active", False, True))
    if hand.record is not None:
        fields = (*fields, FieldChange("accepted", dict(accepted), dict(hand.record)))
    replaced = any(f.path in kind.replaced_by for f in fields)
    yield replace(
        base,
        action=Action.REPLACE if replaced else Action.UPDATE,
        # What is kept as it is must be written as it is: a row is upserted whole.
        resource=type(resource).of(resource.key, wanted),
        declared=resource,
        live=found,
        former=found if replaced else base.former,
        fields=fields,
        category=weightiest(kind, fields),
        reasons=(
            *_moved(base, found),
            *_reasons(fields, wanted, found.values, applied, resume, revived),
            *hand.reasons,
        ),
        drift=any(_drifted(f.path, wanted, found.values, applied) for f in fields),
        resume=resume,
        accepted=hand.record,
    )


def _moved(base: Draft, former: Found) -> Iterator[str]:
    if base.moved_from is None and base.former is not None and base.resource is not None:
        yield f"its name changes from {former.name} to {base.resource.object_name}"


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
    apart = ("active", "accepted", "removal")
    declared = [n for n in names if n not in drifted and n not in both and n not in apart]
    if "removal" in names:
        yield (
            "no longer in the spec: it takes nothing new, works off what waits, and goes then"
            if wanted.get("removal")
            else "in the spec again before it was gone"
        )
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
        yield "made inactive by hand; resumed as you said"
    if revived:
        yield "it comes back after an earlier removal"


def _list(names: Iterable[str]) -> str:
    return ", ".join(dict.fromkeys(names))


def _removed(
    desired: Program, live: Live, options: PlanOptions, removals: Removals, moves: Moves
) -> Iterator[Draft]:
    order = list(BY_NAME)
    gone = [e for a, e in live.entries.items() if not e.tombstoned and a not in desired.resources]
    for entry in sorted(gone, key=lambda e: (order.index(e.address.kind), e.address.name), reverse=True):
        if not _in_view(entry.address, options, moves):
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
        policy = removals.policy(entry.address.name)
        retained = kind.name == "queue" and policy == "retain"
        reason = (
            "no longer in the spec; it is left to whoever wants it" if retained else "no longer in the spec"
        )
        yield Draft(
            entry.address,
            Action.FORGET if retained else Action.DELETE,
            Category.DATA if kind.name == "queue" else Category.CONTRACT,
            (reason,),
            fields=() if retained else changes(found.values, {}),
            live=found,
            entry=entry,
            removal=policy,
            leaving=_on_its_way_out(entry.address, desired, live),
        )


def _in_view(address: Address, options: PlanOptions, moves: Moves) -> bool:
    # What goes of a workload that moves has its former name.
    if address.kind != "project" and moves.workloads.get(workload_of(address.name)) is not None:
        return True
    if options.only is not None:
        return False
    return options.workload is None or (address.kind != "project" and belongs(address.name, options.workload))


def _on_its_way_out(address: Address, desired: Program, live: Live) -> bool:
    """Whether its workload has begun to go, in an earlier plan or in this one: whoever approved that, approved this."""
    own = Address("workload", workload_of(address.name))
    entry = live.entries.get(own)
    begun = entry is not None and entry.applied.get("removal") is not None
    begins = getattr(desired.get(own), "removal", None) is not None
    return begun or (begins and address.kind != "workload")
