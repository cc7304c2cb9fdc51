"""Loads as JSON: numbers with six significant digits, the same on every machine."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from orchestra.plan.load import LoadReport


def encode(report: LoadReport) -> dict[str, Any]:
    """As `load` stands in `schemas/diff.v2.schema.json`."""
    return {
        "workloads": [_rounded(asdict(change)) for change in report.changes],
        "before": _rounded(asdict(report.before)),
        "after": _rounded(asdict(report.after)),
    }


def _rounded(value: Any) -> Any:
    match value:
        case float():
            return float(f"{value:.6g}")
        case dict():
            return {key: _rounded(item) for key, item in value.items()}
    return value
