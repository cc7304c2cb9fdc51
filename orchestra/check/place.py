"""Places inside a scalar."""

from __future__ import annotations

from orchestra.diagnostics import Span


def within(span: Span, text: str, offset: int, length: int = 1) -> Span:
    """The span of a character of a value written on one line; the whole value where that cannot be told.

    The value stands there plain or in quotes when its width says so (an escape in it would not fit).
    """
    if span.line != span.end_line or not 0 <= offset < max(1, len(text)):
        return span
    quotes = span.end_column - span.column - len(text)
    if quotes not in (0, 2):
        return span
    start = span.column + quotes // 2 + offset
    return Span(span.file, span.line, start, span.line, min(start + max(1, length), span.end_column))
