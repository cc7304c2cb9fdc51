"""Values in a plan: one line where they fit, a diff of lines where they do not."""

from __future__ import annotations

import json
from collections.abc import Sequence
from difflib import unified_diff

from orchestra.ir.program import Json
from orchestra.report.cells import visible

CONTEXT = 2


def brief(value: Json) -> str:
    """A value on one line: text in quotes (JSON text without), nothing as `(none)`, the rest as JSON."""
    match value:
        case None:
            return "(none)"
        case str() if _is_json(value):
            return visible(value, keep="")
        case str():
            return '"' + visible(value, keep="").replace('"', '\\"') + '"'
        case _:
            return visible(json.dumps(value, ensure_ascii=False), keep="")


def is_long(value: Json) -> bool:
    """Whether a value never goes on one line: text of several."""
    return isinstance(value, str) and "\n" in value.strip("\n")


def lines(value: Json) -> list[str]:
    """A value in lines: text as it stands, JSON laid out."""
    if isinstance(value, str) and is_long(value) and not _is_json(value):
        return visible(value).strip("\n").split("\n")
    if isinstance(value, str) and _is_json(value):
        value = json.loads(value)
    if isinstance(value, (dict, list)) and value:
        return visible(json.dumps(value, indent=2, ensure_ascii=False)).split("\n")
    return [visible(value)] if isinstance(value, str) else [brief(value)]


def _is_json(text: str) -> bool:
    """Whether text holds an object or a list as JSON: what resources keep their structures in."""
    if text[:1] not in ("{", "["):
        return False
    try:
        json.loads(text)
    except (ValueError, RecursionError):
        return False
    return True


def diff(before: Sequence[str], after: Sequence[str]) -> list[str]:
    """A unified diff without its two headers and without line numbers; `@@` parts what is not adjacent."""
    rows = list(unified_diff(before, after, n=CONTEXT, lineterm=""))[2:]
    out = ["@@" if row.startswith("@@") else row for row in rows]
    return out[1:] if out[:1] == ["@@"] and rows[0].startswith(("@@ -1,", "@@ -1 ", "@@ -0,0")) else out
