"""Which address is a workload's own."""

from __future__ import annotations

import re
from typing import Final

_OWN: Final = re.compile(r"\.((worker|schedule|table)-[0-9]+|dead-letters)$")


def belongs(key: str, workload: str) -> bool:
    """Whether an address key is a workload's own (`import`, `import.worker-2`); `tick.5s` is nobody's, whatever a
    workload is called."""
    return key == workload or _OWN.sub("", key) == workload


def workload_of(key: str) -> str:
    """The workload that an address key belongs to, if it is one's at all."""
    return _OWN.sub("", key)
