"""A change as the ledger holds it: what a plan said of it, without what only the database knows."""

from __future__ import annotations

from typing import Any

from orchestra.plan.model import Change, Hazard


def told(change: Change) -> dict[str, Any]:
    """The shape is described in `orchestra.apply.record`, `history.change` reads it."""
    found: dict[str, Any] = {
        "address": str(change.address),
        "action": change.action.value,
        "category": change.category.value,
        "reasons": list(change.reasons),
        "before": {f.path: f.before for f in change.fields if f.before is not None},
        "after": {f.path: f.after for f in change.fields if f.after is not None},
    }
    if change.drift:
        found["drift"] = True
    if change.moved_from is not None:
        found["moved_from"] = str(change.moved_from)
    if change.hazards:
        found["hazards"] = [_hazard(h) for h in change.hazards]
    return found


def _hazard(hazard: Hazard) -> dict[str, str]:
    approval = hazard.approval if hazard.needs_approval else ""
    found = {"code": hazard.code, "message": hazard.message, "approval": approval}
    return {**found, "approved_by": hazard.approved_by} if hazard.approved_by else found
