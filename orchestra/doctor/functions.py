"""Edge Functions: pg_net's worker, the secrets that a call needs, and what the functions themselves answer."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, Final

from orchestra.doctor.ask import Facts
from orchestra.doctor.knock import Reply
from orchestra.doctor.model import Check, Group, State
from orchestra.doctor.said import unasked
from orchestra.kinds.secret import Secret
from orchestra.plan.conditions import missing_secret
from orchestra.report.words import count

_GROUP = Group.FUNCTIONS
MANY: Final = 1_000
"""Calls that wait; pg_net makes about 200 a second."""


def secrets(facts: Facts, wanted: Sequence[Secret]) -> Iterator[Check]:
    answer = facts.of("vault")
    if not wanted or facts.server is None:
        return
    if answer.value is None:
        missing = [missing_secret(s).remedy for s in wanted]
        why = "Vault is not installed yet" if answer.absent else answer.why
        yield Check(
            _GROUP,
            "secrets",
            State.UNKNOWN,
            f"the secrets {', '.join(s.object_name for s in wanted)} could not be asked for: {why}",
            "after the apply:" if answer.absent else "as a role that may:",
            "; ".join(missing),
        )
        return
    there = [s.object_name for s in wanted if s.object_name in answer.value]
    if there:
        yield Check(_GROUP, "secrets", State.OK, f"Vault has {', '.join(there)}")
    for secret in wanted:
        if secret.object_name not in there:
            condition = missing_secret(secret)
            yield Check(_GROUP, "secrets", State.FAILED, condition.message, command=condition.remedy)


def calls(facts: Facts, *, wanted: bool) -> Iterator[Check]:
    """pg_net in the database; `wanted`: the specs call functions through it."""
    extensions = facts.of("extensions").value or {}
    if not (extensions.get("pg_net") or {}).get("installed"):
        return
    settings: dict[str, Any] = (facts.of("server").value or {}).get("settings") or {}
    database = facts.server.database if facts.server else ""
    place = settings.get("pg_net.database_name")
    if place not in (None, "", database):
        yield Check(
            _GROUP,
            "net_database",
            State.FAILED if wanted else State.WARNING,
            f"pg_net makes calls from database {place} only, and this is {database}: calls queue here for ever",
            f"connect to {place}, or set pg_net.database_name = '{database}'",
        )
    workers = facts.of("workers").value
    if workers is not None and not workers["net"]:
        yield Check(
            _GROUP,
            "net_worker",
            State.FAILED if wanted else State.WARNING,
            "pg_net's worker is not running, so no call ever leaves",
            "on the embedded database: orchestra dev",
            "select net.worker_restart()",
        )
    elif workers is not None:
        yield Check(_GROUP, "net_worker", State.OK, "pg_net's worker is running")
    yield from _queue(facts)


def _queue(facts: Facts) -> Iterator[Check]:
    answer = facts.of("net")
    if answer.value is None:
        yield unasked(_GROUP, "net_queue", "how its calls ended", answer)
        return
    net = answer.value
    if net["waiting"] > MANY:
        yield Check(
            _GROUP,
            "net_queue",
            State.WARNING,
            f"more than {MANY:,} calls wait for pg_net",
            "one slow callee holds up all others; a stuck worker can be started anew",
            "select net.worker_restart()",
        )
    bad = net["faults"] + net["refused"]
    if net["answers"] and bad:
        yield Check(
            _GROUP,
            "net_answers",
            State.WARNING,
            f"{bad} of the last {count(net['answers'], 'call')} failed or were refused, at last with: {net['last']}",
            command="select id, status_code, error_msg from net._http_response order by id desc limit 20",
        )


def reached(replies: Sequence[Reply]) -> Iterator[Check]:
    """What the functions answered to a wrong key, from this machine."""
    for r in replies:
        yield Check(_GROUP, "reachable", *_judged(r))


def _judged(r: Reply) -> tuple[State, str, str, str]:
    deploy = f"orchestra compile --out supabase && supabase functions deploy {r.function}"
    if r.status is None:
        return (
            State.FAILED,
            f"function {r.function} does not answer at {r.host}: {r.fault}",
            "see that the secret of the functions' URL is right, and that this machine may reach it (--no-network "
            "leaves this out)",
            "",
        )
    if r.status == 404:
        return State.FAILED, f"function {r.function} is not deployed at {r.host} (404)", "", deploy
    if r.status in (401, 403):
        return State.OK, f"function {r.function} answers, and refuses a wrong key ({r.status})", "", ""
    if r.status == 405 and not r.keyed:
        return State.OK, f"function {r.function} answers", "", ""
    if r.status < 300 and r.keyed:
        return (
            State.FAILED,
            f"function {r.function} took a wrong key ({r.status}): it is not the one that orchestra wrote",
            "",
            deploy,
        )
    return (
        State.WARNING,
        f"function {r.function} answered {r.status} at {r.host}",
        "its log is in the dashboard, under Edge Functions",
        "",
    )
