"""The history of a project as JSON: `schemas/history.v1.schema.json`. Credentials are masked."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

from orchestra.history.model import Deployment, Entry, History
from orchestra.live.ledger_rows import VerbRow
from orchestra.report import change_json, mask, masked

FORMAT_VERSION = 1
_SHOWN = ("address", "action", "category", "reasons", "fields", "hazards", "drift")


def render(history: History) -> str:
    """A list: deployments and what operators did, the newest first."""
    return _text(
        {
            "format_version": FORMAT_VERSION,
            "project": history.project,
            "entries": [_entry(entry) for entry in history.entries],
            "more": history.more,
            "more_verbs": history.more_verbs,
        }
    )


def show(project: str, deployment: Deployment) -> str:
    """One deployment with the changes of each of its transactions."""
    transactions = [
        {
            "number": t.row.id,
            "batch": t.row.batch,
            "at": _time(t.row.deployed_at),
            "changes": [_change(c) for c in t.changes],
        }
        for t in deployment.transactions
    ]
    found = {**_deployment(deployment), "transactions": transactions}
    return _text({"format_version": FORMAT_VERSION, "project": project, "deployment": found})


def _text(document: dict[str, Any]) -> str:
    return json.dumps(document, indent=2, allow_nan=False) + "\n"


def _entry(entry: Entry) -> dict[str, Any]:
    return {"type": "verb", **_verb(entry)} if isinstance(entry, VerbRow) else _deployment(entry)


def _deployment(deployment: Deployment) -> dict[str, Any]:
    row = deployment.last
    return {
        "type": "deployment",
        "number": deployment.number,
        "numbers": [t.row.id for t in deployment.transactions],
        "at": _time(deployment.at),
        "actor": _masked(row.actor),
        "role": row.role,
        "back_to": row.back_to,
        "git_commit": _masked(row.git_commit),
        "tool_version": row.tool_version,
        "environment": row.environment,
        "plan_hash": row.plan_hash,
        "batches": row.batches,
        "whole": deployment.is_whole,
        **deployment.counts,
    }


def _verb(row: VerbRow) -> dict[str, Any]:
    return {
        "at": _time(row.at),
        "actor": _masked(row.actor),
        "role": row.role,
        "verb": row.verb,
        "workload": row.workload,
        "detail": mask.json(dict(row.detail)),
    }


def _change(change: Any) -> dict[str, Any]:
    document = change_json.encode(masked.change(change))
    return {name: document[name] for name in _SHOWN}


def _masked(text: str | None) -> str | None:
    return None if text is None else mask.text(text)


def _time(time: datetime) -> str:
    return time.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
