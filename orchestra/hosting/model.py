"""What the hosts have in common."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Comment:
    """A comment as the host has it. `author` is whatever identifies an account there, compared and never shown."""

    id: int
    author: str
    body: str
    url: str


@dataclass(frozen=True, slots=True)
class Clock:
    """`now` gives seconds since the epoch; `sleep` waits so many."""

    now: Callable[[], float]
    sleep: Callable[[float], None]


class Outcome(StrEnum):
    CREATED = "created"
    UPDATED = "updated"
    UNCHANGED = "unchanged"
    ABSENT = "absent"
    """There was no comment, and none was wanted."""


class Host(Protocol):
    """Comments of one pull request (GitLab: notes of one merge request). Each call raises OrchestraError with a remedy
    where the host refuses it, and `create` raises Uncertain where nobody knows whether it was done."""

    name: str
    most: int
    """How many characters a comment may have."""

    def me(self) -> str: ...
    def comments(self) -> Sequence[Comment]: ...
    def create(self, body: str) -> Comment: ...
    def update(self, comment: Comment, body: str) -> Comment: ...
    def delete(self, comment: Comment) -> None: ...


class Uncertain(Exception):
    """The host did not say whether it did what it was asked: it has to be looked at."""
