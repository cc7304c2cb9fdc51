"""What schedules and calls began, for machines: a part of schemas/runs.v1.schema.json. Credentials are masked."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from orchestra.report import json_text, mask
from orchestra.report.json_text import Raw

if TYPE_CHECKING:
    from orchestra.operate.occurrences import Occurrence


def brief(one: Occurrence) -> dict[str, Any]:
    """One of a list."""
    return {
        "id": one.id,
        "kind": one.kind,
        "workload": one.workload,
        "status": one.status,
        "due_at": _time(one.due_at),
        "started_at": _time(one.started_at),
        "finished_at": _time(one.finished_at),
        "attempt": one.attempt,
        "error": mask.text(one.error) if one.error is not None else None,
        "sqlstate": one.sqlstate,
        "retry_at": _time(one.retry_at),
        "message_id": one.message_id,
        "dead_letter": one.dead_letter,
        "job": one.job,
    }


def show(one: Occurrence, project: str) -> str:
    detail = {
        **brief(one),
        "input": Raw(json_text.masked(one.input)),
        "attempts": [brief(attempt) for attempt in one.attempts],
    }
    return json_text.dumps({"format_version": 1, "project": project, "occurrence": detail}) + "\n"


def _time(time: datetime | None) -> str | None:
    if time is None:
        return None
    return time.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
