"""Named parameters of a handler (`:payload`) as PostgreSQL's numbered ones (`$1`), found by its own scanner.

The scanner tells a parameter from a cast, a string, a comment, a dollar quote or a quoted name. Inside
brackets a colon that follows an expression is the colon of an array slice (`a[1:attempt]`); write `a[1 :
:attempt]` to bind there.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from types import MappingProxyType
from typing import Any, Final

from orchestra.sql.scan import scan

PARAMETERS: Final = MappingProxyType({"payload": 1, "attempt": 2, "message_id": 3})
"""The parameters of a SQL handler, by number: jsonb, int and bigint."""

_NAME: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]*\Z")
_NUMBER: Final = re.compile(r"\$([0-9]+)")
_COMMENTS: Final = frozenset({"SQL_COMMENT", "C_COMMENT"})
_ENDS: Final = frozenset(
    {"IDENT", "ICONST", "FCONST", "SCONST", "BCONST", "XCONST", "PARAM", "ASCII_41", "ASCII_93"}
)
_OPENS: Final = {"ASCII_40": "(", "ASCII_91": "["}
_CLOSES: Final = frozenset({"ASCII_41", "ASCII_93"})
_COLON: Final = "ASCII_58"


@dataclass(frozen=True, slots=True)
class Unknown:
    """A parameter that there is not: as written, and where it begins."""

    text: str
    offset: int


@dataclass(frozen=True, slots=True)
class BoundSql:
    """A statement with numbered parameters. `used` holds the numbers that it uses, written either way.

    `edits` are the replacements, as (offset in the bound text, what it is longer by than the text as
    written);
    `original` maps offsets back.
    """

    text: str
    used: frozenset[int] = frozenset()
    unknown: tuple[Unknown, ...] = ()
    edits: tuple[tuple[int, int], ...] = ()

    def original(self, offset: int) -> int:
        """Where a place in the bound text stood in the text as written."""
        before = bisect_right(self.edits, offset, key=lambda edit: edit[0]) - 1
        grown = self.edits[before][1] if before >= 0 else 0
        return max(0, offset - grown)


@lru_cache(maxsize=4096)
def bind(sql: str) -> BoundSql:
    """Turn `:payload`, `:attempt` and `:message_id` into `$1`, `$2` and `$3`; everything else stays as it is.

    A text that cannot even be scanned (an open string) is returned unchanged; the parser says what is wrong
    with it.
    """
    if ":" not in sql and "$" not in sql:
        return BoundSql(sql)
    tokens = scan(sql)
    if tokens is None:
        return BoundSql(sql)
    used: set[int] = set()
    unknown: list[Unknown] = []
    out: list[str] = []
    edits: list[tuple[int, int]] = []
    done = length = 0
    for token in tokens if "$" in sql else ():
        if token.name == "PARAM" and (number := _NUMBER.match(sql, token.start)):
            if 1 <= int(number[1]) <= len(PARAMETERS):
                used.add(int(number[1]))
            else:
                unknown.append(Unknown(number[0], token.start))
    for start, end in _named(sql, tokens):
        name = sql[start + 1 : end]
        number_of = PARAMETERS.get(name)
        if number_of is None:
            unknown.append(Unknown(f":{name}", start))
            continue
        used.add(number_of)
        out += (sql[done:start], f"${number_of}")
        length += start - done + 2
        done = end
        edits.append((length, length - end))
    out.append(sql[done:])
    unknown.sort(key=lambda u: u.offset)
    return BoundSql("".join(out), frozenset(used), tuple(unknown), tuple(edits))


def _named(sql: str, tokens: Sequence[Any]) -> Iterator[tuple[int, int]]:
    """The spans of `:name`, colon included."""
    if "[" not in sql:
        # No slice to tell from a parameter: only the colons need a look, which halves the time of a large spec's texts.
        colons = [n for n, token in enumerate(tokens[:-1]) if token.name == _COLON]
        yield from (span for n in colons if (span := _parameter(sql, tokens[n], tokens[n + 1])))
        return
    brackets: list[str] = []
    before: Any = None
    for token, following in zip(tokens, [*tokens[1:], None], strict=True):
        if token.name in _COMMENTS:
            continue
        if token.name == _COLON and following is not None:
            slice_colon = brackets[-1:] == ["["] and before is not None and _ends_expression(before)
            if not slice_colon and (span := _parameter(sql, token, following)):
                yield span
        if token.name in _OPENS:
            brackets.append(_OPENS[token.name])
        elif token.name in _CLOSES and brackets:
            brackets.pop()
        before = token


def _parameter(sql: str, colon: Any, word: Any) -> tuple[int, int] | None:
    """The span of a colon and the word right behind it, if they are a name."""
    if word.start != colon.end + 1 or _glued(sql, colon.start):
        return None
    return (colon.start, word.end + 1) if _NAME.match(sql[word.start : word.end + 1]) else None


def _ends_expression(token: Any) -> bool:
    return token.name in _ENDS or token.kind != "NO_KEYWORD"


def _glued(sql: str, colon: int) -> bool:
    """Whether a word ends right before the colon: `a:b` would become the one word `a$1`."""
    return colon > 0 and (sql[colon - 1].isalnum() or sql[colon - 1] in "_$")
