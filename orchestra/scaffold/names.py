"""Names that others gave -> names that a project can have."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from typing import Final

MOST: Final = 30
_NAME: Final = re.compile(r"[a-z][a-z0-9]*(-[a-z0-9]+)*")
_FALLBACK: Final = "app"


def is_project_name(name: str) -> bool:
    return len(name) <= MOST and _NAME.fullmatch(name) is not None


def project_name(candidates: Iterable[str]) -> str:
    """The first that something can be made of: `@acme/Zürich Shop` is zurich-shop."""
    return next((made for c in candidates if (made := _made(c))), _FALLBACK)


def _made(name: str) -> str:
    bare = name.rsplit("/", 1)[-1].removesuffix(".git")
    plain = unicodedata.normalize("NFKD", bare).encode("ascii", "ignore").decode().lower()
    words = re.sub(r"[^a-z0-9]+", "-", plain).strip("-")
    begun = re.sub(r"^[0-9-]+", "", words)
    return begun[:MOST].rstrip("-")


def unlike(name: str, taken: Iterable[str]) -> str:
    """`name`, or with a number behind it that makes it another one, on a disk that ignores case too."""
    others, number, made = {other.lower() for other in taken}, 2, name
    while made in others:
        made, number = f"{name}-{number}", number + 1
    return made
