"""The one place where values become SQL text. Nothing else in the project quotes."""

from __future__ import annotations

import json
from collections.abc import Callable
from json.encoder import encode_basestring
from typing import Any, Final

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
        case str():
            return literal(item)
        case None:
            return "null"
        case bool():
            return "true" if item else "false"
        case int() | float():
            return repr(item)
        case list():
            return "array[" + ", ".join(value(i) for i in item) + "]::text[]"
        case dict():
            return literal(canonical_json(item))


def call(function: str, *arguments: str) -> str:
    """`select function(arguments)`; the arguments are SQL already."""
    return f"select {function}({', '.join(arguments)})"


def canonical_json(item: Json) -> str:
    """JSON with sorted keys and no needless blanks; whole floats are written as integers, as jsonb compares them.

    Written out here: json's own encoder is built anew for each text, which takes longer than these short texts do.
    """
    return _JSON[item.__class__](item)


def _json_float(item: float) -> str:
    return repr(int(item)) if item.is_integer() else json.dumps(item)


def _json_list(items: list[Json]) -> str:
    return "[" + ", ".join([_JSON[i.__class__](i) for i in items]) + "]"


def _json_dict(items: dict[str, Json]) -> str:
    return "{" + ", ".join([f"{_quoted(k)}: {_JSON[v.__class__](v)}" for k, v in sorted(items.items())]) + "}"


_quoted: Final = encode_basestring
_JSON: Final[dict[type, Callable[[Any], str]]] = {
    str: _quoted,
    int: repr,
    float: _json_float,
    bool: {True: "true", False: "false"}.__getitem__,
    type(None): lambda _: "null",
    list: _json_list,
    dict: _json_dict,
}
