"""The status as JSON: `schemas/status.v1.schema.json`. Credentials in errors are masked."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from orchestra.report import mask

if TYPE_CHECKING:
    from orchestra.status.model import Alert, Job, Pause, Runs, Snapshot, Traffic, Workload
    from orchestra.status.source import Look

FORMAT_VERSION = 1


def render(looks: Sequence[Look], *, several: bool, indent: int | None = 2) -> str:
    """One object; on one line with `indent` None. `several`: one for each environment, under `databases`."""
    if several:
        document: dict[str, Any] = {
            "format_version": FORMAT_VERSION,
            "databases": [{"environment": look.name, **_look(look)} for look in looks],
        }
    else:
        (look,) = looks
        document = {"format_version": FORMAT_VERSION, **_look(look)}
    return json.dumps(document, indent=indent, allow_nan=False, ensure_ascii=True) + "\n"


def _look(look: Look) -> dict[str, Any]:
    return {"fault": _masked(look.fault), **(_snapshot(look.found) if look.found is not None else {})}


def _snapshot(found: Snapshot) -> dict[str, Any]:
    return {
        "at": _time(found.at),
        "database": found.database,
        "role": found.role,
        "ok": not found.alerts,
        "alerts": [_alert(a) for a in found.alerts],
        "projects": [
            {
                "project": p.name,
                "environment": p.environment,
                "paused": p.paused,
                "pause": _pause(p.pause),
                "kept_house_at": _time(p.kept_house_at),
                "jobs_visible": p.sees_jobs,
            }
            for p in found.projects
        ],
        "workloads": [_workload(w) for w in found.workloads],
        "jobs": [_job(j) for j in found.jobs],
        "jobs_recorded_since": _time(found.recorded_since),
        "has_cron": found.has_cron,
        "calls": None
        if found.calls is None
        else {
            "answers": found.calls.answers,
            "failed": found.calls.failed,
            "queued": found.calls.queued,
            "last_error": _masked(found.calls.last_error),
        },
        "oldest_snapshot_seconds": found.oldest_snapshot,
    }


def _alert(alert: Alert) -> dict[str, Any]:
    return {
        "project": alert.project,
        "workload": alert.workload,
        "job": alert.job,
        "kind": alert.kind,
        "reason": mask.text(alert.reason),
    }


def _workload(w: Workload) -> dict[str, Any]:
    return {
        "project": w.project,
        "workload": w.name,
        "pattern": w.pattern,
        "handler": w.handler,
        "paused": w.paused,
        "pause": _pause(w.pause),
        "depth": w.depth,
        "depth_is_estimate": w.depth_is_estimate,
        "waiting": w.waiting,
        "oldest_waiting_seconds": w.oldest_waiting,
        "in_flight": w.in_flight,
        "workers": w.workers,
        "slots": w.slots,
        "retrying": w.retrying,
        "runs_going_on": w.runs_going_on,
        "calls_going_on": w.calls_going_on,
        "dead_letters": w.dead_letters,
        "failed_last_hour": w.failed_lately,
        "last_failed_at": _time(w.last_failed_at),
        "last_error": _masked(w.last_error),
        "traffic": _traffic(w.traffic),
        "enqueued_total": w.came_ever,
        "removed_total": w.gone_ever,
        "wanted_contract": w.wanted,
        "deployed_contract": w.deployed,
        "last_wake_at": _time(w.last_wake_at),
        "wakes_missed": w.wakes_missed,
        "wake_error": _masked(w.wake_error),
        "dropped": w.dropped,
        "max_depth": w.max_depth,
        "max_age_seconds": w.max_age,
        "fault": _masked(w.fault),
        "runs": _runs(w.runs),
    }


def _traffic(traffic: Traffic | None) -> dict[str, Any] | None:
    if traffic is None:
        return None
    return {
        "came": traffic.came,
        "ended": traffic.ended,
        "failed": traffic.failed,
        "over_seconds": traffic.over,
        "from_own_looks": traffic.own,
    }


def _runs(runs: Runs | None) -> dict[str, Any] | None:
    if runs is None:
        return None
    return {
        "next_at": _time(runs.next_at),
        "last_at": _time(runs.last_at),
        "last_status": runs.last_status,
        "last_error": _masked(runs.last_error),
        "retry_at": _time(runs.retry_at),
        "missed": _time(runs.missed),
    }


def _job(job: Job) -> dict[str, Any]:
    return {
        "project": job.project,
        "job": job.name,
        "workload": job.workload,
        "jobid": job.jobid,
        "schedule": job.schedule,
        "as_applied": job.as_applied,
        "active": job.active,
        "database": job.database,
        "role": job.username,
        "last_start_at": _time(job.last_start),
        "running": job.running,
        "failing": job.failing,
        "message": _masked(job.message or None),
    }


def _pause(pause: Pause | None) -> dict[str, Any] | None:
    if pause is None:
        return None
    return {
        "at": _time(pause.at),
        "role": pause.role,
        "actor": pause.actor,
        "reason": _masked(pause.reason),
    }


def _masked(text: str | None) -> str | None:
    return mask.text(text) if text is not None else None


def _time(at: datetime | None) -> str | None:
    return at.astimezone(UTC).isoformat().replace("+00:00", "Z") if at is not None else None
