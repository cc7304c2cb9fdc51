"""A schedule of pg_cron in the words of a spec, or why there are none."""

from __future__ import annotations

import re
from typing import Final

from orchestra.ir.cron import MACROS
from orchestra.platform import CRON_SECONDS

_SECONDS: Final = re.compile(r"\s*([0-9]+)\s+seconds?\s*\Z", re.I)
_UTC: Final = frozenset({"", "GMT", "UTC", "Etc/UTC", "Etc/GMT"})


def written(schedule: str, timezone: str | None) -> tuple[dict[str, str], str | None]:
    """The keys of `schedule:`, and None; or nothing, and what pg_cron makes of the text. `timezone` is the server's
    own: an expression is read in it. Whether the expression is sound is a question for the rules."""
    if found := _SECONDS.match(schedule):
        if int(found[1]) not in CRON_SECONDS:
            return {}, "pg_cron takes 1 to 59 seconds; what it makes of another number is chance"
        return {"every": f"{int(found[1])}s"}, None
    text = " ".join(schedule.split())
    keys = {"cron": MACROS.get(text.lower(), text)}
    if (timezone or "") not in _UTC:
        keys["timezone"] = str(timezone)
    return keys, None
