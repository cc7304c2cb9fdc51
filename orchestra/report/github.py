"""Findings as workflow commands, which GitHub shows beside the lines of a pull request."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from orchestra.diagnostics import Diagnostic
from orchestra.report.order import in_order
from orchestra.report.rule_doc import RuleDoc
from orchestra.report.style import PLAIN, Style
from orchestra.report.workflow_commands import command, places


def render(
    diagnostics: Sequence[Diagnostic],
    sources: Mapping[str, str] | None = None,
    style: Style = PLAIN,
    rules: Sequence[RuleDoc] = (),
) -> str:
    """One line a finding: `::error file=orchestra.yaml,line=3,col=5,title=E301::message`."""
    return "".join(f"{_command(d)}\n" for d in in_order(diagnostics))


def _command(diagnostic: Diagnostic) -> str:
    named = {**places(diagnostic.span), "title": f"{diagnostic.code}: {diagnostic.message}"}
    body = [diagnostic.message]
    body += [f"why: {diagnostic.why}"] if diagnostic.why else []
    body += [f"help: {diagnostic.help}"] if diagnostic.help else []
    body += [f"{label.span}: {label.message}" for label in diagnostic.labels]
    return command(diagnostic.severity, named, "\n".join(body))
