"""What a reviewer is told beside the changes: what blocks, what is dangerous, what holds. For annotations and SARIF."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from orchestra.ir.program import Address
from orchestra.plan.model import Change, Hazard
from orchestra.report.gravity import gravest_first
from orchestra.report.review import Review

Level = Literal["error", "warning", "note"]


@dataclass(frozen=True, slots=True)
class ReviewFinding:
    """`rule` is stable: `blocker/unowned`, `hazard/messages`, `condition/missing_secret`, `drift`."""

    level: Level
    rule: str
    address: Address
    message: str
    remedy: str = ""

    @property
    def code(self) -> str:
        return self.rule.rpartition("/")[2]


def findings(review: Review) -> tuple[ReviewFinding, ...]:
    """Errors first, then warnings, then notes; within one level the gravest change first. A hazard that blocks is told
    once."""
    return (*_blocking(review), *_hazards(review), *_conditions(review), *_drifted(review))


def _blocking(review: Review) -> Iterator[ReviewFinding]:
    dangerous = {(h.code, c.address) for c in review.changes for h in c.hazards}
    for b in review.blockers:
        family = "hazard" if (b.code, b.address) in dangerous else "blocker"
        yield ReviewFinding("error", f"{family}/{b.code}", b.address, b.message, b.remedy)


def _hazards(review: Review) -> Iterator[ReviewFinding]:
    told = {(b.code, b.address) for b in review.blockers}
    for change in gravest_first(c for c in review.changes if c.hazards):
        for hazard in change.hazards:
            if (hazard.code, change.address) not in told:
                yield ReviewFinding(
                    "warning", f"hazard/{hazard.code}", change.address, hazard.message, _remedy(hazard)
                )


def _remedy(hazard: Hazard) -> str:
    if not hazard.needs_approval:
        return ""
    if hazard.approved:
        return f"approved by {hazard.approver}"
    return f"needs {hazard.needed}"


def _conditions(review: Review) -> Iterator[ReviewFinding]:
    for c in review.conditions:
        yield ReviewFinding("note", f"condition/{c.code}", c.address, c.message, c.remedy)


def _drifted(review: Review) -> Iterator[ReviewFinding]:
    for change in review.changes:
        if change.drift:
            yield ReviewFinding("note", "drift", change.address, _drift(change))


def _drift(change: Change) -> str:
    said = "; ".join(change.reasons)
    drifted = "changed outside orchestra since its last apply"
    return said if "outside orchestra" in said else f"{drifted} ({said})" if said else drifted
