"""The JSON Schemas that come with orchestra: in a wheel they lie inside the package, in a checkout beside it."""

from __future__ import annotations

from importlib.resources import files


def text(file: str) -> str:
    """The text of `orchestra.v1.schema.json` and its like."""
    package = files("orchestra")
    for place in (package.joinpath("_schemas"), package.joinpath("..", "schemas")):
        found = place.joinpath(file)
        if found.is_file():
            return found.read_text(encoding="utf-8")
    raise FileNotFoundError(file)
