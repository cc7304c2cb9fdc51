"""JSON as it is printed: what came as JSON goes out digit by digit, credentials starred out, and nothing in it drives a
terminal.

What a database holds is never read into numbers of Python's: they lose digits, know no number beyond 1e308, and a
nesting of a few thousand is too deep for them.
"""

from __future__ import annotations

import codecs
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

from orchestra.report import mask
from orchestra.report.cells import driving

_TOKEN: Final = re.compile(r'"(?:[^"\\]|\\.)*"|[{}\[\],:]|[^\s{}\[\],:"]+')
_RAW: Final = re.compile(r'^( *)(.*?)"\\u0000(\d+)"', re.MULTILINE)
_DEEPEST: Final = 40
"""Levels that get a line for each of their items; what lies deeper stays on the line of its level."""


@dataclass(frozen=True, slots=True)
class Raw:
    """A value of a document that is JSON already, None where there is none."""

    text: str | None


def dumps(document: Any, indent: int | None = 2) -> str:
    """A document whose values may be `Raw`."""
    raws: list[str] = []

    def keep(item: Any) -> str:
        assert isinstance(item, Raw)
        raws.append(item.text or "null")
        return f"\0{len(raws) - 1}"  # no text of a database holds U+0000

    text = json.dumps(document, indent=indent, ensure_ascii=False, allow_nan=False, default=keep)
    if indent is None:
        return re.sub(r'"\\u0000(\d+)"', lambda m: one_line(raws[int(m[1])]), text)
    return _RAW.sub(lambda m: m[1] + m[2] + pretty(raws[int(m[3])], indent, m[1]), text)


def pretty(text: str, indent: int = 2, margin: str = "") -> str:
    """The same value with a line for each item, behind the first line as far to the right as `margin` is long."""
    return "".join(_spaced(text, indent, margin))


def one_line(text: str) -> str:
    """The same value in one line, with a space behind its commas and colons, as jsonb has them."""
    return "".join(f"{token} " if token in (",", ":") else token for token in _TOKEN.findall(text))


def masked(text: str | None) -> str | None:
    """The same value, credentials in its strings starred out; the same text where there is none."""
    if text is None or not mask.worth_a_look(text):
        return text
    return _TOKEN.sub(_masked_token, text)


def _masked_token(token: re.Match[str]) -> str:
    if not token[0].startswith('"') or not mask.worth_a_look(token[0]):
        return token[0]
    said = json.loads(token[0])
    told = mask.text(said)
    return token[0] if told == said else json.dumps(told, ensure_ascii=False)


def escaped(text: str, encoding: str = "utf-8") -> str:
    """The same document without what drives a terminal or what the encoding does not have: both as JSON's escapes,
    since they can only stand inside its strings."""
    if not text.isascii() or "\x7f" in text:
        text = driving(text, keep="\n\r\t", escape=_escape)
    return text.encode(encoding, "orchestra.json").decode(encoding)


def _spaced(text: str, indent: int, margin: str) -> Iterator[str]:
    depth, empty = 0, False
    for token in _TOKEN.findall(text):
        if token in ("}", "]"):
            depth -= 1
            if not empty and depth < _DEEPEST:
                yield "\n" + margin + " " * (indent * depth)
        elif empty and depth <= _DEEPEST:
            yield "\n" + margin + " " * (indent * depth)
        empty = token in ("{", "[")
        depth += empty
        yield token
        if token == ":":
            yield " "
        elif token == ",":
            yield "\n" + margin + " " * (indent * depth) if depth <= _DEEPEST else " "


def _escape(char: str) -> str:
    return "".join(f"\\u{unit:04x}" for unit in _units(char))


def _units(char: str) -> list[int]:
    code = ord(char)
    if code < 0x10000:
        return [code]
    return [0xD800 + (code - 0x10000 >> 10), 0xDC00 + (code - 0x10000 & 0x3FF)]


def _as_escapes(error: UnicodeError) -> tuple[str, int]:
    assert isinstance(error, UnicodeEncodeError)
    return "".join(map(_escape, error.object[error.start : error.end])), error.end


codecs.register_error("orchestra.json", _as_escapes)
