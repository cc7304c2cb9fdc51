"""How the database is reached, and as whom."""

from __future__ import annotations

from collections.abc import Collection, Iterator

from orchestra.doctor.ask import Facts
from orchestra.doctor.model import Check, Group, State
from orchestra.ir.sql import ident
from orchestra.live.address import Way, address
from orchestra.live.connect import safe

_GROUP = Group.CONNECTION


def connected(url: str, facts: Facts, wanted: Collection[str] = ()) -> Iterator[Check]:
    """`wanted` are the extensions that the specs need."""
    where = f"connected to {safe(url)}"
    if (server := facts.server) is None:
        yield Check(
            _GROUP,
            "connection",
            State.FAILED,
            f"{where}, and the connection was of no use: {facts.lost}",
            "look at the server's log; a pooler must let transactions that only read go by",
        )
        return
    yield Check(
        _GROUP, "connection", State.OK, f"{where}, PostgreSQL {server.server_version.partition(' ')[0]}"
    )
    yield from _way(facts)
    yield _role(facts)
    if facts.sight is not None and (fault := facts.sight.fault()) is not None:
        yield Check(_GROUP, "sight", State.FAILED, fault.message, fault.remedy)
    elif wanted:
        yield from _rights(facts, wanted)


def unreachable(message: str, remedy: str) -> Check:
    return Check(_GROUP, "connection", State.FAILED, message, remedy)


def elsewhere() -> Check:
    """The address leads to another project than the one meant, so its password stays here."""
    return Check(
        _GROUP, "connection", State.UNKNOWN, "the database was not asked: it is another one than is meant"
    )


def only_ipv6(ref: str | None) -> Check:
    """A direct connection from a machine that has IPv4 alone."""
    user = f"postgres.{ref}" if ref else "postgres.<project_ref>"
    return Check(
        _GROUP,
        "ipv6",
        State.FAILED,
        "the host has an IPv6 address only, and this machine reaches none",
        "take the session pooler's connection string (Connect, in the dashboard): "
        f"postgresql://{user}:…@aws-0-<region>.pooler.supabase.com:5432/postgres",
    )


def _way(facts: Facts) -> Iterator[Check]:
    way = address(facts.keywords).way
    ssl = facts.of("server").value or {}
    pooled = facts.pid and ssl.get("pid") and facts.pid != ssl["pid"]
    if way is Way.OTHER and pooled:
        yield Check(
            _GROUP,
            "pooler",
            State.OK,
            "a pooler stands in between; plan and apply keep to what works in its transaction mode",
        )
    elif way is not Way.OTHER:
        more = "; plan and apply keep to what works there" if "transaction" in way.value else ""
        yield Check(_GROUP, "pooler", State.OK, f"by Supabase's {way.value}{more}")
    host = facts.keywords.get("host", "")
    local = host.startswith("/") or host in ("", "localhost", "127.0.0.1", "::1")
    if ssl.get("ssl") is False and not local and not pooled:
        yield Check(
            _GROUP,
            "tls",
            State.WARNING,
            f"the connection to {host} is not encrypted",
            "add ?sslmode=require to the URL",
        )


def _role(facts: Facts) -> Check:
    server, more = facts.server, facts.of("server").value or {}
    assert server is not None
    if server.superuser:
        return Check(_GROUP, "role", State.OK, f"as role {server.role}, a superuser, who sees every job")
    rights = " and bypasses row security" if more.get("bypassrls") else ""
    return Check(_GROUP, "role", State.OK, f"as role {server.role}, who is no superuser{rights}")


def _rights(facts: Facts, wanted: Collection[str]) -> Iterator[Check]:
    """Orchestra and pgmq are a schema each, which the first apply makes."""
    server, more = facts.server, facts.of("server").value
    if server is None or more is None or more["create"]:
        return
    missing = [
        name
        for name, there in (
            ("orchestra", "orchestra.version" in server.relations),
            ("pgmq", server.pgmq or "pgmq" not in wanted),
        )
        if not there
    ]
    if missing:
        yield Check(
            _GROUP,
            "create",
            State.FAILED,
            f"role {server.role} may not make the schemas of an apply here: {', '.join(missing)}",
            "as the owner of the database:",
            f"grant create on database {ident(server.database)} to {ident(server.role)}",
        )
