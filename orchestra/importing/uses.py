"""What a SQL or PL/pgSQL text does with queues and calls, found in its tokens: comments do not count, and a text within
a text (`execute '…'`, `do $$…$$`) does."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final, Literal

from orchestra.sql.scan import scan

Verb = Literal["send", "read", "call"]
_DEPTH: Final = 3
"""Texts within texts within a text."""
_SENDS: Final = frozenset({"send", "send_batch", "send_topic", "send_batch_topic"})
_READS: Final = frozenset(
    ("read", "read_with_poll", "pop", "read_grouped", "read_grouped_with_poll", "read_grouped_rr")
)
_CALLS: Final = frozenset({"http_post", "http_get", "http_delete", "http_put"})
COMMENTS: Final = frozenset({"SQL_COMMENT", "C_COMMENT"})
_WORDS: Final = re.compile(r'[A-Za-z_\u0080-\U0010ffff"]')
_DOLLAR: Final = re.compile(r"\$([^$]*)\$(.*)\$\1\$\Z", re.S)
_LOOKS: Final = re.compile(r"pgmq|\bnet\b|http", re.I)


@dataclass(frozen=True, slots=True)
class Use:
    """`queue` is None where it is no literal: it is known only when the statement runs."""

    verb: Verb
    queue: str | None


@dataclass(frozen=True, slots=True)
class Uses:
    """What a text does. `called` are the functions that it names, as (schema or None, name); `readable` is false where
    it could not be taken apart."""

    uses: frozenset[Use] = frozenset()
    called: frozenset[tuple[str | None, str]] = frozenset()
    readable: bool = True

    @property
    def sends(self) -> frozenset[str | None]:
        return frozenset(u.queue for u in self.uses if u.verb == "send")

    @property
    def reads(self) -> frozenset[str | None]:
        return frozenset(u.queue for u in self.uses if u.verb == "read")

    @property
    def calls_out(self) -> bool:
        """Whether it makes an HTTP call."""
        return any(u.verb == "call" for u in self.uses)


@lru_cache(maxsize=4096)
def uses_of(text: str) -> Uses:
    found = list(_found(text, _DEPTH))
    return Uses(
        frozenset(item for item in found if isinstance(item, Use)),
        frozenset(item for item in found if isinstance(item, tuple)),
        scan(text) is not None,
    )


def literal_value(token: str) -> str | None:
    """What a string constant holds, however it is quoted; None for one with a prefix of its own."""
    if dollar := _DOLLAR.match(token):
        return dollar[2]
    if token[:1] in "eE" and token[1:2] == "'":
        return re.sub(r"\\(.)", r"\1", token[2:-1].replace("''", "'"), flags=re.S)
    return token[1:-1].replace("''", "'") if token[:1] == "'" else None


def tokens_of(text: str) -> list[Any] | None:
    """PostgreSQL's tokens without comments, or None where there are none to be had."""
    tokens = scan(text)
    return None if tokens is None else [t for t in tokens if t.name not in COMMENTS]


def _found(text: str, depth: int) -> Iterator[Use | tuple[str | None, str]]:
    tokens = tokens_of(text)
    if tokens is None:
        return
    words = [_word(text[t.start : t.end + 1]) for t in tokens]
    for at, (token, word) in enumerate(zip(tokens, words, strict=True)):
        if token.name == "SCONST":
            inner = literal_value(text[token.start : token.end + 1])
            if depth and inner is not None and _LOOKS.search(inner):
                yield from _found(inner, depth - 1)
            continue
        if not word:
            continue
        qualified = at > 1 and words[at - 1] == "." and _WORDS.match(words[at - 2] or "")
        schema = words[at - 2] if qualified else None
        following = words[at + 1] if at + 1 < len(words) else ""
        if schema == "pgmq" and word.startswith("q_"):
            if _inserts(words, at):
                yield Use("send", word.removeprefix("q_"))
        elif following == "(":
            yield (schema, word)
            yield from _use(schema, word, text, tokens, words, at + 2)


def _use(
    schema: str | None, word: str, text: str, tokens: Sequence[Any], words: Sequence[str], at: int
) -> Iterator[Use]:
    if schema in ("pgmq", "pgmq_public"):
        verb: Verb | None = "send" if word in _SENDS else "read" if word in _READS else None
        if verb is not None:
            yield Use(verb, _queue(text, tokens, words, at))
    elif word in _CALLS and schema in (None, "net", "extensions", "public"):
        yield Use("call", None)


def _queue(text: str, tokens: Sequence[Any], words: Sequence[str], at: int) -> str | None:
    """The first argument, or the one called `queue_name`, where it is a literal and nothing else."""
    if words[at : at + 1] == ["queue_name"] and words[at + 1 : at + 2] in (["=>"], [":="]):
        at += 2
    if at >= len(tokens) or tokens[at].name != "SCONST":
        return None
    value = literal_value(text[tokens[at].start : tokens[at].end + 1])
    following = words[at + 1 : at + 2]
    return value if following in ([","], [")"], ["::"]) or not following else None


def _inserts(words: Sequence[str], at: int) -> bool:
    return [w.lower() for w in words[at - 4 : at - 2]] == ["insert", "into"]


def _word(text: str) -> str:
    """A name as PostgreSQL stores it; other tokens as they are."""
    if text[:1] == '"':
        return text[1:-1].replace('""', '"')
    return text.lower() if text[:1].isalpha() or text[:1] == "_" else text
