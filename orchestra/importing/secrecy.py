"""Whether a text may hold a credential, and how to show it then: nobody who reads a spec may learn one from it.

The rules and `report.mask` know credentials by their form. What people wrote by hand into cron jobs often has none, so
here a literal is suspect by the name beside it too, and of a suspect text no literal is shown.
"""

from __future__ import annotations

import re
from itertools import pairwise
from typing import Final

from orchestra.check.leaks import secrets
from orchestra.importing.uses import COMMENTS, literal_value, tokens_of
from orchestra.report import mask
from orchestra.sql.scan import scan

STARS: Final = mask.STARS
_NAMES: Final = (
    r"secret|token|passw|pwd|passphrase|api[_-]?key|apikey|auth|bearer|credential|private[_-]?key|service[_-]?role"
    r"|access[_-]?key|signature|webhook|(?:^|_)key\Z"
)
_NAME: Final = re.compile(_NAMES, re.I)
_WITHIN: Final = re.compile(rf"[\"']?[\w-]*(?:{_NAMES})[\w-]*[\"']?\s*[:=]", re.I)
_DENSE: Final = re.compile(r"[A-Za-z0-9+/_=.-]{20,}")
_UUID: Final = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.I)
_CALLS: Final = re.compile(r"\b(net|http\w*|dblink\w*|vault)\b", re.I)
_LINKS: Final = frozenset({"=", "=>", ":=", ",", "(", "::", ":"})
_URL: Final = re.compile(r"([a-z][a-z0-9+.-]*)://(?:[^\s/@'\"]*@)?([A-Za-z0-9.-]+)[^\s'\"]*", re.I)
_QUOTED: Final = re.compile(r"\"[^\"]*\"|'[^']*'|«[^»]*»|\S{16,}")


def suspicion(sql: str) -> str | None:
    """What a text seems to hold, never the thing itself; None where it seems to hold nothing of the kind."""
    if (found := next(secrets(sql), None)) is not None:
        return found[0]
    if mask.text(sql) != sql or mask.message(sql) != sql:
        return "a password or a key"
    tokens = tokens_of(sql)
    if tokens is None:
        return None
    if any(_noted(sql[t.start : t.end + 1]) for t in scan(sql) or () if t.name in COMMENTS):
        return "a password or a key"
    words = [sql[t.start : t.end + 1] for t in tokens]
    for at, token in enumerate(tokens):
        if token.name != "SCONST":
            continue
        value = literal_value(words[at]) or words[at]
        if words[at].startswith("$") and (inner := suspicion(value)) is not None:
            return inner
        if _WITHIN.search(value):
            return "a password or a key"
        named = next((w for w in reversed(words[max(0, at - 3) : at]) if w not in _LINKS), "")
        if _NAME.search(named.strip("\"'")) and _meant(value):
            return "a password or a key"
        if any(_random(word) for word in _DENSE.findall(value)):
            return "a long random text"
    return None


def hidden(sql: str) -> bool:
    """Whether no literal of a text may be shown: one of them may be a credential, or an address that is one, or
    literals cannot be told in it."""
    return bool(tokens_of(sql) is None or suspicion(sql) or "://" in sql or _CALLS.search(sql))


def _noted(comment: str) -> bool:
    """Whether somebody wrote a credential down beside the statement."""
    words = re.findall(r"[^\s'\"]+", comment)
    if any(_random(word) for word in _DENSE.findall(comment)):
        return True
    named = any(_NAME.search(word) for word in words)
    return named and any(len(word) >= 5 and re.search(r"[0-9]", word) for word in words)


def _meant(value: str) -> bool:
    """Whether a literal can be a credential: no plain word such as `expired`, no number, and not empty."""
    return len(value) >= 4 and not re.fullmatch(r"[a-z][a-z_ -]*|[0-9]{1,9}|[0-9]+ [a-z]+", value)


def _random(word: str) -> bool:
    """Letters and digits in turn, as no word has them, and no identifier such as a UUID."""
    turns = sum(a.isdigit() != b.isdigit() for a, b in pairwise(word))
    return not _UUID.fullmatch(word) and (turns >= 6 or (word.isalnum() and turns >= 3))


def concealed(sql: str) -> str | None:
    """The text without its literals and comments, but for the host of an address; None where it is none of SQL's, and
    what is a literal cannot be told."""
    tokens = tokens_of(sql)
    if tokens is None:
        return None
    shown, done = [], 0
    for token in tokens:
        gap = sql[done : token.start]
        shown.append(gap if gap.isspace() or not gap else ("\n" if "\n" in gap else " "))
        word = sql[token.start : token.end + 1]
        shown.append(_host(word) if token.name in ("SCONST", "XCONST", "BCONST", "USCONST") else word)
        done = token.end + 1
    return mask.message("".join(shown)).strip()


def _host(token: str) -> str:
    found = _URL.search(token)
    return f"'{found[1]}://{found[2]}/{STARS}'" if found else f"'{STARS}'"


def host_of(sql: str) -> str | None:
    """The host of the first address in a text."""
    found = _URL.search(sql)
    return found[2] if found else None


def said(message: str, sql: str) -> str:
    """The first line of what PostgreSQL said of a statement. It quotes the statement, so where that is suspect nothing
    quoted is repeated."""
    line = next((part for part in message.splitlines() if part.strip()), "").strip()
    line = mask.message(re.sub(r"\A(?:ERROR|FATAL):\s*", "", line))
    line = _DENSE.sub(lambda m: STARS if _random(m[0]) else m[0], line)
    return _QUOTED.sub(f'"{STARS}"', line) if hidden(sql) else line
