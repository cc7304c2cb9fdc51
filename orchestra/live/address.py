"""What a connection string says of where it leads: which Supabase project, by which way. Nothing is asked of anybody.

Supabase has four ways to a project's database: `db.REF.supabase.co:5432` directly (IPv6, or IPv4 with the add-on), its
dedicated pooler on port 6543 of the same host, and the shared pooler, `REGION.pooler.supabase.com`, which knows the
project by the user `ROLE.REF` and has session mode on port 5432 and transaction mode on 6543.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

_DIRECT: Final = re.compile(r"db\.([a-z]{20})\.supabase\.(?:co|in|net|red)\.?", re.IGNORECASE)
_POOLER: Final = re.compile(r"[a-z0-9-]+\.pooler\.supabase\.com\.?", re.IGNORECASE)
_USER: Final = re.compile(r".+\.([a-z]{20})")
_REFERENCE: Final = re.compile(r"(?:^|\s)reference=([a-z]{20})(?:\s|$)")
_API: Final = re.compile(r"https?://([a-z]{20})\.(?:functions\.)?supabase\.(?:co|in|net|red)(?:[:/]|$)", re.I)
_TRANSACTION_PORT: Final = "6543"


class Way(StrEnum):
    """How a database is reached."""

    DIRECT = "direct connection"
    DEDICATED_POOLER = "dedicated pooler, transaction mode"
    SESSION_POOLER = "shared pooler, session mode"
    TRANSACTION_POOLER = "shared pooler, transaction mode"
    OTHER = "no address of Supabase"


@dataclass(frozen=True, slots=True)
class Address:
    """Where one connection string leads. `refs` are the projects that it speaks of, `certain` whether every host of it
    speaks of one."""

    way: Way
    refs: frozenset[str]
    certain: bool

    @property
    def ref(self) -> str | None:
        """The one project that it leads to, None where that cannot be told."""
        return next(iter(self.refs)) if self.certain and len(self.refs) == 1 else None


NOWHERE: Final = Address(Way.OTHER, frozenset(), False)
"""Of no connection at all."""


def address(parts: Mapping[str, str]) -> Address:
    """Of libpq's keywords. With `hostaddr` the name in `host` is not where the connection goes, so it says nothing."""
    user = _USER.fullmatch(parts.get("user", ""))
    hosts = parts.get("host", "").split(",")
    ports = (parts.get("port") or "5432").split(",")
    named = [None if parts.get("hostaddr") else _DIRECT.fullmatch(host) for host in hosts]
    refs = {match[1].lower() for match in named if match is not None}
    pooled = [bool(_POOLER.fullmatch(host)) for host in hosts]
    # A plain server has no role of such a name, and a pooler goes by it: whatever the host is called, it decides.
    by_user = user or (_REFERENCE.search(parts.get("options", "")) if all(pooled) else None)
    if by_user is not None:
        refs.add(by_user[1])
    certain = bool(refs) and (by_user is not None or all(named))
    return Address(_way(bool(named[0]), pooled[0], ports[0]), frozenset(refs), certain)


def _way(direct: bool, pooled: bool, port: str) -> Way:
    transactions = port == _TRANSACTION_PORT
    if direct:
        return Way.DEDICATED_POOLER if transactions else Way.DIRECT
    if pooled:
        return Way.TRANSACTION_POOLER if transactions else Way.SESSION_POOLER
    return Way.OTHER


def ref_of_api(url: str) -> str | None:
    """The project of a function's URL, `https://REF.supabase.co/functions/v1`; None for a domain of one's own."""
    found = _API.match(url.strip())
    return found[1].lower() if found else None
