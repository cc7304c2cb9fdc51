"""The parts of a plan, to JSON and back."""

from __future__ import annotations

from typing import Any

from orchestra.ir.program import Address, Json
from orchestra.plan.model import (
    Action,
    Blocker,
    Category,
    Change,
    Condition,
    Fact,
    FieldChange,
    Hazard,
    Target,
)
from orchestra.report.decode import Fields, NotAPlan


def encode(change: Change) -> dict[str, Any]:
    return {
        "address": str(change.address),
        "action": change.action.value,
        "category": change.category.value,
        "reasons": list(change.reasons),
        "fields": [{"path": f.path, "before": f.before, "after": f.after} for f in change.fields],
        "hazards": [
            {
                "code": h.code,
                "message": h.message,
                "needs_approval": h.needs_approval,
                "approved": h.approved,
                "approval": h.approval,
            }
            for h in change.hazards
        ],
        "facts": [{"name": f.name, "value": f.value, "data": f.data} for f in change.facts],
        "statements": list(change.statements),
        "before": change.before,
        "drift": change.drift,
    }


def decode(fields: Fields) -> Change:
    fields.only(
        "address",
        "action",
        "category",
        "reasons",
        "fields",
        "hazards",
        "facts",
        "statements",
        "before",
        "drift",
    )
    return Change(
        address=_address(fields),
        action=Action(fields.text("action")),
        category=Category(fields.text("category")),
        reasons=fields.texts("reasons"),
        fields=tuple(_field(item) for item in fields.children("fields")),
        hazards=tuple(_hazard(item) for item in fields.children("hazards")),
        facts=tuple(_fact(item) for item in fields.children("facts")),
        statements=fields.texts("statements"),
        before=fields.text("before"),
        drift=fields.flag("drift"),
    )


def _field(fields: Fields) -> FieldChange:
    fields.only("path", "before", "after")
    return FieldChange(fields.text("path"), fields.any("before"), fields.any("after"))


def _hazard(fields: Fields) -> Hazard:
    fields.only("code", "message", "needs_approval", "approved", "approval")
    return Hazard(
        fields.text("code"),
        fields.text("message"),
        fields.flag("needs_approval"),
        fields.flag("approved"),
        fields.text("approval"),
    )


def _fact(fields: Fields) -> Fact:
    fields.only("name", "value", "data")
    return Fact(fields.text("name"), fields.text("value"), fields.any("data"))


def target(fields: Fields) -> Target:
    names = ("host", "database", "role", "server_version", "environment", "where", "identity")
    fields.only(*names)
    return Target(*(fields.text(name) for name in names))


def condition(fields: Fields) -> Condition:
    fields.only("code", "address", "message", "remedy")
    return Condition(fields.text("code"), _address(fields), fields.text("message"), fields.text("remedy"))


def blocker(fields: Fields) -> Blocker:
    fields.only("code", "address", "message", "remedy", "exit_code")
    return Blocker(
        fields.text("code"),
        _address(fields),
        fields.text("message"),
        fields.text("remedy"),
        fields.number("exit_code"),
    )


def desired(fields: Fields) -> tuple[Address, dict[str, Json] | None]:
    fields.only("address", "values")
    values = fields.any("values")
    return _address(fields), None if values is None else dict(Fields(values, "desired.values").values)


def _address(fields: Fields) -> Address:
    text = fields.text("address")
    address = Address.parse(text)
    if not address.kind or "." not in text:
        raise NotAPlan(f"{text!r} is no address")
    return address
