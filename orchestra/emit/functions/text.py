"""TypeScript text as `deno fmt` leaves it: strings, keys, comments and values, 80 columns wide."""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final

from orchestra.ir.program import Json

WIDTH: Final = 80
"""Where `deno fmt` breaks lines."""
_DEEPEST: Final = 40
"""Columns of indentation; a schema of six nested objects has about half of them."""

_NAME: Final = re.compile(r"[A-Za-z_$][A-Za-z0-9_$]*")
_SHORT: Final = {"\b": "\\b", "\f": "\\f", "\n": "\\n", "\r": "\\r", "\t": "\\t", "\v": "\\v", "\\": "\\\\"}

# Characters that stand as they are: those of which width and direction are certain. All others are written as escapes,
# so that no text from a schema can reorder what a reviewer sees.
_NARROW: Final = (
    (0x20, 0x7E),
    (0xA1, 0xAC),
    (0xAE, 0x2FF),
    (0x370, 0x377),
    (0x384, 0x386),
    (0x388, 0x3FF),
    (0x400, 0x482),
    (0x48A, 0x52F),
    (0x2010, 0x2015),
    (0x2018, 0x2022),
    (0x2026, 0x2026),
    (0x20AC, 0x20AC),
)
_WIDE: Final = ((0x3041, 0x3096), (0x30A1, 0x30FA), (0x3400, 0x4DBF), (0x4E00, 0x9FFF), (0xAC00, 0xD7A3))


def _class(ranges: tuple[tuple[int, int], ...]) -> str:
    """What stands between the brackets of a regular expression."""
    return "".join(f"{re.escape(chr(first))}-{re.escape(chr(last))}" for first, last in ranges)


_ESCAPED: Final = {
    quote: re.compile(rf"[^{_class(_NARROW + _WIDE)}]|[{quote}\\]") for quote in ("'", '"')
}  # by the quotes around the text
_WIDE_ONES: Final = re.compile(f"[{_class(_WIDE)}]")


def width(text: str) -> int:
    """Columns that it takes; `text` holds only characters that `string` lets stand."""
    return len(text) if text.isascii() else len(text) + len(_WIDE_ONES.findall(text))


def _escape(match: re.Match[str]) -> str:
    character = match[0]
    code = ord(character)
    if character in _SHORT:
        return _SHORT[character]
    if character in "'\"":
        return "\\" + character
    return f"\\u{code:04x}" if code < 0x10000 else f"\\u{{{code:x}}}"


def string(text: str) -> str:
    """A string literal, in the quotes that need fewer escapes."""
    quote = "'" if text.count('"') > text.count("'") else '"'
    return quote + _ESCAPED[quote].sub(_escape, text) + quote


def key(name: str, *, of_type: bool = False) -> str:
    """A property's name; in a value, `__proto__` would set the prototype unless it is computed."""
    if name == "__proto__" and not of_type:
        return '["__proto__"]'
    return name if _NAME.fullmatch(name) else string(name)


def scalar(item: str | int | float | bool | None) -> str:
    return string(item) if isinstance(item, str) else json.dumps(item).replace("e+", "e").replace("e-0", "e-")


def placed(name: str, text: str, indent: int) -> str:
    """`name: text`, behind which one character has room; a text that does not fit goes to the next line."""
    # Nothing is gained by a new line behind a name of one character.
    if indent + width(name) + 2 + width(text) + 1 <= WIDTH or width(name) == 1:
        return f"{name}: {text}"
    return f"{name}:\n{' ' * (indent + 2)}{text}"


