"""Findings as people see them."""

from __future__ import annotations

from pathlib import Path

import pytest

from orchestra.diagnostics import Diagnostic, Label, Severity, Span
from orchestra.report import text
from orchestra.report.cells import width
from orchestra.report.style import Style

GOLDEN = Path(__file__).parent / "golden"
FILE = "orchestra.yaml"
SOURCE = """\
version: 1
workloads:
  bulk-import:
    summary: "Import 🇩🇪 👩‍👩‍👧 日本語 catalogue"
    duration: {typical: 400ms, max: 20s}
\tvisibility_timeout: 5s
    run: {sql: "delete from app.sessions where expires_at < now() and id in (select id from app.old) and tenant = 'x'"}
  bulk-import: {}
"""


def finding(needle: str, line: int, code: str = "E301", **more: object) -> Diagnostic:
    column = SOURCE.split("\n")[line - 1].index(needle) + 1
    severity = Severity.ERROR if code[0] == "E" else Severity.WARNING
    span = Span(FILE, line, column, line, column + len(needle))
    return Diagnostic(code, severity, more.pop("message", f"{needle} is wrong"), span, **more)  # type: ignore[arg-type]


FINDINGS = [
    finding("日本語", 4, "W310", message="a summary should be ASCII"),
    finding(
        "5s",
        6,
        message="the lease (5 s) is shorter than the work (20 s)",
        why="Another worker takes the message while the first is still at it, so every long item runs twice.",
        help="write `visibility_timeout: 50s`, or leave it out:\n  duration: {max: 20s}\nmakes it 50 s",
        labels=(Label(finding("20s", 5).span, "the work takes 20 s"),),
    ),
    finding("tenant", 7, "W311"),
    finding(
        "bulk-import",
        8,
        "E112",
        message="workload bulk-import is declared twice",
        labels=(
            Label(finding("bulk-import", 3).span, "first here"),
            Label(Span("more/extra.yaml", 2, 1, 2, 5), "and here"),
        ),
    ),
    Diagnostic("E101", Severity.ERROR, "there is no such file", Span("gone.yaml", 1, 1, 1, 1)),
]
SOURCES = {FILE: SOURCE, "more/extra.yaml": "a: 1\nbulk: 2\n"}


@pytest.mark.parametrize("cells", [60, 80, 120])
def test_findings_as_text(golden, cells: int) -> None:
    golden(GOLDEN / f"findings-{cells}.txt", text.render(FINDINGS, SOURCES, Style(cells)))


def test_findings_in_colour(golden) -> None:
    golden(GOLDEN / "findings-colour.txt", text.render(FINDINGS[:2], SOURCES, Style(80, colour=True)))


def test_no_line_is_wider_than_the_terminal() -> None:
    for cells in (50, 80, 119):
        rendered = text.render(FINDINGS, SOURCES, Style(cells))
        assert max(map(width, rendered.split("\n"))) <= cells


@pytest.mark.parametrize("number", range(3))
def test_the_caret_stands_under_the_place(number: int) -> None:
    """Measured in cells: before it are tabs, wide characters, flags and joined emoji."""
    found = FINDINGS[number]
    for cells in (60, 80, 200):
        rows = text.render([found], SOURCES, Style(cells)).split("\n")
        at = next(i for i, row in enumerate(rows) if "^" in row)
        begin = rows[at].index("^")
        taken = 0
        for i in range(len(rows[at - 1]) + 1):
            taken = width(rows[at - 1][:i])
            if taken == begin and rows[at - 1][i : i + 1].strip():
                break
        marked = rows[at - 1][i:]
        assert marked.startswith(SOURCE.split("\n")[found.span.line - 1][found.span.column - 1 :][:2])
        assert rows[at].count("^") == width(
            SOURCE.split("\n")[found.span.line - 1][found.span.column - 1 : found.span.end_column - 1]
        )


def test_the_order_in_which_findings_come_does_not_matter() -> None:
    assert text.render(FINDINGS, SOURCES) == text.render(FINDINGS[::-1], SOURCES)


def test_nothing_found_is_nothing_said() -> None:
    assert text.render([], SOURCES) == ""


def test_a_summary_counts_errors_warnings_and_files() -> None:
    assert text.summary(FINDINGS) == "3 errors, 2 warnings in 2 files"
    assert text.summary(FINDINGS[:1]) == "1 warning in 1 file"


@pytest.mark.parametrize(("line", "column"), [(1, 500), (9, 1), (40, 7), (1, 0)])
def test_a_span_outside_of_the_file_is_shown_without_a_fault(line: int, column: int) -> None:
    found = Diagnostic("E100", Severity.ERROR, "odd", Span(FILE, line, column, line, column + 3))
    assert "^" in text.render([found], SOURCES)


def test_a_span_of_several_lines_is_underlined_on_the_first() -> None:
    found = Diagnostic("E100", Severity.ERROR, "all of it", Span(FILE, 2, 1, 5, 3))
    assert "^" * len("workloads:") in text.render([found], SOURCES)


def test_text_cannot_drive_the_terminal() -> None:
    """Neither from the message nor from the file."""
    found = Diagnostic(
        "E100", Severity.ERROR, "a\x1b[2Jb\u202ec", Span("x", 1, 1, 1, 2), "w\x07", "h\x1b]0;t\x07"
    )
    rendered = text.render([found], {"x": "\x1b[31mred\x1b[0m \u2066"})
    assert not {"\x1b", "\x07", "\u202e", "\u2066"} & set(rendered)
