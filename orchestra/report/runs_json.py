"""Runs for machines: schemas/runs.v1.schema.json. Credentials are masked."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from orchestra.report import json_text, mask, occurrences_json
from orchestra.report.json_text import Raw

if TYPE_CHECKING:
    from orchestra.operate.occurrences import Page
    from orchestra.operate.runs import Run


def listing(found: Sequence[Run], scheduled: Page, calls: Page, project: str, *, more: bool) -> str:
    return _text(
        {
            "format_version": 1,
            "project": project,
            "runs": [_run(run) for run in found],
            "more": more,
            "scheduled": [occurrences_json.brief(one) for one in scheduled.found],
            "scheduled_more": scheduled.more,
            "calls": [occurrences_json.brief(one) for one in calls.found],
            "calls_more": calls.more,
        }
    )


def show(run: Run, project: str) -> str:
    detail = {
        **_run(run),
        "input": Raw(json_text.masked(run.input)),
        "steps": [
            {
                "step": step.step,
                "status": step.status,
                "total": step.total,
                "done": step.done,
                "failed": step.failed,
                "started_at": _time(step.started_at),
                "finished_at": _time(step.finished_at),
            }
            for step in run.steps
        ],
        "dead_letters": [
            {"id": one.id, "step": one.step, "i": one.i, "error": mask.text(one.error)}
            for one in run.failures
        ],
    }
    return _text({"format_version": 1, "project": project, "run": detail})


def _run(run: Run) -> dict[str, Any]:
    return {
        "id": run.id,
        "workload": run.workload,
        "status": run.status,
        "attempt": run.attempt,
        "caller": run.caller,
        "started_at": _time(run.started_at),
        "finished_at": _time(run.finished_at),
        "error": _masked(run.error),
        "total": run.total,
        "done": run.done,
        "failed": run.failed,
    }


def _masked(text: str | None) -> str | None:
    return mask.text(text) if text is not None else None


def _text(item: dict[str, Any]) -> str:
    return json_text.dumps(item) + "\n"


def _time(time: datetime | None) -> str | None:
    return (
        None
        if time is None
        else time.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    )
