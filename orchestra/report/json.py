"""Findings as JSON, as `schemas/diagnostics.v1.schema.json` describes it."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from orchestra.diagnostics import Diagnostic, Span
from orchestra.report.order import in_order
from orchestra.report.rule_doc import RuleDoc
from orchestra.report.style import PLAIN, Style

FORMAT_VERSION = 1


def render(
    diagnostics: Sequence[Diagnostic],
    sources: Mapping[str, str] | None = None,
    style: Style = PLAIN,
    rules: Sequence[RuleDoc] = (),
) -> str:
    errors = sum(d.is_error for d in diagnostics)
    document = {
        "format_version": FORMAT_VERSION,
        "diagnostics": [_diagnostic(d) for d in in_order(diagnostics)],
        "summary": {
            "errors": errors,
            "warnings": len(diagnostics) - errors,
            "files": len({d.span.file for d in diagnostics}),
        },
    }
    return json.dumps(document, indent=2) + "\n"


def _diagnostic(diagnostic: Diagnostic) -> dict[str, Any]:
    return {
        "code": diagnostic.code,
        "severity": diagnostic.severity.value,
        "message": diagnostic.message,
        "why": diagnostic.why,
        "help": diagnostic.help,
        "location": _location(diagnostic.span),
        "labels": [{"message": x.message, "location": _location(x.span)} for x in diagnostic.labels],
    }


def _location(span: Span) -> dict[str, Any]:
    return {
        "file": span.file,
        "line": span.line,
        "column": span.column,
        "end_line": span.end_line,
        "end_column": span.end_column,
    }
