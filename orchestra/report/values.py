"""Values in a plan: one line where they fit, a diff of lines where they do not."""

from __future__ import annotations

import json
from collections.abc import Sequence
from difflib import unified_diff

from orchestra.ir.program import Json
from orchestra.report.cells import visible

CONTEXT = 2


def brief(value: Json) -> str:
    """A value on one line: text in quotes, the rest as JSON."""
    if isinstance(value, str):
        return '"' + visible(value, keep="").replace('"', '\\"') + '"'
    return visible(json.dumps(value, ensure_ascii=False), keep="")


def lines(value: Json) -> list[str] | None:
    """The lines of a value that is best read in lines (SQL, JSON text, long lists), else None."""
    if isinstance(value, str):
        if value[:1] in "{[" and value:
            try:
                return lines(json.loads(value))
            except ValueError:
                pass
        return visible(value).strip("\n").split("\n") if "\n" in value.strip("\n") else None
    if isinstance(value, (dict, list)) and value:
        return visible(json.dumps(value, indent=2, ensure_ascii=False)).split("\n")
    return None


def diff(before: Sequence[str], after: Sequence[str]) -> list[str]:
    """A unified diff without its two headers and without line numbers; `@@` parts what is not adjacent."""
    rows = list(unified_diff(before, after, n=CONTEXT, lineterm=""))[2:]
    out = ["@@" if row.startswith("@@") else row for row in rows]
    return out[1:] if out[:1] == ["@@"] and rows[0].startswith(("@@ -1,", "@@ -1 ", "@@ -0,0")) else out
