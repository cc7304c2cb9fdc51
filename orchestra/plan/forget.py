"""Giving objects up: they stay as they are, and orchestra no longer minds them."""

from __future__ import annotations

from typing import Final

from orchestra.errors import UsageError
from orchestra.ir.category import Category
from orchestra.ir.program import Address
from orchestra.live.model import Live
from orchestra.plan.compare import Draft
from orchestra.plan.model import Action, Condition

KINDS: Final = ("queue", "cron_job", "table_trigger", "grant", "progress")
"""What can live on without orchestra's own rows."""


def forgotten(live: Live, address: Address) -> Draft:
    """UsageError where the project does not own it, or it makes no sense without orchestra."""
    if address.kind not in KINDS:
        raise UsageError(
            f"{address} is orchestra's own and cannot be given up",
            f"give up one of {', '.join(KINDS)}; orchestra destroy removes the rest",
        )
    entry = live.entries.get(address)
    if entry is None or entry.tombstoned:
        owned = sorted(str(a) for a, e in live.entries.items() if not e.tombstoned and a.kind in KINDS)
        more = f" and {len(owned) - 10} more" if len(owned) > 10 else ""
        raise UsageError(
            f"the project does not own {address}",
            f"it owns {', '.join(owned[:10])}{more}" if owned else "it owns nothing that could be given up",
        )
    return Draft(
        address,
        Action.FORGET,
        Category.METADATA,
        ("given up as you said; it stays as it is",),
        live=live.find(address.kind, entry.name),
        entry=entry,
    )


def still_declared(address: Address) -> Condition:
    """The next plan takes it back."""
    return Condition(
        "declared",
        address,
        f"the spec still declares {address}: the next apply takes it back",
        "take its workload out of the spec before that",
    )
