"""GitHub's workflow commands: one line each, nothing in it able to end it or to begin another."""

from __future__ import annotations

from collections.abc import Mapping

from orchestra.diagnostics import Span


def command(level: str, places: Mapping[str, object], body: str) -> str:
    """`::error file=orchestra.yaml,line=3,title=E301::message`; `level` is `error`, `warning` or `notice`."""
    properties = ",".join(f"{name}={_property(str(value))}" for name, value in places.items())
    return f"::{level} {properties}::{_data(body)}" if properties else f"::{level}::{_data(body)}"


def places(span: Span | None) -> dict[str, object]:
    """What GitHub wants to know of a place in a file; nothing for none."""
    if span is None:
        return {}
    found: dict[str, object] = {
        "file": span.file.replace("\\", "/").removeprefix("./"),
        "line": span.line,
        "endLine": span.end_line,
        "col": span.column,
    }
    if span.end_line == span.line:
        # GitHub takes an end column, inclusive, only where both ends are on one line.
        found["endColumn"] = max(span.column, span.end_column - 1)
    return found


def _data(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")
