"""Names of workloads from whatever somebody called a queue or a job."""

from __future__ import annotations

import re
import unicodedata
from typing import Final

from orchestra.platform import IDENTIFIER_BYTES

LONGEST: Final = 47
PROJECT: Final = 30


def longest_in(project: str) -> int:
    """Characters that a workload's name may have, so that its jobs keep their whole names."""
    return min(LONGEST, IDENTIFIER_BYTES - len(f"orchestra:{project}:.worker-1"))


def fold(text: str, longest: int = LONGEST, prefix: str = "job") -> str:
    """Lower-case letters, digits and single hyphens, beginning with a letter; empty where nothing is left of it."""
    plain = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode().lower()
    name = re.sub(r"[^a-z0-9]+", "-", plain).strip("-")
    if name and not name[0].isalpha():
        name = f"{prefix}-{name}"
    return name[:longest].strip("-")


class Names:
    """Gives each name once: a second `purge` becomes `purge-2`."""

    def __init__(self, longest: int = LONGEST) -> None:
        self.longest = longest
        self._taken: set[str] = set()

    def give(self, wanted: str, kind: str = "") -> str:
        """`wanted`, else with `-kind` behind it, else with a number."""
        endings = ["", f"-{kind}"] if kind and not wanted.endswith(f"-{kind}") else [""]
        for ending in endings:
            if self._take(name := self._cut(wanted, ending)):
                return name
        number = 2
        while not self._take(name := self._cut(wanted, f"{endings[-1]}-{number}")):
            number += 1
        return name

    def _cut(self, name: str, ending: str = "") -> str:
        return name[: self.longest - len(ending)].rstrip("-") + ending

    def _take(self, name: str) -> bool:
        if name in self._taken:
            return False
        self._taken.add(name)
        return True
