"""A plan as frozen values: what would change, why, with what danger, and the very statements that apply will run."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from orchestra.ir.category import Category
from orchestra.ir.program import Address, Json
from orchestra.plan.load import LoadReport

__all__ = [
    "Action",
    "Blocker",
    "Category",
    "Change",
    "Condition",
    "Difference",
    "Fact",
    "FieldChange",
    "Hazard",
    "Plan",
    "Target",
]


class Action(StrEnum):
    CREATE = "create"
    UPDATE = "update"
    REPLACE = "replace"
    DELETE = "delete"
    ADOPT = "adopt"
    FORGET = "forget"


@dataclass(frozen=True, slots=True)
class FieldChange:
    """One field, before and after; None where it was or will be absent."""

    path: str
    before: Json
    after: Json


@dataclass(frozen=True, slots=True)
class Hazard:
    """A danger of one change. `code` is stable (`delete`, `messages`, `unprotect` …); a hazard that needs approval
    blocks apply until `--allow CODE:ADDRESS` (or the broader flag in `approval`) is given."""

    code: str
    message: str
    needs_approval: bool = False
    approved: bool = False
    approval: str = ""
    """The exact flag that approves it, as the refusal prints it."""
    command: str = ""
    """The command that approves it, where a flag is not enough."""
    approved_by: str = ""
    """What approved it: the flag, or the file and the reason that stands in it."""

    @property
    def approver(self) -> str:
        """For people: what approved it."""
        return self.approved_by or self.approval or "a flag"

    @property
    def needed(self) -> str:
        """For people: what would approve it."""
        return self.command or self.approval or "an approval"


@dataclass(frozen=True, slots=True)
class Fact:
    """Something that is true in the live database now, said beside a change: messages waiting, last cron result,
    next fire times. `value` is text for people, `data` the number behind it."""

    name: str
    value: str
    data: Json = None


@dataclass(frozen=True, slots=True)
class Change:
    """What happens to one address. `before` is the hash of the live object (and its registry row) that the plan saw,
    empty where there was none: apply refuses when it is another by then."""

    address: Address
    action: Action
    category: Category
    reasons: tuple[str, ...]
    fields: tuple[FieldChange, ...] = ()
    hazards: tuple[Hazard, ...] = ()
    facts: tuple[Fact, ...] = ()
    statements: tuple[str, ...] = ()
    before: str = ""
    drift: bool = False
    """True when the live object was changed outside orchestra since its last apply."""
    moved_from: Address | None = None
    """The former address of what keeps its object, its messages or its history under a new name (`moved:`)."""
    takes: str = ""
    """The name of the object that an adoption takes the place of, where that is another than its own."""


@dataclass(frozen=True, slots=True)
class Condition:
    """Something that holds and is not a change: a missing secret, a job paused by hand, a function not deployed."""

    code: str
    address: Address
    message: str
    remedy: str = ""


@dataclass(frozen=True, slots=True)
class Blocker:
    """What keeps this plan from being applied: ownership, protection, an unapproved hazard, a key that does not
    work yet. `exit_code` is what apply ends with."""

    code: str
    address: Address
    message: str
    remedy: str
    exit_code: int = 5


@dataclass(frozen=True, slots=True)
class Target:
    """The database that a plan was made for; never a password."""

    host: str
    database: str
    role: str
    server_version: str
    environment: str
    where: str = ""
    """How the database was chosen, in words: `--db`, `--env production`, `the embedded database under .orchestra/`."""
    identity: str = ""
    """Of the cluster and of the database in it, as PostgreSQL numbers them; empty where the role may not ask."""


@dataclass(frozen=True, slots=True)
class Plan:
    """`batches` holds, for each transaction, how many of `changes` it runs, in order. `desired` holds the resource
    that each changed address shall be (None: gone), so that a saved plan can be proved without its spec."""

    project: str
    target: Target
    tool_version: str
    changes: tuple[Change, ...] = ()
    conditions: tuple[Condition, ...] = ()
    blockers: tuple[Blocker, ...] = ()
    batches: tuple[int, ...] = ()
    desired: tuple[tuple[Address, dict[str, Json] | None], ...] = ()
    unchanged: int = 0
    round_trips: int = 0
    destroying: bool = False
    refresh_only: bool = False
    """It shows what was changed outside orchestra, from what was applied to what is there, and is not to be applied."""
    transition: str = ""
    """What approvals are kept by: see `plan.transition`. Empty where nothing of the spec's own changes."""
    approved_until: str = ""
    """The last day (UTC, `2026-12-31`) of the approvals that it stands on; empty where none of them ends."""

    @property
    def is_empty(self) -> bool:
        return not self.changes

    @property
    def summary(self) -> str:
        """`Plan: 3 to add, 1 to change, 0 to destroy.`"""
        return f"Plan: {counted(self.changes)}."


@dataclass(frozen=True, slots=True)
class Difference:
    """What is between two specs: what a plan would do to a database that is in step with the first of them.

    `base` says in words what the first one is: `origin/main (1f3a9c2)`, a path. `blockers` are those that the specs
    alone can tell, such as protection.
    """

    project: str
    base: str
    changes: tuple[Change, ...] = ()
    conditions: tuple[Condition, ...] = ()
    blockers: tuple[Blocker, ...] = ()
    load: LoadReport | None = None
    transition: str = ""
    """That of a plan against a database in step with the base."""

    @property
    def is_empty(self) -> bool:
        return not self.changes

    @property
    def summary(self) -> str:
        """`Difference: 3 to add, 1 to change, 0 to destroy.`"""
        return f"Difference: {counted(self.changes)}."


def counted(changes: Iterable[Change]) -> str:
    """`3 to add, 1 to change, 0 to destroy`."""
    return ", ".join(f"{number:,} to {verb}" for verb, number in tally(changes).items())


def tally(changes: Iterable[Change]) -> dict[str, int]:
    """How many there are to `add`, to `change` and to `destroy`; a replacement is one to add and one to destroy."""
    actions = [c.action for c in changes]
    return {verb: sum(a in counted for a in actions) for verb, counted in _TALLY.items()}


_TALLY: Final = {
    "add": frozenset({Action.CREATE, Action.ADOPT, Action.REPLACE}),
    "change": frozenset({Action.UPDATE}),
    "destroy": frozenset({Action.DELETE, Action.FORGET, Action.REPLACE}),
}
