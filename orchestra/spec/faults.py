"""One way to make an E1xx finding."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import cache

from orchestra.diagnostics import Diagnostic, Label, Severity, Span


def fault(
    code: str, message: str, span: Span, *, why: str = "", help: str = "", labels: Iterable[Label] = ()
) -> Diagnostic:
    """An error about the form of the spec. Without a `why` of its own it has that of its code."""
    return Diagnostic(code, Severity.ERROR, message, span, why or _reasons()[code], help, tuple(labels))


@cache
def _reasons() -> Mapping[str, str]:
    from orchestra.spec.codes import CODES

    return {doc.code: doc.why for doc in CODES}


def top_of(file: str) -> Span:
    """The first character of a file, for what is wrong with the file as a whole."""
    return Span(file, 1, 1, 1, 1)
