"""What an isolate may use, and when it is told."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from orchestra.platform import EDGE_CPU_MS

RETIRE_AT: Final = 0.5
"""The part of the wall clock (or of the CPU limit) after which an isolate gets no further request."""
UNLOAD_AT: Final = 0.9
"""The part after which `beforeunload` is dispatched."""
CPU_PER_REQUEST_S: Final = EDGE_CPU_MS / 1000
"""What the platform gives a request; where nothing is enforced, a remark in the log says that it was passed."""
CPU_LOOK_S: Final = 0.1
"""Seconds between looks at the CPU of the isolates."""


@dataclass(frozen=True)
class Limits:
    wall_clock_s: float = 150.0  # from the start of the process; 150 on the free plan, 400 on paid ones
    request_idle_s: float = 150.0  # until the head of the answer; then 504
    boot_s: float = 30.0  # until it serves
    cpu_limit_s: float | None = None  # of an isolate, once it serves; None: only told in the log
    memory_mb: int | None = 256  # of JavaScript's heap
    grace_s: float = 1.0  # between `termination` and the end, where work is going on
