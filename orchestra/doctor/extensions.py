"""The extensions that a spec's work needs: installed, or offered by the server."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from typing import Final

from orchestra.doctor.ask import Facts
from orchestra.doctor.model import Check, Group, State
from orchestra.doctor.said import unasked
from orchestra.ir.sql import ident
from orchestra.kinds.extension import carried_pgmq
from orchestra.plan.server import cannot_create

_GROUP = Group.EXTENSIONS
NAMES: Final = ("pgmq", "pg_cron", "pg_net", "supabase_vault")


def checks(facts: Facts, wanted: Collection[str]) -> Iterator[Check]:
    """`wanted` are those that the specs need; without a spec all four are told of, and none can fail."""
    answer, server = facts.of("extensions"), facts.server
    if answer.value is None or server is None:
        if server is not None:
            yield unasked(_GROUP, "extensions", "its extensions", answer)
        return
    for name in NAMES:
        one = answer.value[name]
        if one["installed"]:
            yield Check(
                _GROUP, name, State.OK, f"{name} {one['installed']} is installed, in schema {one['schema']}"
            )
        elif name == "pgmq" and server.pgmq:
            yield Check(_GROUP, name, State.OK, "pgmq is installed as plain SQL, in schema pgmq")
        elif name not in wanted:
            continue
        elif name == "pgmq" and not one["offered"]:
            yield Check(
                _GROUP,
                name,
                State.OK,
                f"pgmq is not offered; an apply installs {carried_pgmq()} as plain SQL",
            )
        elif (fault := cannot_create(server, name)) is not None:
            yield Check(_GROUP, name, State.FAILED, fault.message, fault.remedy)
        elif one["superuser"] and not _creates(facts):
            yield Check(
                _GROUP,
                name,
                State.FAILED,
                f"only a superuser creates {name} on this server, and role {server.role} is none",
                "as a superuser:",
                _create(name, ident(server.role)),
            )
        else:
            version = one["offered"] or server.pg_cron_default
            yield Check(_GROUP, name, State.OK, f"{name} {version} is offered; an apply creates it")


def _creates(facts: Facts) -> bool:
    """What takes a superuser; providers let their own role do it."""
    return bool((facts.server and facts.server.superuser) or (facts.of("server").value or {}).get("managed"))


def _create(name: str, role: str) -> str:
    more = f"; grant usage on schema cron to {role}; grant select on cron.job to {role}"
    return f"create extension {name} cascade{more if name == 'pg_cron' else ''}"
