"""Secrets and addresses in SQL texts."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from orchestra.check.facts import Facts, Sql
from orchestra.check.place import within
from orchestra.diagnostics import Span
from orchestra.spec.model import Requirement
from orchestra.sql.scan import scan

_SECRETS: Final = (
    ("a Supabase secret key", ("sb_secret_",), re.compile(r"\bsb_secret_[A-Za-z0-9_-]{8,}")),
    ("a JSON Web Token", ("eyJ",), re.compile(r"\beyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]*")),
    (
        "a connection string with its password",
        ("://",),
        re.compile(r"\bpostgres(?:ql)?://[^\s:@/'\"]+:[^\s@'\"]+@", re.I),
    ),
    ("a private key", ("PRIVATE KEY",), re.compile(r"-----BEGIN [A-Z ]*PRIVATE KEY-----")),
    (
        "an API key",
        ("k_live_", "k_test_", "whsec_"),
        re.compile(r"\b(?:sk|rk)_(?:live|test)_[A-Za-z0-9]{8,}|\bwhsec_[A-Za-z0-9+/=]{8,}"),
    ),
    (
        "an access token",
        ("gh", "xox"),
        re.compile(r"\b(?:gh[pousr]_|github_pat_)\w{20,}|\bxox[abprs]-[A-Za-z0-9-]{10,}"),
    ),
    ("a cloud access key", ("AKIA",), re.compile(r"\bAKIA[0-9A-Z]{16}\b")),
    ("a bearer token", ("Bearer",), re.compile(r"\bBearer\s+[A-Za-z0-9._~+/-]{16,}")),
)
"""What it is, the words of which one stands in each such text, and the form. To look for words is twenty times as fast
as to look for a form, and almost no text has one."""
_PASSWORD_WORDS: Final = ("passw", "pwd")
_PASSWORD: Final = re.compile(r"\b(?:password|passwd|pwd)\s*=\s*[^\s'\";&]{3,}", re.I)
_URL: Final = re.compile(r"\bhttps?://[^\s'\"<>\\)]+", re.I)
_CREDENTIALS: Final = re.compile(r"//[^/@]*@")


@dataclass(frozen=True, slots=True)
class Text:
    """A SQL text of the spec and where it stands."""

    sql: str
    owner: Sql | Requirement

    def at(self, offset: int) -> Span:
        if isinstance(self.owner, Sql):
            return self.owner.at(offset)
        return within(self.owner.source.at("check.sql"), self.sql, offset)


def texts(facts: Facts) -> Iterator[Text]:
    for sql in facts.sql:
        yield Text(sql.handler.sql, sql)
    for requirement in facts.spec.requires:
        if requirement.sql is not None:
            yield Text(requirement.sql, requirement)


def secrets(sql: str) -> Iterator[tuple[str, int]]:
    """What it looks like, never the secret itself, and where it begins. Comments count: the repository has them too."""
    for what, words, pattern in _SECRETS:
        if any(map(sql.__contains__, words)) and (found := pattern.search(sql)):
            yield what, found.start()
    # `password = …` is a comparison in SQL and a secret in a literal, as in dblink('… password=…').
    low = sql.lower()
    if any(map(low.__contains__, _PASSWORD_WORDS)) and _PASSWORD.search(sql):
        for token in scan(sql) or ():
            if token.name == "SCONST" and (found := _PASSWORD.search(sql, token.start, token.end + 1)):
                yield "a password", found.start()


def urls(sql: str) -> Iterator[tuple[str, int]]:
    """Addresses, without what may be secret in them."""
    if "://" not in sql:
        return
    for found in _URL.finditer(sql):
        yield _CREDENTIALS.sub("//…@", found[0].partition("?")[0]), found.start()
