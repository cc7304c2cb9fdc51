"""One thing that happened, and whose it is."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

SELF = "orchestra"
"""Whose events are those of the tool itself."""


@dataclass(frozen=True, slots=True)
class Event:
    """`who` is a workload's name. Events of one `who` and `kind` are alike, and are counted where they come in crowds.
    `text` may have several lines; nothing in it is fit for a terminal yet."""

    at: datetime
    who: str
    kind: str
    text: str
    look: str = ""
    """A look of `report.style`, or several: `bold red`."""
    aside: str = ""
    """What may be left out of a narrow terminal: it is cut where the line ends."""
