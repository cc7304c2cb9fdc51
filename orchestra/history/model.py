"""What people call the history of a project: deployments, and what operators did by hand between them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TypeAlias

from orchestra.live.ledger_rows import LedgerRow, VerbRow
from orchestra.plan.model import Change


@dataclass(frozen=True, slots=True)
class Transaction:
    """One row of the ledger, with its changes where they were read."""

    row: LedgerRow
    changes: tuple[Change, ...] = ()


@dataclass(frozen=True, slots=True)
class Deployment:
    """One apply: nearly always one transaction, several where the plan was too large for it. They are in order of
    their numbers, and the last number is the deployment's."""

    transactions: tuple[Transaction, ...]

    @property
    def number(self) -> int:
        return self.last.id

    @property
    def last(self) -> LedgerRow:
        return self.transactions[-1].row

    @property
    def at(self) -> datetime:
        """When its last transaction began."""
        return max(t.row.deployed_at for t in self.transactions)

    @property
    def is_whole(self) -> bool:
        """False where an apply stopped between two of its transactions."""
        return {t.row.batch for t in self.transactions} == set(range(1, self.last.batches + 1))

    @property
    def changes(self) -> tuple[Change, ...]:
        return tuple(c for t in self.transactions for c in t.changes)

    def count(self, *actions: str) -> int:
        return sum(t.row.counts.get(a, 0) for t in self.transactions for a in actions)

    @property
    def counts(self) -> dict[str, int]:
        """How much was added, changed and destroyed, as a plan counts; a replacement is one of each of the others."""
        return {
            "added": self.count("create", "adopt", "replace"),
            "changed": self.count("update"),
            "destroyed": self.count("delete", "forget", "replace"),
        }


Entry: TypeAlias = "Deployment | VerbRow"


@dataclass(frozen=True, slots=True)
class History:
    """`entries` are the newest first. `more`: there are older deployments; `more_verbs`: further verbs of operators
    were left out."""

    project: str
    entries: Sequence[Entry]
    more: bool = False
    more_verbs: bool = False
