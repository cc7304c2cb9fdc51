"""The E1xx codes."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class CodeDoc:
    """One code as its page shows it: `bad` and `good` are whole files, or words where no text can show it."""

    code: str
    title: str
    why: str
    bad: str
    good: str


CODES: tuple[CodeDoc, ...] = ()
