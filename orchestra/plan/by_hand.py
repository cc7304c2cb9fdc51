"""What operators turned by hand: it stays, and is reported until somebody accepts or reverts it by name."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from orchestra.ir.program import Address, Json
from orchestra.plan.options import PlanOptions


@dataclass(frozen=True, slots=True)
class ByHand:
    """`reverted`: it shall be as the spec says. `record` is what the registry shall know as accepted from now on, None
    where it knows that already. `reported`: nobody has accepted it yet."""

    reverted: bool = False
    reported: bool = True
    record: Mapping[str, Json] | None = None
    reasons: tuple[str, ...] = ()


def by_hand(
    address: Address,
    turned: Mapping[str, Json],
    now: Mapping[str, Json],
    accepted: Mapping[str, Json],
    options: PlanOptions,
) -> ByHand:
    """`turned` are the fields that differ by an operator's doing, `now` all that could, both as they are."""
    if not turned:
        over = any(now.get(name) != value for name, value in accepted.items())
        return ByHand(record={}, reasons=("what was accepted is over",)) if over else ByHand()
    if options.resume_paused or str(address) in options.revert:
        return ByHand(reverted=True, reported=False, record={} if accepted else None)
    if str(address) in options.accept:
        known = dict(accepted) == dict(turned)
        said = f"{_words(turned)} by hand; accepted as you said"
        return ByHand(reported=False, record=None if known else turned, reasons=() if known else (said,))
    return ByHand(reported=dict(accepted) != dict(turned))


def _paused(turned: Mapping[str, Json]) -> bool:
    return any(now in (True, "paused") or (name, now) == ("active", False) for name, now in turned.items())


def _words(turned: Mapping[str, Json]) -> str:
    return "paused" if _paused(turned) else "resumed"
