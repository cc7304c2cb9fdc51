"""Foreign text in GitHub's markdown: nothing in it becomes markup, HTML, a mention, a link or the end of a fence.

A backslash before a sign is not enough there: mentions and references are found after the markdown was rendered, and
a table's cells are parted before its code is. So signs are written as entities, and an empty character (U+200B) parts
what GitHub would link.
"""

from __future__ import annotations

import re
from typing import Final

from orchestra.report.cells import visible

_APART: Final = "&#8203;"
_SIGNS: Final = str.maketrans({sign: f"&#{ord(sign)};" for sign in "\\`*_{}[]<>&!|~$#"})
_LINKED: Final = re.compile(
    r"""
      @ | (?<=:)(?=//) | (?<=\bwww)(?=\.)                 # mentions, links
    | (?<=&\#35;)(?=\d) | (?<=\bGH)(?=-\d)               # references to issues
    | (?<=(?<!\w):)(?=[a-z0-9_+-]+:(?!\w))              # emoji
    """,
    re.IGNORECASE | re.VERBOSE,
)
_UNSAFE_CODE: Final = frozenset("`|\\\n")
_RUN: Final = re.compile(r"`+")


def text(value: str) -> str:
    """Text on one line, for after the first word of a paragraph or a list item, for a cell, or inside of HTML."""
    plain = " ".join(visible(value, keep="\n").split())
    return _LINKED.sub(lambda m: m[0] + _APART, plain.translate(_SIGNS))


def code(value: str) -> str:
    """Text on one line as code, for anywhere but inside of HTML; empty text is no code at all."""
    shown = visible(value, keep="")
    if not shown or shown != shown.strip() or _UNSAFE_CODE & set(shown):
        return html_code(shown) if shown.strip() else ""
    return f"`{shown}`"


def html_code(value: str) -> str:
    """The same for inside of HTML, where backticks are only backticks."""
    return f"<code>{text(value)}</code>"


def fence(value: str, language: str = "") -> str:
    """Lines of code as a block, its fence longer than any run of backticks in it."""
    shown = visible(value, keep="\n\t").strip("\n")
    ticks = "`" * max(3, 1 + max((len(run) for run in _RUN.findall(shown)), default=0))
    return f"{ticks}{language}\n{shown}\n{ticks}"


def table(head: tuple[str, ...], rows: list[str]) -> list[str]:
    """The lines of a table; its rows as `row` makes them."""
    return [row(*head), "|" + " --- |" * len(head), *rows]


def row(*cells: str) -> str:
    """One row of cells that are escaped already."""
    return f"| {' | '.join(cells)} |"
