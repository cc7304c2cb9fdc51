"""What an isolate or its handler says, as events: the runtime's lines of JSON in words, a handler's own as they are."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

from orchestra.dev.edge import LogLine
from orchestra.dev.log.event import Event

_LOOKS: Final = {"warn": "yellow", "error": "red", "debug": "dim", "info": ""}
_QUIET: Final = frozenset({"a worker has left", "an attempt failed", "snoozed"})
"""The runtime's messages that the database tells of as well, or that are only of interest to itself."""
_ABOUT: Final = frozenset({"level", "message", "project", "workload", "contract", "slot", "isolate"})
_SERVES: Final = re.compile(r"serves after (\d+) ms")
_ENDED_QUIETLY: Final = frozenset({"ended: early_drop", "ended: termination", "retired"})


def told(line: LogLine, at: datetime) -> Event | None:
    """None for what nobody needs to read."""
    if line.stream == "runner":
        return _of_runner(line, at)
    fields = _fields(line.text)
    if fields is not None:
        return _of_runtime(line, at, fields)
    look = "red" if line.stream == "stderr" else ""
    return Event(at, line.function, "said", f"│ {line.text}", look)


def _of_runner(line: LogLine, at: datetime) -> Event | None:
    if line.text in _ENDED_QUIETLY:
        return None
    if serves := _SERVES.fullmatch(line.text):
        return Event(at, line.function, "booted", f"an isolate boots in {serves[1]} ms", "dim")
    look = "bold red" if line.text.startswith("ended:") else "yellow"
    return Event(at, line.function, "isolate", f"isolate {line.text}", look)


def _of_runtime(line: LogLine, at: datetime, fields: Mapping[str, Any]) -> Event | None:
    message = str(fields["message"])
    if message in _QUIET:
        return None
    more = [f"{name}={_short(value)}" for name, value in fields.items() if name not in _ABOUT]
    text = "  ".join([f"│ {message}", *more])
    return Event(at, line.function, "said", text, _LOOKS.get(str(fields["level"]), ""))


def _fields(text: str) -> dict[str, Any] | None:
    """A line of the runtime's logger; anything else is a handler's own."""
    if not text.startswith("{"):
        return None
    try:
        found = json.loads(text)
    except ValueError:
        return None
    return found if isinstance(found, dict) and {"level", "message"} <= found.keys() else None


def _short(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
