"""Going back to before an adoption: what existed before it came to the project is given up, not destroyed."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import replace
from typing import Final

from orchestra.ir.program import Address
from orchestra.ir.sql import call, literal
from orchestra.live.ledger_rows import AdoptedRow
from orchestra.plan.model import Action, Category, Change, Condition, Plan

_OF_REMOVAL: Final = frozenset({"delete", "messages"})


def given_up(plan: Plan, adopted: Iterable[AdoptedRow], number: int) -> Plan:
    """The plan without the removal of what was adopted after deployment `number`. Where the adoption changed it, a
    condition says how it was: that is not undone."""
    rows = {row.address: row for row in adopted}
    going = {
        c.address: rows[str(c.address)]
        for c in plan.changes
        if c.action is Action.DELETE and str(c.address) in rows
    }
    return replace(
        plan,
        changes=tuple(_change(c, plan.project, number) if c.address in going else c for c in plan.changes),
        blockers=tuple(b for b in plan.blockers if b.address not in going or b.code not in _OF_REMOVAL),
        conditions=(*plan.conditions, *(_as_it_is(a, row) for a, row in going.items() if row.found)),
    )


def _change(change: Change, project: str, number: int) -> Change:
    return replace(
        change,
        action=Action.FORGET,
        category=Category.METADATA,
        reasons=(
            f"it was there after deployment {number} and not ours: it is given up, with all that is in it",
        ),
        fields=(),
        hazards=(),
        statements=(call("orchestra.release", literal(project), literal(str(change.address))),),
    )


def _as_it_is(address: Address, row: AdoptedRow) -> Condition:
    were = ", ".join(f"{name} {json.dumps(value, ensure_ascii=False)}" for name, value in row.found.items())
    return Condition(
        "adoption_changed",
        address,
        f"deployment {row.number} changed it when it took it over, and that is not undone; it had {were}",
        "bring it back by hand, or remove it",
    )
