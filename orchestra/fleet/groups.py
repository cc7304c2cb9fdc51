"""Plans that change the same in many databases, put together, so that each is read once."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import reduce
from typing import Any, Final

from orchestra.ir.program import Json
from orchestra.ir.sql import literal
from orchestra.plan.model import Blocker, Change, Fact, FieldChange, Hazard, Plan, Target

ITS_OWN: Final = "(its own name)"
"""What stands where each database has the name of its environment."""
ITS_NUMBER: Final = "(its own number)"
UNUSED: Final = "unused_flag"


@dataclass(frozen=True, slots=True)
class Approval:
    """A hazard of one database that nobody approved, with the numbers of this database."""

    environment: str
    approval: str
    message: str


@dataclass(frozen=True, slots=True)
class Group:
    """`plan` is what all of `environments` have in common: of many, without what is true of one database only.
    `approvals` are what differs: dangers that each database has by its own numbers."""

    environments: tuple[str, ...]
    plan: Plan
    approvals: tuple[Approval, ...] = ()


def grouped(plans: Mapping[str, Plan]) -> tuple[Group, ...]:
    """The largest group first, then by the order of `plans`, which are by environment.

    Alike are plans of the same changes for the same reasons, with the same statements, the same dangers, the same
    conditions and the same blockers. The numbers of live messages may differ, and so may what was true before.
    """
    plans = _without_flags_used_elsewhere(plans)
    alike: dict[str, list[str]] = {}
    for name, plan in plans.items():
        alike.setdefault(_key(plan), []).append(name)
    groups = [_group(names, [plans[name] for name in names]) for names in alike.values()]
    return tuple(sorted(groups, key=lambda group: -len(group.environments)))


def _without_flags_used_elsewhere(plans: Mapping[str, Plan]) -> dict[str, Plan]:
    """A flag that met nothing in one database is worth a word only where it met nothing in any."""
    unused = [{c.message for c in plan.conditions if c.code == UNUSED} for plan in plans.values()]
    nowhere = set.intersection(*unused) if unused else set()
    return {
        name: replace(
            plan, conditions=tuple(c for c in plan.conditions if c.code != UNUSED or c.message in nowhere)
        )
        for name, plan in plans.items()
    }


def _key(plan: Plan) -> str:
    counted = {hazard.code for change in plan.changes for hazard in change.hazards}
    parts: list[Any] = [
        [_of_change(change, plan.target.environment) for change in plan.changes],
        sorted({(c.code, str(c.address)) for c in plan.conditions}),
        # A blocker that is a hazard of the plan says what that hazard says, numbers included.
        sorted((b.code, str(b.address), "" if b.code in counted else b.message) for b in plan.blockers),
        len(plan.batches),
        plan.unchanged,
    ]
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()


def _of_change(change: Change, environment: str) -> list[Any]:
    fields = [_neutral(field, change, environment) for field in change.fields]
    return [
        str(change.address),
        change.action,
        change.category,
        change.reasons,
        [(f.path, f.before, f.after) for f in fields],
        [(h.code, h.needs_approval, h.approved) for h in change.hazards],
        _statements(change, environment),
        change.drift,
        str(change.moved_from or ""),
    ]


def _neutral(field: FieldChange, change: Change, environment: str) -> FieldChange:
    if change.address.kind != "project" or field.path != "environment":
        return field
    return replace(field, before=_own(field.before, environment), after=_own(field.after, environment))


def _statements(change: Change, environment: str) -> tuple[str, ...]:
    """Without the name of the environment, which stands in those of the project as a value and in the JSON that the
    registry keeps, and without the number of messages that is counted again before they are dropped."""
    own = {f", {n})": f", {ITS_NUMBER})" for h in change.hazards if (n := _number(h))}
    if change.address.kind == "project":
        own |= {literal(environment): literal(ITS_OWN), f'"{environment}"': f'"{ITS_OWN}"'}
    if not own:
        return change.statements
    return tuple(reduce(lambda s, pair: s.replace(*pair), own.items(), s) for s in change.statements)


def _number(hazard: Hazard) -> str:
    """What an approval counts: `1204` of `--allow messages:queue.old=1204`."""
    _, _, number = hazard.approval.rpartition("=")
    return number if number.isdecimal() else ""


def _own(value: Json, environment: str) -> Json:
    return ITS_OWN if value == environment else value


def _group(names: Sequence[str], plans: Sequence[Plan]) -> Group:
    first = plans[0]
    if len(plans) == 1:
        return Group(tuple(names), first, _approvals(names, plans))
    columns = zip(*(plan.changes for plan in plans), strict=True)
    changes = tuple(_shared(column, first.target.environment) for column in columns)
    by_hazard = {hazard.code for change in changes for hazard in change.hazards}
    conditions = tuple(c for c in first.conditions if all(c in plan.conditions for plan in plans))
    differing = tuple(
        replace(c, message=f"{c.message} (in each in its own words)")
        for c in first.conditions
        if c not in conditions
    )
    blockers = tuple(
        replace(
            b, message=_spread([b.message for b in column]), remedy="approve each by itself, as listed below"
        )
        if b.code in by_hazard and not all(other == b for other in column)
        else b
        for column in zip(*(_in_order(plan.blockers) for plan in plans), strict=True)
        for b in column[:1]
    )
    common = replace(
        first,
        target=_targets(plans),
        changes=changes,
        conditions=(*conditions, *differing),
        blockers=blockers,
    )
    return Group(tuple(names), common, _approvals(names, plans))


def _targets(plans: Sequence[Plan]) -> Target:
    """Nowhere in particular: what roles and versions there are."""
    roles = sorted({plan.target.role for plan in plans})
    versions = sorted({plan.target.server_version for plan in plans})
    return Target("", "", ", ".join(roles), ", ".join(versions), "")


def _in_order(blockers: Sequence[Blocker]) -> list[Blocker]:
    """As their key has them, so that those of all plans of a group stand side by side."""
    return sorted(blockers, key=lambda b: (b.code, str(b.address)))


def _spread(messages: Sequence[str]) -> str:
    """What differs in its numbers only, with the least and the most of each: `loses 3 to 1,204 waiting`."""
    words = [message.split(" ") for message in messages]
    if len({len(one) for one in words}) > 1:
        return _MANY
    merged = []
    for column in zip(*words, strict=True):
        numbers = [int(word.replace(",", "")) for word in column if word.replace(",", "").isdecimal()]
        if len(set(column)) == 1:
            merged.append(column[0])
        elif len(numbers) == len(column):
            merged.append(f"{min(numbers):,} to {max(numbers):,}")
        else:
            return _MANY
    return " ".join(merged)


_MANY: Final = "a danger that each of these databases has by its own numbers"


def _shared(column: Sequence[Change], environment: str) -> Change:
    """One change as it is in all of its databases."""
    first = column[0]
    return replace(
        first,
        fields=tuple(_neutral(field, first, environment) for field in first.fields),
        statements=_statements(first, environment),
        facts=tuple(fact for fact in first.facts if all(_holds(fact, other) for other in column)),
        hazards=tuple(
            _hazard([other.hazards[number] for other in column]) for number in range(len(first.hazards))
        ),
        before="",
    )


def _holds(fact: Fact, change: Change) -> bool:
    return fact in change.facts


def _hazard(alike: Sequence[Hazard]) -> Hazard:
    first = alike[0]
    return (
        first
        if all(h == first for h in alike)
        else replace(first, message=_spread([h.message for h in alike]), approval="")
    )


def _approvals(names: Sequence[str], plans: Sequence[Plan]) -> tuple[Approval, ...]:
    """Only those that differ within the group: what all share stands in its plan."""
    found = [
        Approval(name, hazard.approval, hazard.message)
        for name, plan in zip(names, plans, strict=True)
        for change in plan.changes
        for hazard in change.hazards
        if hazard.needs_approval and not hazard.approved
    ]
    counted = Counter(a.approval for a in found)
    shared = {approval for approval, number in counted.items() if number == len(names)}
    return tuple(a for a in found if a.approval not in shared)
