"""A plan with every credential in it starred out."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import fields, replace
from typing import TypeVar

from orchestra.ir.program import Json
from orchestra.plan.model import Blocker, Change, Condition, Difference, Fact, FieldChange, Plan, Target
from orchestra.report import mask

N = TypeVar("N", Condition, Blocker)


def plan(original: Plan) -> Plan:
    """Statements, desired values and all texts are masked; hashes and addresses stay."""
    return replace(
        original,
        target=_target(original.target),
        changes=tuple(change(item) for item in original.changes),
        conditions=tuple(note(item) for item in original.conditions),
        blockers=tuple(note(item) for item in original.blockers),
        desired=tuple((address, _values(values)) for address, values in original.desired),
    )


def difference(original: Difference) -> Difference:
    """The same of a difference of two specs."""
    return replace(
        original,
        base=mask.text(original.base),
        changes=tuple(change(item) for item in original.changes),
        conditions=tuple(note(item) for item in original.conditions),
        blockers=tuple(note(item) for item in original.blockers),
    )


def change(original: Change) -> Change:
    """The same object where nothing in it looks like a credential, which is nearly always."""
    if not mask.worth_a_look("\n".join(_texts(original))):
        return original
    return replace(
        original,
        reasons=tuple(map(mask.text, original.reasons)),
        fields=tuple(
            FieldChange(mask.text(field.path), mask.json(field.before), mask.json(field.after))
            for field in original.fields
        ),
        hazards=tuple(
            replace(
                hazard,
                message=mask.text(hazard.message),
                approval=mask.text(hazard.approval),
                command=mask.text(hazard.command),
                approved_by=mask.text(hazard.approved_by),
            )
            for hazard in original.hazards
        ),
        facts=tuple(
            Fact(mask.text(fact.name), mask.text(fact.value), mask.json(fact.data)) for fact in original.facts
        ),
        statements=tuple(map(mask.text, original.statements)),
    )


def _texts(item: Change) -> Iterator[str]:
    """Every text of a change; values as JSON, which is what the look is quick at."""
    yield from item.reasons
    yield from item.statements
    for hazard in item.hazards:
        yield hazard.message
        yield hazard.approval
        yield hazard.command
        yield hazard.approved_by
    yield json.dumps([(field.path, field.before, field.after) for field in item.fields])
    yield json.dumps([(fact.name, fact.value, fact.data) for fact in item.facts])


def note(item: N) -> N:
    """A condition or a blocker."""
    return replace(item, message=mask.text(item.message), remedy=mask.text(item.remedy))


def _target(item: Target) -> Target:
    """All of it is text. A target whose name is a credential is no loss: apply refuses it as another database."""
    return Target(*(mask.text(getattr(item, field.name)) for field in fields(item)))


def _values(values: dict[str, Json] | None) -> dict[str, Json] | None:
    if values is None or not mask.worth_a_look(json.dumps(values)):
        return values
    return {key: mask.json(value) for key, value in values.items()}
