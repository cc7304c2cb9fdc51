"""What a step was told: the same for all of them, so that an action can hand over its inputs as they are."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path


class FailOn(StrEnum):
    """What ends a plan or a diff with a code that is not 0, beside errors."""

    BLOCKED = "blocked"
    """What apply would refuse: with its exit code."""
    UNAPPROVED = "unapproved"
    """That, and a hazard of a diff that no committed approval covers: with 5."""
    CHANGES = "changes"
    """That, and any change at all: with 2."""
    NOTHING = "nothing"


@dataclass(frozen=True, slots=True)
class Step:
    """`specs` as given, possibly none; `arguments` go to the command that the step is named for, as they are."""

    specs: tuple[str, ...]
    environment: str
    base: str
    plan_file: Path | None
    directory: Path
    compiled: Path
    comment: bool
    fail_on: FailOn
    strict: bool
    arguments: tuple[str, ...]

    @property
    def env(self) -> Sequence[str]:
        return (f"--env={self.environment}",) if self.environment else ()

    @property
    def tail(self) -> Sequence[str]:
        """The end of every command line: arguments, then specs, none of which is taken for an option."""
        return (*self.arguments, *(("--", *self.specs) if self.specs else ()))
