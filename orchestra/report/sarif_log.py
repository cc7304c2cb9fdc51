"""The frame of a SARIF 2.1.0 log, and how it names files and places."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from pathlib import PurePosixPath
from typing import Any, Final
from urllib.parse import quote

from orchestra.diagnostics import Span
from orchestra.version import __version__

SCHEMA: Final = "https://json.schemastore.org/sarif-2.1.0.json"


def log(rules: Sequence[dict[str, Any]], results: Sequence[dict[str, Any]], files: Iterable[str]) -> str:
    """One run, with the files that its results speak of."""
    run = {
        "tool": {"driver": {"name": "orchestra", "semanticVersion": __version__, "rules": list(rules)}},
        "columnKind": "unicodeCodePoints",
        "originalUriBaseIds": {
            "SRCROOT": {"description": {"text": "The directory that orchestra was run in."}}
        },
        "artifacts": [{"location": artifact(file)} for file in sorted(set(files))],
        "results": list(results),
    }
    return json.dumps({"$schema": SCHEMA, "version": "2.1.0", "runs": [run]}, indent=2) + "\n"


def place(span: Span) -> dict[str, Any]:
    return {
        "artifactLocation": artifact(span.file),
        "region": {
            "startLine": span.line,
            "startColumn": span.column,
            "endLine": span.end_line,
            "endColumn": span.end_column,
        },
    }


def artifact(file: str) -> dict[str, str]:
    path = PurePosixPath(file.replace("\\", "/"))
    if path.is_absolute():
        return {"uri": "file://" + quote(str(path))}
    return {"uri": quote(str(path)), "uriBaseId": "SRCROOT"}
