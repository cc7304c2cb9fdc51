"""A change as the ledger holds it, to the same value that a plan shows."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final

from orchestra.errors import VersionError
from orchestra.ir.program import Address
from orchestra.kinds import BY_NAME
from orchestra.plan.model import Action, Category, Change, FieldChange, Hazard

_LAST: Final = 1_000


def change_of(item: Mapping[str, Any], number: int) -> Change:
    """Raises VersionError where a newer orchestra wrote of what this one does not know."""
    address = Address.parse(str(item["address"]))
    try:
        action, category = Action(item["action"]), Category(item["category"])
    except ValueError as error:
        raise VersionError(
            f"deployment {number} was recorded by another orchestra: {error}",
            "read it with the version that the history names",
        ) from None
    before, after = item.get("before") or {}, item.get("after") or {}
    moved = item.get("moved_from")
    return Change(
        address,
        action,
        category,
        tuple(item.get("reasons") or ()),
        tuple(
            FieldChange(name, before.get(name), after.get(name))
            for name in _names(address.kind, before, after)
        ),
        tuple(_hazard(h) for h in item.get("hazards") or ()),
        drift=bool(item.get("drift")),
        moved_from=Address.parse(moved) if moved else None,
    )


def _names(kind: str, before: Iterable[str], after: Iterable[str]) -> list[str]:
    """In the order in which a plan has them: that of the kind for what came or went, by name where there are both."""
    names = sorted({*before, *after})
    if (before and after) or kind not in BY_NAME:
        return names
    place = {name: n for n, name in enumerate(BY_NAME[kind].resource.__dataclass_fields__)}
    return sorted(names, key=lambda name: place.get(name, _LAST))


def _hazard(item: Mapping[str, Any]) -> Hazard:
    approval = str(item.get("approval") or "")
    return Hazard(
        str(item["code"]),
        str(item["message"]),
        bool(approval),
        bool(approval),
        approval,
        approved_by=str(item.get("approved_by") or ""),
    )
