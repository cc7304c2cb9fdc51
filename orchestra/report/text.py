"""Findings for people, in the manner of rustc and Gleam: what, where, why, and how to mend."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from orchestra.diagnostics import Diagnostic
from orchestra.report import snippet
from orchestra.report.cells import visible, wrap
from orchestra.report.order import in_order
from orchestra.report.rule_doc import RuleDoc
from orchestra.report.style import PLAIN, Style
from orchestra.report.words import count


def render(
    diagnostics: Sequence[Diagnostic],
    sources: Mapping[str, str] | None = None,
    style: Style = PLAIN,
    rules: Sequence[RuleDoc] = (),
) -> str:
    """Every finding, by file and line, and a line that counts them; empty without findings.

    `sources` maps a file, as its spans name it, to its text; a file that is not in it is named without its
    lines.
    """
    if not diagnostics:
        return ""
    blocks = ["\n".join(_finding(d, sources or {}, style)) for d in in_order(diagnostics)]
    return "\n\n".join([*blocks, summary(diagnostics, style)]) + "\n"


def summary(diagnostics: Sequence[Diagnostic], style: Style = PLAIN) -> str:
    """`3 errors, 1 warning in 2 files`."""
    errors = sum(d.is_error for d in diagnostics)
    warnings = len(diagnostics) - errors
    parts = [
        style.paint(count(errors, "error"), "bold", "red") if errors else "",
        style.paint(count(warnings, "warning"), "bold", "yellow") if warnings else "",
    ]
    files = len({d.span.file for d in diagnostics})
    return f"{', '.join(filter(None, parts))} in {count(files, 'file')}"


def _finding(diagnostic: Diagnostic, sources: Mapping[str, str], style: Style) -> list[str]:
    colour = "red" if diagnostic.is_error else "yellow"
    head = f"{diagnostic.severity}[{diagnostic.code}]"
    first, *more = wrap(f"{head}: {visible(diagnostic.message)}", style.width)
    lines = [style.paint(head, "bold", colour) + style.bold(first.removeprefix(head))]
    lines += [style.bold(line) for line in more]
    lines += snippet.render(diagnostic, sources, style, colour)
    for word, note, look in (("why", diagnostic.why, "blue"), ("help", diagnostic.help, "green")):
        if note:
            lines += _note(word, visible(note), style, look)
    return lines


def _note(word: str, note: str, style: Style, look: str) -> list[str]:
    """`  why: …`, its further lines hanging under the first."""
    indent = " " * 8
    lines = wrap(note, max(30, style.width - len(indent)))
    head = style.paint(f"{word:>6}:", "bold", look)
    return [f"{head} {lines[0]}", *(f"{indent}{line}".rstrip() for line in lines[1:])]
