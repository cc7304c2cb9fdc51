"""The JSON Schemas by the names that the command line has for them."""

from __future__ import annotations

from orchestra.spec import shipped

NAMES = {"spec": "orchestra", "plan": "plan", "explain": "explain", "check": "diagnostics", "diff": "diff"}
"""What a command calls a schema, and the file that holds it."""


def text(name: str) -> str:
    return shipped.text(f"{NAMES[name]}.v1.schema.json")
