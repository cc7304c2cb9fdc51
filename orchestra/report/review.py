"""What a plan and a difference of two specs have in common, for the reports that people review."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal

from orchestra.ir.program import Address
from orchestra.plan.model import Blocker, Change, Condition, Difference, Plan, tally
from orchestra.report import mask, masked
from orchestra.report.verdict import AS_LEFT, about, drift, in_step
from orchestra.report.words import count

if TYPE_CHECKING:
    from orchestra.plan.load import LoadReport
    from orchestra.spec.model import Spec

State = Literal["blocked", "empty", "ready"]


@dataclass(frozen=True, slots=True)
class Review:
    """Everything that a report shows, every credential starred out already. `about` are rows of a name and a value
    that say what was compared with what. `spec` lends the places and the graph; without it there are none."""

    kind: Literal["plan", "diff"]
    project: str
    environment: str
    about: tuple[tuple[str, str], ...]
    changes: tuple[Change, ...]
    conditions: tuple[Condition, ...] = ()
    blockers: tuple[Blocker, ...] = ()
    batches: int = 1
    unchanged: int = 0
    destroying: bool = False
    loads: LoadReport | None = None
    spec: Spec | None = None
    tool_version: str = ""
    refresh_only: bool = False

    @property
    def title(self) -> str:
        """`shop, production`: whose plan it is."""
        return ", ".join(filter(None, (self.project, self.place)))

    @property
    def place(self) -> str:
        """The environment, where it has a name that somebody gave."""
        return "" if self.environment == "default" else self.environment

    @property
    def state(self) -> State:
        return "blocked" if self._stops else "ready" if self.changes else "empty"

    @property
    def standstill(self) -> str:
        """In a sentence, why it cannot be applied; empty where it can."""
        number = len(self._stops)
        return (
            f"Cannot be applied: {count(number, 'thing stands', 'things stand')} in the way."
            if number
            else ""
        )

    @property
    def _stops(self) -> set[tuple[str, Address]]:
        """What blocks, a hazard and its blocker being one. A difference is applied to nothing, so only what it is told
        blocks it."""
        dangers = ((h, c.address) for c in self.changes for h in c.hazards) if self.kind == "plan" else ()
        unapproved = {(h.code, address) for h, address in dangers if h.needs_approval and not h.approved}
        return unapproved | {(b.code, b.address) for b in self.blockers}

    @property
    def obstacles(self) -> tuple[Blocker, ...]:
        """What stands in the way and is no hazard: those are told with their change."""
        dangers = {(h.code, c.address) for c in self.changes for h in c.hazards}
        return tuple(b for b in self.blockers if (b.code, b.address) not in dangers)

    @property
    def numbers(self) -> dict[str, int]:
        """How many to add, to change and to destroy, as the last line of a plan counts them."""
        return tally(self.changes)

    @property
    def verdict(self) -> str:
        """The one sentence that somebody reads who reads nothing else."""
        if self.refresh_only:
            return drift(self.changes, self.conditions) or f"No drift. {AS_LEFT}"
        if self.changes:
            words = ", ".join(f"{number:,} to {verb}" for verb, number in self.numbers.items())
            return f"{'Plan' if self.kind == 'plan' else 'Difference'}: {words}."
        if self.blockers:
            return "No changes planned."
        if self.kind == "diff":
            return "No changes. Both specs compile to the same."
        return f"No changes. {in_step(self.unchanged, destroying=self.destroying)}"


def of_plan(plan: Plan, spec: Spec | None = None, loads: LoadReport | None = None) -> Review:
    """The review of a plan, `spec` being the one that it was made from."""
    shown = masked.plan(plan)
    return Review(
        "plan",
        mask.text(shown.project),
        shown.target.environment,
        (*about(shown.target), *_transition(shown.transition, shown.changes)),
        tuple(map(_change, shown.changes)),
        tuple(replace(c, address=_address(c.address)) for c in shown.conditions),
        tuple(replace(b, address=_address(b.address)) for b in shown.blockers),
        batches=len(shown.batches),
        unchanged=shown.unchanged,
        destroying=shown.destroying,
        loads=loads,
        spec=spec,
        tool_version=mask.text(shown.tool_version),
        refresh_only=shown.refresh_only,
    )


def of_diff(found: Difference, spec: Spec | None = None, tool_version: str = "") -> Review:
    """The review of a difference, `spec` being the one after."""
    shown = masked.difference(found)
    return Review(
        "diff",
        mask.text(shown.project),
        "",
        (*((("Base", shown.base),) if shown.base else ()), *_transition(shown.transition, shown.changes)),
        tuple(map(_change, shown.changes)),
        tuple(replace(c, address=_address(c.address)) for c in shown.conditions),
        tuple(replace(b, address=_address(b.address)) for b in shown.blockers),
        loads=shown.load,
        spec=spec,
        tool_version=tool_version,
    )


def _transition(key: str, changes: Iterable[Change]) -> tuple[tuple[str, str], ...]:
    """What approvals are kept by, where something needs one."""
    needed = any(h.needs_approval for c in changes for h in c.hazards)
    return (("Transition", key),) if key and needed else ()


def _change(change: Change) -> Change:
    """With addresses masked as well, which a plan that apply reads has to keep."""
    address = _address(change.address)
    former = change.moved_from and _address(change.moved_from)
    if address is change.address and former is change.moved_from:
        return change
    return replace(change, address=address, moved_from=former)


def _address(address: Address) -> Address:
    name = mask.text(address.name)
    return address if name is address.name else Address(address.kind, name)
