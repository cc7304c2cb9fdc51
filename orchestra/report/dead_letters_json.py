"""Dead letters for machines: schemas/dead-letters.v1.schema.json. Credentials are masked, but in what is exported."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from orchestra.report import json_text, mask
from orchestra.report.json_text import Raw

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
                    "error": mask.text(group.error),
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
    """One letter in one line, as it is: its payload and headers digit by digit as the database has them."""
    return json_text.escaped(json_text.dumps(_letter(one), indent=None))


def payload(one: Letter) -> str:
    """What was sent, in one line."""
    return json_text.escaped(json_text.one_line(one.payload or "null"))


def document(one: Letter) -> dict[str, Any]:
    """A letter as it is shown."""
    return {
        **_letter(one),
        "error": mask.text(one.error),
        "payload": Raw(json_text.masked(one.payload)),
        "headers": Raw(json_text.masked(one.headers)),
    }


def _letter(one: Letter) -> dict[str, Any]:
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
        "redriven_at": _time(one.redriven_at),
        "redriven_as": one.redriven_as,
        "payload": Raw(one.payload),
        "headers": Raw(one.headers),
    }


def _text(item: dict[str, Any]) -> str:
    return json_text.dumps(item) + "\n"


def _time(time: datetime | None) -> str | None:
    return (
        None
        if time is None
        else time.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    )