@dataclass
class Values:
    """Prints JSON values. What is nested very deep gets a name of its own: `constants` stand before the value."""

    constants: list[str] = field(default_factory=list)

    def value(self, item: Json, indent: int = 0, before: int = 0, after: int = 0) -> str:
        """An object literal or any other value. It stands after `before` columns and has `after` columns behind it on
        its last line; it is kept on one line where it fits."""
        short = _on_one_line(item, WIDTH - before - after)
        if short is not None:
            return short
        inner = indent + 2
        pad = " " * inner
        match item:
            case dict() | list() if item and indent > _DEEPEST:
                return self._constant(item)
            case dict() if item:
                lines = [pad + self.property(key(name), one, inner) + "," for name, one in item.items()]
                return "{\n" + "\n".join(lines) + "\n" + " " * indent + "}"
            case list() if item:
                lines = [pad + self.value(one, inner, inner, 1) + "," for one in item]
                return "[\n" + "\n".join(lines) + "\n" + " " * indent + "]"
            case _:
                return _whole(item)

    def property(self, name: str, item: Json, indent: int) -> str:
        """`name: value`; what does not begin on the line of its name goes to the next one."""
        column = indent + width(name) + 2
        if isinstance(item, dict | list) and item and _on_one_line(item, WIDTH - column - 1) is None:
            if indent > _DEEPEST:
                return placed(name, self._constant(item), indent)
            # Of several lines, the first holds a bracket.
            if column < WIDTH:
                return f"{name}: {self.value(item, indent, column, 1)}"
            inner = indent + 2
            return f"{name}:\n{' ' * inner}{self.value(item, inner, inner, 1)}"
        return placed(name, _whole(item), indent)

    def _constant(self, item: Json) -> str:
        text = self.value(item, 0, len("const part0000: object = "), 1)
        name = f"part{len(self.constants) + 1}"
        self.constants.append(f"const {name}: object = {text};\n")
        return name


def _on_one_line(item: Json, columns: int) -> str | None:
    """The text of a value that fits into so many columns."""
    if isinstance(item, dict | list) and 3 * len(item) > columns:
        return None
    text = _whole(item, columns)
    return text if width(text) <= columns else None


def _whole(item: Json, columns: int | None = None) -> str:
    """The text on one line; where it is wider than `columns`, any text that is wider too."""
    match item:
        case dict():
            parts = []
            for name, one in item.items():
                parts.append(f"{key(name)}: {_whole(one, columns)}")
                if columns is not None and len(parts[-1]) > columns:
                    return parts[-1]
            return "{ " + ", ".join(parts) + " }" if parts else "{}"
        case list():
            parts = []
            for one in item:
                parts.append(_whole(one, columns))
                if columns is not None and len(parts[-1]) > columns:
                    return parts[-1]
            return "[" + ", ".join(parts) + "]"
        case _:
            return scalar(item)


def comment(text: str, indent: int = 0) -> str:
    """A documentation comment, with a line end; empty for no text. A text that could be taken for an instruction to
    TypeScript or to Deno (`@ts-ignore`) never begins one: those count at the beginning of a comment only."""
    lines = list(_wrapped(text, WIDTH - indent - 3))
    if not lines:
        return ""
    pad = " " * indent
    if len(lines) == 1 and indent + 7 + width(lines[0]) <= WIDTH and not lines[0].startswith(("@", "deno-")):
        return f"{pad}/** {lines[0]} */\n"
    rows = [f"{pad}/**", *(f"{pad} * {line}".rstrip() for line in lines), f"{pad} */"]
    return "\n".join(rows) + "\n"


def _wrapped(text: str, columns: int) -> Iterator[str]:
    """Paragraphs of `text` in lines; what could end the comment, or is no plain character, is made harmless."""
    paragraphs = re.split(r"\n\s*\n", text.strip())
    for number, paragraph in enumerate(paragraphs):
        # What stands in backticks stays together.
        words = re.findall(r"(?:`[^`]*`|[^\s`])+|`", _plain(" ".join(paragraph.split())))
        if number:
            yield ""
        line = ""
        for word in words:
            if line and len(line) + 1 + len(word) > columns:
                yield line
                line = word
            else:
                line = f"{line} {word}" if line else word
        if line:
            yield line


def _plain(text: str) -> str:
    """Without what ends a comment, and without controls and marks that turn the direction of a line."""
    if not text.isprintable():
        # These go first: between a star and a slash, each of them hides the end of a comment until it is dropped.
        text = "".join(c for c in text if unicodedata.category(c)[0] != "C")
    return text.replace("*/", "* /").replace("/*", "/ *")
