"""YAML by hand, because the comments are half of what is written: scalars that every reader reads alike, and comments
that cannot be mistaken for anything else."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Iterable, Mapping, Sequence
from typing import Final

from orchestra.importing.uses import tokens_of
from orchestra.report.cells import cut, visible
from orchestra.spec.scalars import hint, resolve

WIDTH: Final = 110
_LONGEST: Final = 300
"""Of a line that is shown as it is."""
_PLAIN: Final = re.compile(r"[A-Za-z_][\w .()/=<>+*'$-]*\Z", re.ASCII)
_KEPT: Final = "\0"
_ESCAPES: Final = {'"': '\\"', "\\": "\\\\", "\n": "\\n", "\t": "\\t", "\r": "\\r"}
_IGNORE: Final = re.compile(r"orchestra:(?=[ \t]*ignore)")


def scalar(text: str) -> str:
    """A text on one line: plain where no reader could take it for anything else, else in double quotes."""
    if _PLAIN.match(text) and text == text.strip() and resolve(text) == text and not hint(text):
        return text
    return quoted(text)


def quoted(text: str) -> str:
    return '"' + "".join(_ESCAPES.get(c) or (c if _printable(c) else _escape(c)) for c in text) + '"'


def _printable(char: str) -> bool:
    return char.isprintable() and visible(char) == char and char != "\ufeff"


def _escape(char: str) -> str:
    code = ord(char)
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"


def flow(value: Mapping[str, object] | Sequence[str] | str) -> str:
    """A small value on one line."""
    match value:
        case str():
            text = scalar(value)
            return quoted(value) if any(c in text for c in ",[]{}") and text[:1] != '"' else text
        case Mapping():
            return "{" + ", ".join(f"{k}: {flow(v)}" for k, v in value.items()) + "}"  # type: ignore[arg-type]
        case _:
            return "[" + ", ".join(flow(item) for item in value) + "]"


def statement(sql: str) -> str:
    """A statement without the blanks around it, without the indentation that all its lines share, and without the
    semicolon at its end; not a character of a literal changes."""
    text = sql.strip()
    tokens = tokens_of(text)
    if tokens is None:
        return text
    if tokens and text[tokens[-1].start] == ";" and tokens[-1].end + 1 == len(text):
        text = text[: tokens[-1].start].rstrip()
    if any("\n" in text[t.start : t.end + 1] for t in tokens):
        return text
    begun = sql[: len(sql) - len(sql.lstrip())].rpartition("\n")[2]
    text = text.replace("\r\n", "\n")
    if begun:
        return textwrap.dedent(begun + text).strip()
    first, _, rest = text.partition("\n")
    return f"{first.rstrip()}\n{textwrap.dedent(rest)}" if rest else first


def block(key: str, text: str, indent: int) -> list[str]:
    """`key: text`, over several lines where the text has several and may stand so."""
    margin = " " * indent
    lines = text.split("\n")
    whole = all(_printable(c) for line in lines for c in line) and not lines[0][:1].isspace()
    if len(lines) == 1 or not lines[-1] or not whole or any(line != line.rstrip() for line in lines):
        return [f"{margin}{key}: {scalar(text)}"]
    return [f"{margin}{key}: |-", *(f"{margin}  {line}" if line else "" for line in lines)]


def comment(text: str, indent: int = 0) -> list[str]:
    """A sentence or several as a comment, wrapped."""
    mark = " " * indent + "#"
    # What stands in backticks is to be copied, so it stays on one line.
    whole = re.sub(r"`[^`]*`", lambda m: m[0].replace(" ", _KEPT), harmless(text))
    wrapped = textwrap.wrap(whole, WIDTH - indent - 2, break_long_words=False, break_on_hyphens=False)
    return [f"{mark} {line}".replace(_KEPT, " ").rstrip() for line in wrapped] or [mark]


def verbatim(lines: Iterable[str], indent: int = 0, most: int = 30) -> list[str]:
    """Lines as they are, in a comment and set off from its sentences."""
    mark = " " * indent + "#     "
    shown = [cut(harmless(line.expandtabs(4)).rstrip(), _LONGEST) for line in lines]
    more = len(shown) - most
    return [f"{mark}{line}".rstrip() for line in shown[:most]] + (
        [f"{mark}… {more} more lines"] if more > 0 else []
    )


def harmless(text: str) -> str:
    """Text that may stand in a comment: on one line, and no directive to orchestra."""
    return _IGNORE.sub("orchestra :", visible(text, keep="").replace("\ufeff", ""))


def name(text: str) -> str:
    """A name in a sentence: as it is, in quotes, without what could drive a terminal, and no longer than a line."""
    return '"' + visible(text, keep="") + '"'
