"""Rows of the ledger to deployments: an apply of several transactions left several rows."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime

from orchestra.history.change import change_of
from orchestra.history.model import Deployment, Entry, Transaction
from orchestra.live.ledger_rows import LedgerRow, VerbRow


def deployments(rows: Iterable[LedgerRow]) -> list[Deployment]:
    """The newest first, whatever order the rows come in.

    Rows of one apply follow each other and have its plan's hash; a batch that was there begins another apply.
    """
    groups: list[list[LedgerRow]] = []
    for row in sorted(rows, key=lambda r: r.id):
        if groups and _goes_on(groups[-1], row):
            groups[-1].append(row)
        else:
            groups.append([row])
    return [Deployment(tuple(_transaction(row) for row in group)) for group in reversed(groups)]


def _goes_on(group: Sequence[LedgerRow], row: LedgerRow) -> bool:
    last = group[-1]
    return (
        row.batches > 1
        and (row.batches, row.plan_hash) == (last.batches, last.plan_hash)
        and row.batch not in {r.batch for r in group}
    )


def _transaction(row: LedgerRow) -> Transaction:
    return Transaction(row, tuple(change_of(item, row.id) for item in row.changes))


def merged(found: Sequence[Deployment], verbs: Iterable[VerbRow]) -> list[Entry]:
    """Deployments and what was done between them, the newest first."""

    def time(entry: Entry) -> tuple[datetime, int]:
        return (entry.at, entry.number if isinstance(entry, Deployment) else 0)

    return sorted([*found, *verbs], key=time, reverse=True)
