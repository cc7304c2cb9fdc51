"""The spec: YAML files -> diagnostics and the frozen `Spec`. The heavy modules load at the first use."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from orchestra.spec.codes import CODES, CodeDoc
    from orchestra.spec.files import find_spec
    from orchestra.spec.load import Loaded, LoadResult, load_files, load_spec, parse_spec
    from orchestra.spec.parsing import Parsed, parse
    from orchestra.spec.schema import schema_text

__all__ = [
    "CODES",
    "CodeDoc",
    "LoadResult",
    "Loaded",
    "Parsed",
    "find_spec",
    "load_files",
    "load_spec",
    "parse",
    "parse_spec",
    "schema_text",
]

_HOMES = {
    "CODES": "codes",
    "CodeDoc": "codes",
    "LoadResult": "load",
    "Loaded": "load",
    "Parsed": "parsing",
    "find_spec": "files",
    "load_files": "load",
    "load_spec": "load",
    "parse": "parsing",
    "parse_spec": "load",
    "schema_text": "schema",
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(f"orchestra.spec.{_HOMES[name]}"), name)
