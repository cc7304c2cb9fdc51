"""The difference of two specs as JSON: `schemas/diff.v2.schema.json`."""

from __future__ import annotations

import json

from orchestra.plan.model import Difference, tally
from orchestra.report import change_json, load_json, masked

FORMAT_VERSION = 2


def dump(found: Difference) -> str:
    """ASCII only, the same for the same difference."""
    shown = masked.difference(found)
    document = {
        "format_version": FORMAT_VERSION,
        "project": shown.project,
        "base": shown.base,
        "transition": shown.transition,
        "summary": tally(shown.changes),
        "changes": [change_json.encode(change) for change in shown.changes],
        "conditions": [change_json.encode_condition(item) for item in shown.conditions],
        "blockers": [change_json.encode_blocker(item) for item in shown.blockers],
        "load": None if shown.load is None else load_json.encode(shown.load),
    }
    return json.dumps(document, indent=2, allow_nan=False) + "\n"
