"""The JSON Schemas: in a wheel they lie inside the package, in a checkout beside it."""

from __future__ import annotations

from importlib.resources import files

NAMES = {"spec": "orchestra", "plan": "plan", "explain": "explain", "check": "diagnostics", "diff": "diff"}
"""What a command calls a schema, and the file that holds it."""


def text(name: str) -> str:
    package = files("orchestra")
    file = f"{NAMES[name]}.v1.schema.json"
    for place in (package.joinpath("_schemas"), package.joinpath("..", "schemas")):
        found = place.joinpath(file)
        if found.is_file():
            return found.read_text(encoding="utf-8")
    raise FileNotFoundError(file)
