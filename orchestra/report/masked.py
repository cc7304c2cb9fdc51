"""A plan with every credential in it starred out."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace

from orchestra.ir.program import Json
from orchestra.plan.model import Blocker, Change, Condition, FieldChange, Plan
from orchestra.report import mask


def plan(original: Plan) -> Plan:
    """Statements, desired values and all texts are masked; hashes and addresses stay."""
    return replace(
        original,
        changes=tuple(change(item) for item in original.changes),
        conditions=tuple(_condition(item) for item in original.conditions),
        blockers=tuple(_blocker(item) for item in original.blockers),
        desired=tuple((address, _values(values)) for address, values in original.desired),
    )


def change(original: Change) -> Change:
    """The same object where nothing in it looks like a credential, which is nearly always."""
    if not mask.worth_a_look("\n".join(_texts(original))):
        return original
    return replace(
        original,
        reasons=tuple(map(mask.text, original.reasons)),
        fields=tuple(
            FieldChange(field.path, mask.json(field.before), mask.json(field.after))
            for field in original.fields
        ),
        hazards=tuple(replace(hazard, message=mask.text(hazard.message)) for hazard in original.hazards),
        facts=tuple(
            replace(fact, value=mask.text(fact.value), data=mask.json(fact.data)) for fact in original.facts
        ),
        statements=tuple(map(mask.text, original.statements)),
    )


def _texts(item: Change) -> Iterator[str]:
    """Every text of a change; values as JSON, which is what the look is quick at."""
    yield from item.reasons
    yield from item.statements
    for hazard in item.hazards:
        yield hazard.message
    yield json.dumps([(field.before, field.after) for field in item.fields])
    yield json.dumps([(fact.value, fact.data) for fact in item.facts])


def _condition(item: Condition) -> Condition:
    return replace(item, message=mask.text(item.message), remedy=mask.text(item.remedy))


def _blocker(item: Blocker) -> Blocker:
    return replace(item, message=mask.text(item.message), remedy=mask.text(item.remedy))


def _values(values: dict[str, Json] | None) -> dict[str, Json] | None:
    if values is None or not mask.worth_a_look(json.dumps(values)):
        return values
    return {key: mask.json(value) for key, value in values.items()}
