"""The one order in which findings are reported, whatever order they were found in."""

from __future__ import annotations

from collections.abc import Iterable

from orchestra.diagnostics import Diagnostic


def in_order(diagnostics: Iterable[Diagnostic]) -> list[Diagnostic]:
    """By file, then by place, then by code."""
    return sorted(diagnostics, key=lambda d: (d.span, d.code, d.message))
