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
                "command": h.command,
                "approved_by": h.approved_by,
            }
            for h in change.hazards
        ],
        "facts": [{"name": f.name, "value": f.value, "data": f.data} for f in change.facts],
        "statements": list(change.statements),
        "before": change.before,
        "drift": change.drift,
        "moved_from": str(change.moved_from) if change.moved_from is not None else None,
        "takes": change.takes,
    }


def encode_condition(item: Condition | Blocker) -> dict[str, Any]:
    """What the two have in common."""
    return {"code": item.code, "address": str(item.address), "message": item.message, "remedy": item.remedy}


def encode_blocker(item: Blocker) -> dict[str, Any]:
    return {**encode_condition(item), "exit_code": item.exit_code}


def decode(fields: Fields, version: int) -> Change:
    """A change of a file of this format version; the first knew no moves and no approvals."""
    moves = version >= 2
    fields.only(
        *(("moved_from", "takes") if moves else ()),
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
        hazards=tuple(_hazard(item, version) for item in fields.children("hazards")),
        facts=tuple(_fact(item) for item in fields.children("facts")),
        statements=fields.texts("statements"),
        before=fields.text("before"),
        drift=fields.flag("drift"),
        moved_from=_former(fields) if moves else None,
        takes=fields.text("takes") if moves else "",
    )


def _former(fields: Fields) -> Address | None:
    return None if fields.any("moved_from") is None else _address(fields, "moved_from")


def _field(fields: Fields) -> FieldChange:
    fields.only("path", "before", "after")
    return FieldChange(fields.text("path"), fields.any("before"), fields.any("after"))


def _hazard(fields: Fields, version: int) -> Hazard:
    approvals = version >= 2
    fields.only(
        *(("command", "approved_by") if approvals else ()),
        "code",
        "message",
        "needs_approval",
        "approved",
        "approval",
    )
    return Hazard(
        fields.text("code"),
        fields.text("message"),
        fields.flag("needs_approval"),
        fields.flag("approved"),
        fields.text("approval"),
        fields.text("command") if approvals else "",
        fields.text("approved_by") if approvals else "",
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


def _address(fields: Fields, name: str = "address") -> Address:
    text = fields.text(name)
    address = Address.parse(text)
    if not address.kind or "." not in text:
        raise NotAPlan(f"{text!r} is no address")
    return address
