"""What git shall not see: the embedded database, and what `orchestra ci` leaves."""

from __future__ import annotations

from typing import Final

ENTRIES: Final = (".orchestra/", "orchestra-report/")


def grown(text: str) -> str:
    """The text of a .gitignore with the entries that it does not have behind it; all else stays, line breaks too."""
    there = {line.strip().removeprefix("**").strip("/") for line in text.splitlines()}
    missing = [entry for entry in ENTRIES if entry.strip("/") not in there]
    if not missing:
        return text
    end = "\r\n" if "\r\n" in text else "\n"
    begun = text if not text or text.endswith("\n") else text + end
    gap = end if begun else ""
    return begun + gap + "".join(f"{line}{end}" for line in ("# orchestra", *missing))
