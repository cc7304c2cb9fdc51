"""What SQL says while it works (`raise notice`, `raise warning`), as events of the workload whose it is."""

from __future__ import annotations

import re
from datetime import datetime
from typing import Final

from orchestra.dev.cron_run import Notice
from orchestra.dev.log.event import Event

_OF_WORKLOAD: Final = re.compile(r"call orchestra\.\w+\('[^']*', '([^']+)'")
"""The command of a job that does the work of one workload."""


def told(notice: Notice, at: datetime) -> Event:
    found = _OF_WORKLOAD.match(notice.job.command)
    who = found[1] if found else "cron"
    look = "yellow" if notice.severity == "WARNING" else ""
    return Event(at, who, "said", f"│ {notice.severity.lower()}: {notice.message}", look)
