"""What the server is and holds: versions, clock, time zones, locks, connections."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from orchestra import runtime
from orchestra.doctor.ask import Facts
from orchestra.doctor.model import Check, Group, State
from orchestra.doctor.said import lasting, unasked
from orchestra.ir.sql import ident
from orchestra.plan.batches import SHARE, needed
from orchestra.plan.model import Plan
from orchestra.version import __version__

_GROUP = Group.SERVER
OLDEST: Final = 150_000
"""The oldest server that the tests run on."""
APART: Final = timedelta(seconds=5)
"""Clocks that are further apart are told of: schedules and signatures go by them."""


def checks(facts: Facts) -> Iterator[Check]:
    server, answer = facts.server, facts.of("server")
    if server is None:
        return
    if server.version_num < OLDEST:
        yield Check(
            _GROUP,
            "version",
            State.FAILED,
            f"PostgreSQL {server.server_version} is older than 15, the oldest that orchestra is tested on",
            "upgrade the server (on Supabase: Project Settings, Infrastructure)",
        )
    if answer.value is None:
        yield unasked(_GROUP, "server", "its settings", answer)
        return
    more = answer.value
    yield from _writable(more, server.role, server.database)
    yield from _clock(facts, more)
    taken, most = more["connections"], more["max_connections"]
    full = taken > most * 0.8
    yield Check(
        _GROUP,
        "connections",
        State.WARNING if full else State.OK,
        f"{taken} of {most} connections are taken" + (", and each running job takes one" if full else ""),
        "close what is idle, go by a pooler, or raise max_connections" if full else "",
    )


def _writable(more: dict[str, object], role: str, name: str) -> Iterator[Check]:
    if more["in_recovery"]:
        yield Check(
            _GROUP,
            "read_only",
            State.FAILED,
            "this is a standby, which can only be read",
            "take the connection string of the primary",
        )
    elif more["read_only"]:
        command = _writes_again(str(more["read_only_source"]), role, name)
        yield Check(
            _GROUP,
            "read_only",
            State.FAILED,
            "transactions only read here by default (default_transaction_read_only), as when a disk is full",
            "free or add disk space, and then take the setting back"
            if command
            else "take it out of the URL or of PGOPTIONS",
            command,
        )


def _writes_again(source: str, role: str, database: str) -> str:
    """Takes the setting back where it was made; a transaction that writes has to say so as long as it holds."""
    holder = {
        "database": f"database {ident(database)}",
        "user": f"role {ident(role)}",
        "database user": f"role {ident(role)} in database {ident(database)}",
        "global": "role all",
    }.get(source)
    if holder is not None:
        return f"begin read write; alter {holder} reset default_transaction_read_only; commit"
    if source == "client":
        return ""
    return "alter system set default_transaction_read_only = off; select pg_reload_conf()"


def _clock(facts: Facts, more: dict[str, object]) -> Iterator[Check]:
    if facts.sent is None or facts.received is None:
        return
    there = datetime.fromisoformat(str(more["now"]))
    ahead = max(there - facts.received, facts.sent - there, timedelta())
    if ahead > APART:
        which = "ahead of" if there > facts.received else "behind"
        yield Check(
            _GROUP,
            "clock",
            State.WARNING,
            f"the server's clock is {lasting(ahead.total_seconds())} {which} this machine's: due times, keys and "
            "signatures go by them",
            "set this machine's clock",
            "timedatectl set-ntp true",
        )
    else:
        yield Check(_GROUP, "clock", State.OK, "its clock and this machine's agree")


def zones(facts: Facts, names: Sequence[str], moments: Sequence[datetime]) -> Iterator[Check]:
    """Both the guard in the database and the plan's words go by time zone data; they have to be the same."""
    answer = facts.of("zones")
    if not names:
        return
    if answer.value is None:
        yield unasked(_GROUP, "timezones", "its time zone data", answer)
        return
    bad = False
    for name in names:
        there = answer.value.get(name)
        if there is None:
            bad = True
            yield Check(
                _GROUP,
                "timezones",
                State.FAILED,
                f"the server knows no time zone {name}, which a schedule is in",
                "update the server's time zone data (the tzdata package), or choose another name of that zone",
            )
            continue
        try:
            zone = ZoneInfo(name)
        except (ZoneInfoNotFoundError, ValueError):
            continue  # rule E408 says so
        here = [int(m.astimezone(zone).utcoffset().total_seconds()) for m in moments]  # type: ignore[union-attr]
        if here != there:
            bad = True
            when = next(m for m, a, b in zip(moments, here, there, strict=True) if a != b)
            yield Check(
                _GROUP,
                "timezones",
                State.WARNING,
                f"about {when:%B %Y} the server has another time in {name} than this machine: one has older time "
                "zone data, and schedules go by the server's",
                "update the server's tzdata package, or this machine's",
                "pip install --upgrade tzdata",
            )
    if not bad:
        yield Check(
            _GROUP, "timezones", State.OK, f"its time zone data knows {', '.join(names)} as this machine does"
        )


def runtime_version(facts: Facts) -> Iterator[Check]:
    value = facts.of("projects").value
    if value is None or value["version"] is None:
        return
    version = value["version"]
    if version > runtime.VERSION:
        yield Check(
            _GROUP,
            "runtime",
            State.FAILED,
            f"the runtime here is version {version}, newer than this orchestra ({__version__}, version "
            f"{runtime.VERSION}) knows",
            f"it asks for orchestra {value['oldest_tool']} or later",
            "pip install --upgrade orchestra",
        )
    elif version < runtime.VERSION:
        yield Check(
            _GROUP,
            "runtime",
            State.WARNING,
            f"the runtime here is version {version}; the next apply brings it to {runtime.VERSION}",
            command="orchestra apply",
        )
    else:
        yield Check(_GROUP, "runtime", State.OK, f"the runtime is version {version}, this orchestra's own")


def locks(facts: Facts, plans: Sequence[Plan]) -> Iterator[Check]:
    """All locks of a transaction are held to its end, and the table of locks is finite."""
    server, more = facts.server, facts.of("server").value
    if server is None or more is None:
        return
    need = max((needed(p.changes) for p in plans if p.changes), default=0)
    if need <= server.lock_slots * SHARE:
        words = f"; the plan needs about {need:,}" if need else ""
        yield Check(_GROUP, "locks", State.OK, f"its lock table has {server.lock_slots:,} places{words}")
        return
    sessions = more["max_connections"] + more["max_prepared"]
    value = -(-int(need / SHARE) // sessions)
    cut = max(len(p.batches) for p in plans)
    yield Check(
        _GROUP,
        "locks",
        State.WARNING,
        f"its lock table has {server.lock_slots:,} places and the plan needs about {need:,}, so an apply is cut into "
        f"{cut} transactions",
        "to have one, give it more and restart the server",
        f"alter system set max_locks_per_transaction = {value}",
    )
