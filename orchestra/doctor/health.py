"""What slows a database down over time: old snapshots, and histories that nobody prunes."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from orchestra.doctor.ask import Facts
from orchestra.doctor.model import Check, Group, State
from orchestra.doctor.said import lasting, size, unasked
from orchestra.ir.sql import ident, literal

_GROUP = Group.HEALTH
OLD_S: Final = 600
"""A snapshot that is held this long makes the probes of queues slow: what is deleted since cannot be removed."""
LARGE: Final = 1 << 28
"""Bytes of a history that housekeeping keeps below 100 MB."""
BEHIND: Final = 10_000_000
"""Transactions that a replication slot may be behind."""


def checks(facts: Facts) -> Iterator[Check]:
    if facts.server is None:
        return
    yield from _snapshots(facts)
    yield from _sizes(facts)


def _snapshots(facts: Facts) -> Iterator[Check]:
    answer = facts.of("sessions")
    if answer.value is None:
        yield unasked(_GROUP, "old_snapshots", "how old the oldest transaction is", answer)
        return
    held = list(_held(answer.value))
    yield from held
    if not (facts.of("server").value or {}).get("sees_sessions"):
        yield Check(
            _GROUP,
            "old_snapshots",
            State.UNKNOWN,
            "transactions of other roles could not be asked for",
            command=f"grant pg_read_all_stats to {ident(facts.server.role)}" if facts.server else "",
        )
    elif not held:
        yield Check(_GROUP, "old_snapshots", State.OK, "no old transaction holds vacuum back")


def _held(found: dict[str, Any]) -> Iterator[Check]:
    for t in found["transactions"]:
        if t["seconds"] > OLD_S:
            who = f" ({t['application']})" if t["application"] else ""
            yield Check(
                _GROUP,
                "old_snapshots",
                State.WARNING,
                f"a transaction of {t['role']}{who} has been open for {lasting(t['seconds'])} ({t['state']}) and holds "
                "vacuum back: queues become slow",
                command=f"select pg_terminate_backend({t['pid']})",
            )
    for t in found["prepared"]:
        if t["seconds"] > OLD_S:
            yield Check(
                _GROUP,
                "old_snapshots",
                State.WARNING,
                f"the prepared transaction {t['gid']} of {t['role']} is {lasting(t['seconds'])} old and holds vacuum "
                "back",
                command=f"rollback prepared {literal(t['gid'])}",
            )
    for s in found["slots"]:
        if (s["transactions"] or 0) > BEHIND:
            idle = "" if s["active"] else ", which nobody reads,"
            yield Check(
                _GROUP,
                "old_snapshots",
                State.WARNING,
                f"the replication slot {s['name']}{idle} is {s['transactions']:,} transactions behind and holds vacuum "
                "back",
                "where its reader is gone for good:",
                f"select pg_drop_replication_slot({literal(s['name'])})",
            )


def _sizes(facts: Facts) -> Iterator[Check]:
    for name, relation, remedy in (
        (
            "runs",
            "cron.job_run_details",
            "delete from cron.job_run_details where end_time < now() - interval '7 days'; vacuum full "
            "cron.job_run_details",
        ),
        (
            "net",
            "net._http_response",
            "delete from net._http_response where created < now() - interval '6 hours'; vacuum full net._http_response",
        ),
    ):
        value = facts.of(name).value
        if value is None:
            continue
        large = value["bytes"] > LARGE
        yield Check(
            _GROUP,
            "size",
            State.WARNING if large else State.OK,
            f"{relation} takes {size(value['bytes'])}",
            command=remedy if large else "",
        )
