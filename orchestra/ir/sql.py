"""The one place where values become SQL text. Nothing else in the project quotes."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Final

from orchestra.ir.program import Json


def literal(text: str) -> str:
    """A string literal that means the same whatever `standard_conforming_strings` says."""
    quoted = text.replace("'", "''")
    if "\\" in quoted:
        return "E'" + quoted.replace("\\", "\\\\") + "'"
    return "'" + quoted + "'"


def dollar(text: str, tag: str = "sql") -> str:
    """A dollar-quoted literal, for text that people read; the tag grows until the text does not hold it.

    A text that ends in a dollar would swallow the closing tag's first character, so it takes a plain literal.
    """
    if text.endswith("$"):
        return literal(text)
    number, mark = 0, f"${tag}$"
    while mark in text:
        number += 1
        mark = f"${tag or 'q'}{number}$"
    return f"{mark}{text}{mark}"


def ident(*parts: str) -> str:
    """A quoted identifier, dotted where several parts are given."""
    return ".".join('"' + p.replace('"', '""') + '"' for p in parts)


def value(item: Json) -> str:
    """A scalar or a list of strings as a SQL expression."""
    match item:
        case None:
            return "null"
        case bool():
            return "true" if item else "false"
        case int() | float():
            return repr(item)
        case str():
            return literal(item)
        case list():
            return "array[" + ", ".join(value(i) for i in item) + "]::text[]"
        case dict():
            return literal(canonical_json(item))


def call(function: str, *arguments: str) -> str:
    """`select function(arguments)`; the arguments are SQL already."""
    return f"select {function}({', '.join(arguments)})"


def canonical_json(item: Json) -> str:
    """JSON with sorted keys and no needless blanks; whole floats are written as integers, as jsonb compares them."""
    if isinstance(item, dict) and not any(isinstance(v, (float, dict, list)) for v in item.values()):
        return _ENCODER.encode(item)
    return _ENCODER.encode(_whole(item))


_ENCODER: Final = json.JSONEncoder(sort_keys=True, ensure_ascii=False, separators=(", ", ": "))


def _whole(item: Json) -> Json:
    match item:
        case float() if item.is_integer():
            return int(item)
        case list():
            return [_whole(i) for i in item]
        case dict():
            return {k: _whole(v) for k, v in item.items()}
        case _:
            return item


def array(items: Iterable[str]) -> str:
    """A text array."""
    return value(list(items))
