"""Dead letters for machines: schemas/dead-letters.v1.schema.json."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from orchestra.operate.dead_letters import Letter, Listing


def listing(found: Listing, project: str) -> str:
    return _text(
        {
            "format_version": 1,
            "project": project,
            "total": found.total,
            "total_is_least": found.total_is_least,
            "groups": [
                {
                    "workload": group.workload,
                    "error": group.error,
                    "count": group.count,
                    "first_at": _time(group.first_at),
                    "last_at": _time(group.last_at),
                }
                for group in found.groups
            ],
            "letters": [document(one) for one in found.letters],
        }
    )


def show(one: Letter, project: str) -> str:
    return _text({"format_version": 1, "project": project, "letter": document(one)})


def line(one: Letter) -> str:
    """One letter in one line, its payload and headers digit by digit as the database has them."""
    told = {name: item for name, item in document(one).items() if name not in ("payload", "headers")}
    head = _one_line(json.dumps(told, ensure_ascii=False))
    return f'{head[:-1]}, "payload": {payload(one)}, "headers": {_one_line(one.headers)}}}'


def payload(one: Letter) -> str:
    """What was sent, in one line."""
    return _one_line(one.payload)


def _one_line(text: str | None) -> str:
    # JSON has no line feed outside of its escapes, but may have line ends that only some readers know.
    return (
        (text or "null").replace("\u2028", "\\u2028").replace("\u2029", "\\u2029").replace("\x85", "\\u0085")
    )


def document(one: Letter) -> dict[str, Any]:
    return {
        "id": one.id,
        "workload": one.workload,
        "queue": one.queue_name,
        "message_id": one.msg_id,
        "enqueued_at": _time(one.enqueued_at),
        "dead_at": _time(one.dead_at),
        "attempts": one.attempts,
        "reason": one.reason,
        "error": one.error,
        "sqlstate": one.sqlstate,
        "payload": _parsed(one.payload),
        "headers": _parsed(one.headers),
        "redriven_at": _time(one.redriven_at),
        "redriven_as": one.redriven_as,
    }


def _parsed(text: str | None) -> Any:
    try:
        return json.loads(text or "null")
    except ValueError:  # a number of more digits than Python reads
        return text


def _text(item: dict[str, Any]) -> str:
    return json.dumps(item, indent=2, ensure_ascii=False) + "\n"


def _time(time: datetime | None) -> str | None:
    return (
        None
        if time is None
        else time.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    )
