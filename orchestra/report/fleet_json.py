"""A fleet as one document, `schemas/fleet.v1.schema.json`, and the index of its saved plans,
`schemas/fleet-index.v1.schema.json`."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from orchestra.errors import UsageError
from orchestra.fleet.groups import Group
from orchestra.fleet.model import Outcome, Result
from orchestra.fleet.report import Report, counted
from orchestra.plan.model import tally
from orchestra.report import change_json, mask, masked
from orchestra.report.decode import Fields, NotAPlan

FORMAT_VERSION: Final = 1
INDEX: Final = "index.json"
_KIND: Final = "orchestra fleet plan"


def dump(report: Report) -> str:
    """The text of the document. `plans` holds each plan once, `results` says by number which one a database has."""
    numbers = {name: n for n, group in enumerate(report.groups) for name in group.environments}
    document = {
        "format_version": FORMAT_VERSION,
        "tool_version": report.tool_version,
        "project": report.project,
        "command": report.command,
        "exit_code": report.exit_code,
        "parallel": report.parallel,
        "seconds": round(report.seconds, 3),
        "summary": {
            "databases": len(report.results),
            **{_word(outcome): n for outcome, n in counted(report.results).items()},
        },
        "plans": [_group(group) for group in report.groups],
        "results": [_result(result, numbers.get(result.environment)) for result in report.results],
    }
    return json.dumps(document, indent=2, allow_nan=False) + "\n"


def _word(outcome: Outcome) -> str:
    return outcome.value.replace(" ", "_")


def _group(group: Group) -> dict[str, Any]:
    shown = masked.plan(group.plan)
    return {
        "environments": list(group.environments),
        "summary": {**tally(shown.changes), "unchanged": shown.unchanged},
        "changes": [change_json.encode(change) for change in shown.changes],
        "conditions": [change_json.encode_condition(item) for item in shown.conditions],
        "blockers": [change_json.encode_blocker(item) for item in shown.blockers],
        "approvals": [
            {"environment": a.environment, "approval": a.approval, "message": mask.text(a.message)}
            for a in group.approvals
        ],
    }


def _result(result: Result, plan: int | None) -> dict[str, Any]:
    return {
        "environment": result.environment,
        "database": result.database,
        "outcome": _word(result.outcome),
        "add": result.add,
        "change": result.change,
        "destroy": result.destroy,
        "seconds": result.seconds,
        "plan": plan,
        "plan_hash": result.plan_hash or None,
        "deployment_ids": list(result.deployments),
        "error": {"message": result.error, "remedy": result.remedy} if result.error else None,
    }


@dataclass(frozen=True, slots=True)
class Saved:
    """One plan of a folder: `file` lies beside the index."""

    environment: str
    file: str
    plan_hash: str


def index(project: str, tool_version: str, plans: Sequence[Saved]) -> str:
    rows = [{"environment": p.environment, "file": p.file, "plan_hash": p.plan_hash} for p in plans]
    document = {
        "format_version": FORMAT_VERSION,
        "kind": _KIND,
        "tool_version": tool_version,
        "project": project,
        "plans": rows,
    }
    return json.dumps(document, indent=2) + "\n"


def is_index(text: str) -> bool:
    return text.lstrip()[:1] == "{" and f'"{_KIND}"' in text[:1_000]


def load_index(text: str) -> tuple[str, tuple[Saved, ...]]:
    """The project and its plans. UsageError for what is newer or no index."""
    remedy = "make the folder anew with: orchestra plan --env 'NAME-*' --out DIR"
    try:
        fields = Fields(json.loads(text))
        version = fields.number("format_version")
        if version != FORMAT_VERSION:
            raise UsageError(
                f"the folder of plans has format {version}, and this orchestra reads {FORMAT_VERSION}", remedy
            )
        fields.only("format_version", "kind", "tool_version", "project", "plans")
        rows = [
            Saved(row.text("environment"), row.text("file"), row.text("plan_hash"))
            for row in fields.children("plans")
        ]
        project = fields.text("project")
    except (NotAPlan, ValueError, RecursionError) as error:
        raise UsageError(f"{INDEX} is no index of plans: {error}", remedy) from None
    if len({row.environment for row in rows}) != len(rows):
        raise UsageError(f"{INDEX} names an environment twice", remedy)
    for row in rows:
        if "/" in row.file or "\\" in row.file or row.file.startswith("."):
            raise UsageError(f"{INDEX} names a file that does not lie beside it", remedy)
    return project, tuple(rows)
