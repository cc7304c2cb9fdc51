"""A plan as a file: `schemas/plan.v2.schema.json`; files of format 1 are read as well.

What people read in it (fields, facts, texts) is masked always. What apply runs (`statements`, `desired`) is
written as it is, for a plan runs exactly what it shows. Where even that holds what looks like a credential,
it is masked too and the file says `"runnable": false` with the addresses under `masked`: it can be reviewed,
and apply refuses it. Apply the spec itself then, or better, move the secret to Vault, as rule E5xx asks
anyhow.

`plan_hash` is over everything else in the file. It finds damage and careless edits; it is no signature.
"""

from __future__ import annotations

import hashlib
import json
from typing import Any

from orchestra.errors import UsageError
from orchestra.plan.model import Plan, tally
from orchestra.report import change_json, masked
from orchestra.report.decode import Fields, NotAPlan

FORMAT_VERSION = 2
OLDEST_READ = 1
"""The oldest format that is still read: what it did not know means nothing there."""

_REMEDY = "make a new one with: orchestra plan --out FILE"


def dump(plan: Plan) -> str:
    """The text of a plan file, ASCII only, the same for the same plan. ValueError for NaN and infinity."""
    document = _document(plan)
    return json.dumps({**document, "plan_hash": _hash(document)}, indent=2, allow_nan=False) + "\n"


def digest(plan: Plan) -> str:
    """The `plan_hash` that `dump` writes: `sha256:` and 64 digits."""
    return _hash(_document(plan))


def is_plan(text: str) -> bool:
    """Whether a file means to be a plan at all, whole or not, so that it is not read as a spec."""
    return text.lstrip()[:1] == "{" and '"format_version"' in text[:1_000]


def load(text: str, *, to_run: bool = True) -> Plan:
    """The plan that `dump` wrote. UsageError for what is foreign, newer, damaged or edited; and, where it is meant to
    be run, for what is not runnable.
    """
    try:
        document = json.loads(text, object_pairs_hook=_no_duplicates, parse_constant=_no_constant)
    except RecursionError:
        raise UsageError("the plan file is nested too deeply to be one", _REMEDY) from None
    except ValueError as error:
        raise UsageError(f"the plan file is not JSON: {error}", _REMEDY) from None
    if not isinstance(document, dict) or not {"format_version", "plan_hash"} <= document.keys():
        raise UsageError("the file is no plan of orchestra", _REMEDY)
    version = document["format_version"]
    if isinstance(version, bool) or version not in range(OLDEST_READ, FORMAT_VERSION + 1):
        newer = isinstance(version, int) and version > FORMAT_VERSION
        raise UsageError(
            f"the plan file has format {version!r}, and this orchestra reads {OLDEST_READ} to {FORMAT_VERSION}",
            "apply it with the orchestra that made it, or make a new one" if newer else _REMEDY,
        )
    said = document.pop("plan_hash")
    if said != _hash(document):
        raise UsageError("the plan file was changed after it was made: its plan_hash does not fit", _REMEDY)
    try:
        return _plan(Fields(document), version, to_run=to_run)
    except (NotAPlan, ValueError) as error:
        raise UsageError(f"the plan file is no plan of orchestra: {error}", _REMEDY) from None


def _hash(document: dict[str, Any]) -> str:
    text = json.dumps(document, sort_keys=True, separators=(",", ":"), allow_nan=False)
    return f"sha256:{hashlib.sha256(text.encode()).hexdigest()}"


def _document(plan: Plan) -> dict[str, Any]:
    shown, hidden = _shown(plan)
    return {
        "format_version": FORMAT_VERSION,
        "tool_version": shown.tool_version,
        "project": shown.project,
        "target": {
            "host": shown.target.host,
            "database": shown.target.database,
            "role": shown.target.role,
            "server_version": shown.target.server_version,
            "environment": shown.target.environment,
            "where": shown.target.where,
            "identity": shown.target.identity,
        },
        "runnable": not hidden,
        "masked": hidden,
        "destroying": shown.destroying,
        "refresh_only": shown.refresh_only,
        "transition": shown.transition,
        "approved_until": shown.approved_until,
        "summary": {**tally(plan.changes), "unchanged": plan.unchanged},
        "changes": [change_json.encode(change) for change in shown.changes],
        "conditions": [change_json.encode_condition(item) for item in shown.conditions],
        "blockers": [change_json.encode_blocker(item) for item in shown.blockers],
        "batches": list(shown.batches),
        "desired": [{"address": str(address), "values": values} for address, values in shown.desired],
        "round_trips": shown.round_trips,
    }


def _shown(plan: Plan) -> tuple[Plan, list[str]]:
    """The plan as it is written, and the addresses of what apply would need and a file must not hold."""
    safe = masked.plan(plan)
    hidden = {
        str(c.address)
        for c, m in zip(plan.changes, safe.changes, strict=True)
        if c is not m and c.statements != m.statements
    }
    hidden |= {
        str(a) for (a, v), (_, m) in zip(plan.desired, safe.desired, strict=True) if v is not m and v != m
    }
    return safe, sorted(hidden)


_SINCE_2 = ("refresh_only", "transition", "approved_until")
_KEYS = (
    "format_version",
    "tool_version",
    "project",
    "target",
    "runnable",
    "masked",
    "destroying",
    *_SINCE_2,
    "summary",
    "changes",
    "conditions",
    "blockers",
    "batches",
    "desired",
    "round_trips",
)


def _plan(fields: Fields, version: int, *, to_run: bool) -> Plan:
    approvals = version >= 2
    fields.only(*(key for key in _KEYS if approvals or key not in _SINCE_2))
    if not fields.flag("runnable") and to_run:
        raise UsageError(
            "the plan file cannot be applied: what looks like a secret was left out of "
            + ", ".join(fields.texts("masked")),
            "move the secret to Vault, or apply the spec itself instead of a saved plan",
        )
    plan = Plan(
        project=fields.text("project"),
        target=change_json.target(fields.child("target")),
        tool_version=fields.text("tool_version"),
        changes=tuple(change_json.decode(item, version) for item in fields.children("changes")),
        conditions=tuple(change_json.condition(item) for item in fields.children("conditions")),
        blockers=tuple(change_json.blocker(item) for item in fields.children("blockers")),
        batches=tuple(fields.numbers("batches")),
        desired=tuple(change_json.desired(item) for item in fields.children("desired")),
        unchanged=fields.child("summary").number("unchanged"),
        round_trips=fields.number("round_trips"),
        destroying=fields.flag("destroying"),
        refresh_only=fields.flag("refresh_only") if approvals else False,
        transition=fields.text("transition") if approvals else "",
        approved_until=fields.text("approved_until") if approvals else "",
    )
    _consistent(plan)
    return plan


def _consistent(plan: Plan) -> None:
    """The two things that apply builds upon and that types do not say."""
    if plan.changes and not plan.refresh_only and sum(plan.batches) != len(plan.changes):
        raise NotAPlan("its batches do not add up to its changes")
    if len({address for address, _ in plan.desired}) != len(plan.desired):
        raise NotAPlan("an address is desired twice")


def _no_duplicates(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a key stands twice in one object")
    return found


def _no_constant(name: str) -> Any:
    raise ValueError(f"{name} is no JSON")
