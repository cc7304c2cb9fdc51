"""Findings as workflow commands, which GitHub shows beside the lines of a pull request."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from orchestra.diagnostics import Diagnostic
from orchestra.report.order import in_order
from orchestra.report.rule_doc import RuleDoc
from orchestra.report.style import PLAIN, Style


def render(
    diagnostics: Sequence[Diagnostic],
    sources: Mapping[str, str] | None = None,
    style: Style = PLAIN,
    rules: Sequence[RuleDoc] = (),
) -> str:
    """One line a finding: `::error file=orchestra.yaml,line=3,col=5,title=E301::message`."""
    return "".join(f"{_command(d)}\n" for d in in_order(diagnostics))


def _command(diagnostic: Diagnostic) -> str:
    span = diagnostic.span
    places = {
        "file": span.file.replace("\\", "/").removeprefix("./"),
        "line": span.line,
        "endLine": span.end_line,
        "col": span.column,
    }
    if span.end_line == span.line:
        # GitHub takes an end column, inclusive, only where both ends are on one line.
        places["endColumn"] = max(span.column, span.end_column - 1)
    places["title"] = f"{diagnostic.code}: {diagnostic.message}"
    properties = ",".join(f"{name}={_property(str(value))}" for name, value in places.items())
    body = [diagnostic.message]
    body += [f"why: {diagnostic.why}"] if diagnostic.why else []
    body += [f"help: {diagnostic.help}"] if diagnostic.help else []
    body += [f"{label.span}: {label.message}" for label in diagnostic.labels]
    return f"::{diagnostic.severity} {properties}::{_data(chr(10).join(body))}"


def _data(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")
