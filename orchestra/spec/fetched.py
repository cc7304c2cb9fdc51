"""What reading a file gives where it gives no text."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class ReadFault:
    """Why a file could not be read, in a sentence's words, and what to do. `code` is E101, E102 or E103."""

    message: str
    help: str = ""
    code: str = "E101"
