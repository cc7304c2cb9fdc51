"""Flags that a plan had no use for: nothing that a person says is passed over in silence."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from orchestra.errors import UsageError
from orchestra.ir.program import Address
from orchestra.kinds import BY_NAME
from orchestra.plan.model import Action, Condition, Plan
from orchestra.plan.options import PlanOptions


def with_unused(plan: Plan, options: PlanOptions) -> Plan:
    """The plan, with a condition for each `--adopt` and `--allow` that met nothing.

    Raises UsageError for a word that is no address.
    """
    return replace(plan, conditions=(*plan.conditions, *_unused(plan, options)))


def _unused(plan: Plan, options: PlanOptions) -> Iterator[Condition]:
    adopted = {str(c.address) for c in plan.changes if c.action is Action.ADOPT}
    for word in sorted(options.adopt - adopted):
        yield Condition(
            "unused_flag", _address(word, "--adopt", word), f"--adopt {word}: there is nothing to adopt"
        )
    known = {h.approval.removeprefix("--allow ") for c in plan.changes for h in c.hazards if h.needs_approval}
    for word in sorted(options.allow - known):
        address = _address(word.partition(":")[2].partition("=")[0], "--allow", word)
        yield Condition("unused_flag", address, f"--allow {word}: this plan has no such hazard")


def _address(word: str, flag: str, said: str) -> Address:
    address = Address.parse(word)
    if address.kind not in BY_NAME or not address.name:
        example = "queue.import" if flag == "--adopt" else "delete:queue.import"
        raise UsageError(
            f"{flag} does not name an address: {said!r}", f"write it as the plan does: {flag} {example}"
        )
    return address
