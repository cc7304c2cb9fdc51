"""Sending by hand: to which workload, and the messages in one transaction, so that all of them are sent or none."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from orchestra.errors import UsageError
from orchestra.live.connect import Database
from orchestra.operate.session import READING

BATCH: Final = 1_000
"""Messages of one statement."""


@dataclass(frozen=True, slots=True)
class Target:
    """A workload that takes messages. `is_pipeline`: each starts a run, whose id is what is answered."""

    workload: str
    is_pipeline: bool
    paused: bool
    schema: Mapping[str, Any] | None


def target(database: Database, project: str, workload: str) -> Target:
    """UsageError where it is not there, or takes no messages."""
    with database.reading(READING):
        rows = database.rows(
            """
            select w.name, w.pattern, w.steps is not null as is_pipeline, not orchestra.is_open(w) as paused,
              w.payload_schema as schema
            from orchestra.workload w where w.project = %(project)s order by w.name
            """,
            {"project": project},
        )
    known = {row["name"]: row for row in rows}
    if workload not in known:
        from difflib import get_close_matches

        close = get_close_matches(workload, known, 1)
        raise UsageError(
            f"project {project} has no workload {workload!r} in this database",
            f"did you mean {close[0]}?" if close else f"it has {', '.join(list(known)[:10]) or 'none'}",
        )
    row = known[workload]
    if row["pattern"] != "queue":
        raise UsageError(
            f"workload {workload} has no queue: it is {row['pattern']}",
            "only a queue takes messages; "
            + (
                "it runs on its schedule"
                if row["pattern"] == "scheduled_sql"
                else "call its function over HTTP"
            ),
        )
    return Target(workload, row["is_pipeline"], row["paused"], row["schema"])


def send(
    database: Database,
    project: str,
    workload: str,
    payloads: Sequence[str],
    *,
    delay_s: float | None = None,
    at: datetime | None = None,
    key: str | None = None,
) -> list[int]:
    """Ids of the messages, or of the runs; in a transaction of the caller's. `key` goes with one payload."""
    names = {
        "name": f"{project}/{workload}",
        "payloads": list(payloads),
        "delay": delay_s,
        "at": at,
        "key": key,
    }
    if key is not None:
        rows = database.rows(
            "select array[orchestra.send(%(name)s, (%(payloads)s::text[])[1]::jsonb, "
            "delay => make_interval(secs => %(delay)s::float8), scheduled_at => %(at)s::timestamptz, "
            "idempotency_key => %(key)s)] as ids",
            names,
        )
    else:
        rows = database.rows(
            "select orchestra.send_many(%(name)s, %(payloads)s::text[]::jsonb[], "
            "delay => make_interval(secs => %(delay)s::float8), scheduled_at => %(at)s::timestamptz) as ids",
            names,
        )
    return list(rows[0]["ids"])


def note(database: Database, project: str, workload: str, count: int) -> None:
    """The row of the ledger, in the same transaction."""
    database.rows(
        "select orchestra.log_verb('send', %(project)s, %(workload)s, jsonb_build_object('count', %(count)s::bigint))",
        {"project": project, "workload": workload, "count": count},
    )
