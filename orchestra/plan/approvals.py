"""Approvals that were committed, and which of them count for a plan. Pure: the files were read elsewhere."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date

from orchestra.ir.program import Address


@dataclass(frozen=True, slots=True)
class Approved:
    """One hazard. `at_most` bounds the messages that may be lost; None is any number of them."""

    code: str
    address: Address
    at_most: int | None = 0

    def covers(self, code: str, address: Address, amount: int | None) -> bool:
        """`amount` None: more than are counted, which only no bound covers."""
        if (self.code, self.address) != (code, address):
            return False
        return self.at_most is None or (amount is not None and amount <= self.at_most)


@dataclass(frozen=True, slots=True)
class Approval:
    """One file. It counts for plans of its project and its transition, until the end of `expires` (UTC)."""

    file: str
    project: str
    transition: str
    approves: tuple[Approved, ...]
    reason: str
    by: str
    expires: date | None = None

    def has_expired(self, today: date | None) -> bool:
        """Without a day to hold it against it has, where it ends at all."""
        return self.expires is not None and (today is None or today > self.expires)


@dataclass(frozen=True, slots=True)
class Granted:
    """The approvals that are for one plan."""

    approvals: tuple[Approval, ...] = ()

    def by(self, code: str, address: Address, amount: int | None) -> str:
        """`approvals/3f…yaml: the reason`, or nothing."""
        found = self._of(code, address, amount)
        return f"{found.file}: {found.reason}" if found else ""

    def until(self, hazards: Iterable[tuple[str, Address, int | None]]) -> str:
        """The first day on which one of those that these hazards stand on ends, as `2026-12-31`."""
        days = [found.expires for h in hazards if (found := self._of(*h)) and found.expires]
        return min(days).isoformat() if days else ""

    def _of(self, code: str, address: Address, amount: int | None) -> Approval | None:
        return next(self._all(code, address, amount), None)

    def _all(self, code: str, address: Address, amount: int | None) -> Iterator[Approval]:
        for approval in self.approvals:
            if any(a.covers(code, address, amount) for a in approval.approves):
                yield approval


def granted(approvals: Iterable[Approval], project: str, transition: str, today: date | None) -> Granted:
    """Those for this very plan that have not expired; one that never ends before one that does."""
    mine = [
        a
        for a in approvals
        if a.project == project and a.transition == transition and not a.has_expired(today)
    ]
    return Granted(tuple(sorted(mine, key=lambda a: (a.expires is not None, a.file))))
