"""Who, when and what of a deployment, in words; credentials masked, nothing that could drive a terminal."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Final

from orchestra.history.model import Deployment
from orchestra.ir.program import Json
from orchestra.live.ledger_rows import LedgerRow, VerbRow
from orchestra.report import mask
from orchestra.report.cells import visible
from orchestra.report.words import count

SHORT = 12
"""Digits of a commit or a plan's hash that are enough to tell it by."""

_MIGRATION: Final = "migration:"


def plain(text: str) -> str:
    return visible(mask.text(text), keep="")


def headline(error: str) -> str:
    """The first line of an error, of which the others are its stack; `…` where there are any."""
    first, _, rest = error.strip().partition("\n")
    return plain(first.rstrip()) + (" …" if rest else "")


def moment(time: datetime) -> str:
    return f"{time.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC"


def who(row: LedgerRow | VerbRow) -> str:
    """`ada (role postgres)`, or the role alone."""
    role = plain(f"role {row.role}")
    return f"{plain(row.actor)} ({role})" if row.actor else role


def by_what(plan_hash: str) -> str:
    """`plan 82d04f4e3a7b`, or the migration that it was."""
    if plan_hash.startswith(_MIGRATION):
        return f"migration {plain(plan_hash.removeprefix(_MIGRATION))}"
    return f"plan {short_hash(plan_hash)}"


def short_hash(plan_hash: str) -> str:
    return plain(plan_hash.removeprefix("sha256:"))[:SHORT]


def counts(deployment: Deployment) -> str:
    """`3 added, 1 changed, 0 destroyed`."""
    return ", ".join(f"{number:,} {word}" for word, number in deployment.counts.items())


def numbers(deployment: Deployment) -> str:
    """`#3 to #26`, or those that there are, where others lie between."""
    ids = [t.row.id for t in deployment.transactions]
    if len(ids) > 2 and ids[-1] - ids[0] == len(ids) - 1:
        return f"#{ids[0]} to #{ids[-1]}"
    return ", ".join(f"#{n}" for n in ids)


def transactions(deployment: Deployment) -> str:
    """Nothing for an apply of one; `3 transactions (#3 to #5)`; `2 of 3 transactions, then it stopped (#3, #4)`."""
    total, done = deployment.last.batches, len(deployment.transactions)
    if total == 1:
        return ""
    words = (
        count(done, "transaction")
        if deployment.is_whole
        else f"{done} of {total} transactions, then it stopped"
    )
    return f"{words} ({numbers(deployment)})"


def verb(row: VerbRow) -> str:
    """`pause import: the supplier is down`, `redrive import (count 14)`."""
    said = ", ".join(
        f"{name} {_brief(item)}" for name, item in row.detail.items() if item is not None and name != "reason"
    )
    what = f"{row.verb} {row.workload or 'the project'}".replace("_", " ", row.verb.count("_"))
    reason = row.detail.get("reason")
    return plain(what + (f" ({said})" if said else "") + (f": {reason}" if reason else ""))


def _brief(item: Json) -> str:
    if isinstance(item, list) and len(item) > 5:
        return f"{', '.join(map(str, item[:5]))} and {len(item) - 5} more"
    if isinstance(item, bool):
        return "yes" if item else "no"
    return ", ".join(map(str, item)) if isinstance(item, list) else str(item)
