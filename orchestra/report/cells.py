"""How wide text is in a terminal (emoji, combining marks, tabs), and what must not be printed."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable

TAB = 4
_ZWJ = "\u200d"
_EMOJI_STYLE = "\ufe0f"
_MARKS = 4
"""Characters that one cell may hold where text is cut: more combining marks than a language has."""
_DRIVING = re.compile(
    "[\x00-\x1f\x7f-\x9f\ud800-\udfff\u2028\u2029\u200e\u200f\u061c\u202a-\u202e\u2066-\u2069]"
)
"""Controls, halves of pairs, ends of lines and paragraphs, and what turns the direction of text."""


def visible(text: str, keep: str = "\n") -> str:
    """`text` without anything that could drive a terminal: its control characters written as escapes.

    Text from a database or a spec must not move the cursor, recolour the screen or turn a line around.
    """
    if text.isascii() and text.isprintable():
        return text
    return driving(text, keep, _escaped)


def driving(text: str, keep: str, escape: Callable[[str], str]) -> str:
    """`text` with an escape for each character that could drive a terminal, but for those that are kept."""
    return _DRIVING.sub(lambda found: found[0] if found[0] in keep else escape(found[0]), text)


def _escaped(char: str) -> str:
    code = ord(char)
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}"


def pieces(text: str) -> list[tuple[str, int]]:
    """One (shown, cells) for each character of a line; what joins the character before it has no cells of
    its own.
    """
    out: list[tuple[str, int]] = []
    column, joined, flag = 0, False, False
    for char in text:
        if char == "\t":
            cells = TAB - column % TAB
            shown = " " * cells
        elif _DRIVING.match(char):
            shown = _escaped(char)
            cells = len(shown)
        else:
            shown = char
            cells = _cells(char, joined, flag)
            if char == _EMOJI_STYLE and out and out[-1][1] == 1:
                cells = 1
        flag = _is_flag(char) and not flag
        joined = char == _ZWJ
        out.append((shown, cells))
        column += cells
    return out


def width(text: str) -> int:
    """Cells that one line of text takes."""
    if text.isascii() and text.isprintable():
        return len(text)
    return sum(cells for _, cells in pieces(text))


def cut(text: str, limit: int) -> str:
    """`text` in at most `limit` cells, an ellipsis at the end where something is left out."""
    head = text[: limit * _MARKS]
    if len(head) == len(text) and width(text) <= limit:
        return text
    shown, used = "", 0
    for piece, cells in pieces(head):
        if used + cells > limit - 1:
            break
        shown += piece
        used += cells
    return shown + "…"


def pad(text: str, cells: int) -> str:
    return text + " " * max(0, cells - width(text))


def wrap(text: str, limit: int) -> list[str]:
    """Lines of at most `limit` cells, broken at spaces; one that starts with a space (code) stays whole."""
    lines: list[str] = []
    for paragraph in text.split("\n"):
        if paragraph[:1].isspace() or not paragraph:
            lines.append(paragraph)
        else:
            lines.extend(_wrapped(paragraph, limit))
    return lines


def _wrapped(paragraph: str, limit: int) -> list[str]:
    lines: list[str] = []
    line = ""
    for word in paragraph.split():
        if line and width(line) + 1 + width(word) > limit:
            lines.append(line)
            line = word
        else:
            line = f"{line} {word}" if line else word
    return [*lines, line]


def _cells(char: str, joined: bool, second_of_flag: bool) -> int:
    if char.isascii() and not joined:
        return 1
    if joined or unicodedata.category(char) in {"Mn", "Me", "Cf"}:
        return 0
    if _is_flag(char):
        return 0 if second_of_flag else 2
    if 0x1F3FB <= ord(char) <= 0x1F3FF:
        return 0
    return 2 if unicodedata.east_asian_width(char) in {"W", "F"} else 1


def _is_flag(char: str) -> bool:
    return 0x1F1E6 <= ord(char) <= 0x1F1FF
