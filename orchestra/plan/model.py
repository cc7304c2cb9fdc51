"""A plan as frozen values: what would change, why, with what danger, and the very statements that apply will run."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from orchestra.ir.category import Category
from orchestra.ir.program import Address, Json

__all__ = [
    "Action",
    "Blocker",
    "Category",
    "Change",
    "Condition",
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

    @property
    def is_empty(self) -> bool:
        return not self.changes

    @property
    def summary(self) -> str:
        """`Plan: 3 to add, 1 to change, 0 to destroy.`"""
        words = (f"{number:,} to {verb}" for verb, number in tally(self.changes).items())
        return f"Plan: {', '.join(words)}."


def tally(changes: Iterable[Change]) -> dict[str, int]:
    """How many there are to `add`, to `change` and to `destroy`; a replacement is one to add and one to destroy."""
    actions = [c.action for c in changes]
    return {verb: sum(a in counted for a in actions) for verb, counted in _TALLY.items()}


_TALLY: Final = {
    "add": frozenset({Action.CREATE, Action.ADOPT, Action.REPLACE}),
    "change": frozenset({Action.UPDATE}),
    "destroy": frozenset({Action.DELETE, Action.FORGET, Action.REPLACE}),
}
