"""What others have said, and when, as it stands in a reason."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Final

_LONGEST: Final = 300


def first_line(text: str | None) -> str:
    """An error without its context, not longer than is read."""
    lines = (text or "").strip().splitlines()
    return lines[0].strip()[:_LONGEST] if lines else "no error was recorded"


def moment(at: datetime) -> str:
    return f"{at.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC"
