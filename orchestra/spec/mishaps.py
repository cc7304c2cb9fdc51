"""What can be wrong with YAML as such, in our words."""

from __future__ import annotations

from typing import Final

import yaml

from orchestra.diagnostics import Diagnostic, Label, Span
from orchestra.spec.faults import fault, top_of
from orchestra.spec.limits import MAX_DEPTH, MAX_NODES

# libyaml's problem -> what is wrong, what to do. The first entry whose text is part of the problem counts.
_WORDS: Final[tuple[tuple[str, str, str], ...]] = (
    ("mapping values are not allowed", "a `:` is not expected here",
     "Put quotes around a value that holds `: `, and check the indentation of this line."),
    ("could not find expected ':'", "a key without its `:`",
     "End the key with `: `, put the value in quotes, or check where a quote or a bracket was left open."),
    ("expected ',' or '}'", "a `{` that is not closed",
     "Put a comma between the entries and close with `}`; quote values that hold `,`, `{` or `}`."),
    ("expected ',' or ']'", "a `[` that is not closed",
     "Put a comma between the items and close with `]`; quote items that hold `,`, `[` or `]`."),
    ("did not find expected key", "this line does not fit the indentation around it",
     "Indent the keys of one mapping alike; what follows a closing quote or bracket needs its own line."),
    ("did not find expected '-' indicator", "this line does not fit the list around it",
     "Indent the items of one list alike, each beginning with `- `."),
    ("did not find expected node content", "a value is missing here",
     "Write a value, or remove the comma or bracket that is too many."),
    ("block sequence entries are not allowed", "a list may not begin here",
     "Begin the list on a line of its own, below its key."),
    ("mapping keys are not allowed", "a `?` is not expected here", "Write `key: value`."),
    ("found unexpected end of stream", "a quote that is not closed", "Close the quote."),
    ("found unexpected document indicator", "a quote that is not closed before `---` or `...`",
     "Close the quote."),
    ("found unknown escape character", "an unknown escape inside double quotes",
     "Write `\\\\` for a backslash, or use single quotes, where a backslash is just a backslash."),
    ("hexdecimal number", "an escape with too few hexadecimal digits",
     "Write `\\xNN` with two, `\\uNNNN` with four or `\\UNNNNNNNN` with eight digits."),
    ("invalid Unicode character", "an escape that is no character", "Write the character itself."),
    ("found undefined alias", "an alias without its anchor",
     "Define `&name` above; quote the value if it should begin with `*`."),
    ("found duplicate anchor", "the same anchor twice", "Give each anchor a name of its own."),
    ("alphabetic or numeric character", "an anchor or alias without a name",
     "Write `&name` or `*name`; quote a value that begins with `&` or `*`, as cron schedules do."),
    ("undefined tag handle", "an unknown tag", "Remove the tag; a spec has none."),
    ("<document start>", "text after the end of the document",
     "Check the indentation of this line, or a bracket that was closed too early."),
    ("incompatible YAML document", "a YAML version that cannot be read", "Remove the %YAML line."),
    ("%YAML directive", "a %YAML line that cannot be read", "Remove the %YAML line."),
    ("directive", "a `%` line that cannot be read", "Remove it, or quote a value that begins with `%`."),
    ("found character that cannot start any token", "a value may not begin with this character",
     "Put quotes around the value."),
    ("indentation indicator", "an indentation mark that cannot be read", "Write just `|` or `>`."),
    ("comment or line break", "text where the line should end",
     "Put the text of a `|` or `>` block on the lines below it."),
)  # fmt: skip


def too_deep(file: str, mark: yaml.Mark | None) -> Diagnostic:
    return fault(
        "E109",
        f"mappings and lists are nested more than {MAX_DEPTH} deep",
        top_of(file)
        if mark is None
        else Span(file, mark.line + 1, mark.column + 1, mark.line + 1, mark.column + 2),
        why="No spec needs that; it is how a file crashes the programs that read it.",
        help="Check for brackets that are never closed.",
    )


def too_many(file: str) -> Diagnostic:
    return fault(
        "E102",
        f"the file holds more than {MAX_NODES:,} keys and values",
        top_of(file),
        why="A file is refused before it can exhaust the memory of the machine that reads it.",
        help="Split the spec into several files of a folder.",
    )


def nul(span: Span) -> Diagnostic:
    return fault(
        "E104",
        "the text holds a NUL character",
        span,
        why="PostgreSQL stores no text with a NUL in it, so what is compiled could not be run.",
        help="Remove the escape `\\0`.",
    )


def empty(file: str) -> Diagnostic:
    return fault(
        "E112",
        "the file is empty",
        top_of(file),
        why="Taken for a spec without workloads, it would plan to delete everything.",
        help="Begin with `version: 1`, `project: NAME` and `workloads:`.",
    )


def unreadable(file: str) -> Diagnostic:
    return fault("E105", "the file is not YAML", top_of(file), help="Is it a text file at all?")


def from_yaml(error: yaml.MarkedYAMLError, text: str, file: str) -> Diagnostic:
    """A fault of syntax, where libyaml stopped."""
    problem = f"{error.context or ''} {error.problem or ''}"
    if "maximum nesting depth" in problem:
        # Newer libyamls have a limit too, and look far enough ahead to meet theirs before we meet ours.
        return too_deep(file, error.problem_mark)
    lines = text.split("\n")
    span = _place(error.problem_mark or error.context_mark, lines, file)
    if "another document" in problem:
        return fault(
            "E111",
            "the file holds more than one document",
            span,
            why="Only the first would be applied.",
            help="Remove the `---` line, or move what follows it to another file of a folder.",
        )
    line = lines[span.line - 1] if span.line <= len(lines) else ""
    if "\t" in line[: len(line) - len(line.lstrip())] or line[span.column - 1 : span.column] == "\t":
        return fault(
            "E106",
            "a tab in the indentation",
            span,
            why="YAML allows only blanks there, because a tab's width differs between editors.",
            help="Replace the tab with blanks.",
        )
    labels = []
    if error.context_mark is not None:
        context = _place(error.context_mark, lines, file)
        if context.line != span.line:
            labels = [Label(context, "what is being read begins here")]
    for part, message, remedy in _WORDS:
        if part in problem:
            return fault("E105", message, span, help=remedy, labels=labels)
    return fault(
        "E105",
        f"the YAML cannot be read: {error.problem}",
        span,
        help="Check the quotes, brackets and indentation here.",
        labels=labels,
    )


def _place(mark: yaml.Mark | None, lines: list[str], file: str) -> Span:
    """A mark as a span, moved back to the last line that holds text when it stands at the end of the file."""
    if mark is None:
        return top_of(file)
    line, column = mark.line, mark.column
    if line >= len(lines) or (line == len(lines) - 1 and not lines[line].strip()):
        line = min(line, len(lines) - 1)
        while line > 0 and not lines[line].strip():
            line -= 1
        column = len(lines[line].rstrip())
    return Span(file, line + 1, column + 1, line + 1, column + 2)
