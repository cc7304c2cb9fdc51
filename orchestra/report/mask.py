"""Finds what looks like a credential in text that people will see, and stars it out.

The rules refuse secrets in a spec (E5xx), but a plan also shows what stands in the live database, and there
anybody may have put a key into a cron job's text.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from orchestra.ir.program import Json

STARS = "********"

_WHOLE = re.compile(
    r"""
      \beyJ[\w-]{10,}\.eyJ[\w-]{10,}\.[\w-]*                # JSON Web Token
    | \bsb_secret_[\w-]{8,} | \bsbp_[0-9a-f]{20,}           # Supabase
    | \b(?:sk|rk)_(?:live|test)_\w{16,} | \bwhsec_[\w+/=]{16,}   # Stripe, standard webhooks
    | \bgh[pousr]_\w{30,} | \bgithub_pat_\w{22,}            # GitHub
    | \bxox[abprs]-[\w-]{10,} | \bAKIA[0-9A-Z]{16}\b         # Slack, Amazon
    | -----BEGIN\ [A-Z ]*PRIVATE\ KEY-----(?:.|\n)*?(?:-----END\ [A-Z ]*PRIVATE\ KEY-----|\Z)
    """,
    re.VERBOSE,
)
_URL = re.compile(r"\b([a-z][a-z0-9+.-]*://[^\s:/@'\"]*):([^\s/@'\"]+)@", re.IGNORECASE)
_VALUE = re.compile(
    r"""
      # password 'x' in SQL, password='x' in a connection string, ?password=x in a URL; a literal doubles its quotes
      (?P<nested>\bpassword\s*=?\s*E?'')[^'\s]+(?='')
    | (?P<name>\bpassword\s*=?\s*E?')(?:[^'\n]|'')+(?=')
    | (?P<dollar>\bpassword\s*=?\s*\$(?P<tag>\w*)\$)[^$\n]+(?=\$(?P=tag)\$)
    | (?P<query>[?&]password=)(?P<word>[^&\s'"]+)
    | (?P<bearer>\bbearer\s+)(?P<token>[A-Za-z0-9._~+/-]{16,}=*)
    """,
    re.VERBOSE | re.IGNORECASE,
)
_LITERAL = re.compile(r"'(?:[^']|'')*'")
_TARGET = re.compile(r"\b(?:host|hostaddr|user|dbname|port|service)\s*=", re.IGNORECASE)
_CONNINFO = re.compile(r"(\bpassword\s*=\s*)(?!')[^\s'\"&;]+", re.IGNORECASE)


def text(value: str) -> str:
    """`value` with every credential in it replaced by stars; the same object where there is none."""
    if not worth_a_look(value):
        return value
    value = _WHOLE.sub(STARS, value)
    value = _URL.sub(rf"\1:{STARS}@", value)
    value = _LITERAL.sub(_without_conninfo, value)
    return _VALUE.sub(
        lambda m: (m["nested"] or m["name"] or m["dollar"] or m["query"] or m["bearer"]) + STARS, value
    )


def _without_conninfo(literal: re.Match[str]) -> str:
    """A literal that is a connection string, such as those of dblink, without its password."""
    return _CONNINFO.sub(rf"\1{STARS}", literal[0]) if _TARGET.search(literal[0]) else literal[0]


def message(value: str) -> str:
    """Like `text`, for what a driver says: there `password=x` is a connection string and never SQL."""
    return _CONNINFO.sub(rf"\1{STARS}", text(value))


def json(value: Json) -> Json:
    """The same all the way down a JSON value."""
    match value:
        case str():
            return text(value)
        case list():
            return [json(item) for item in value]
        case dict():
            return {text(key): json(item) for key, item in value.items()}
        case _:
            return value


_HINTS = (
    *(
        "eyJ",
        "sb_secret_",
        "sbp_",
        "AKIA",
        "_live_",
        "_test_",
        "whsec_",
        "github_pat_",
        "xox",
        "-----BEGIN",
        "://",
    ),
    *("ghp_", "gho_", "ghu_", "ghs_", "ghr_"),
)


def worth_a_look(value: str) -> bool:
    """A cheap look before the patterns, which would cost seconds over a plan of thousands of statements."""
    for hint in _HINTS:
        if hint in value:
            return True
    lowered = value.lower()
    return "password" in lowered or "bearer" in lowered
