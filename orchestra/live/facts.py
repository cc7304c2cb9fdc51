"""The live blast radius of a plan: looked up for the objects that it touches, and never by scanning a big queue."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from functools import cache
from typing import Final

from orchestra import runtime
from orchestra.ir.program import Json
from orchestra.ir.sql import ident, value
from orchestra.live.connect import Database
from orchestra.live.model import COUNTED, Due, JobFacts, QueueFacts, ServerFacts

_NO_TABLE: Final = "42P01"
SCHEDULES_SHOWN: Final = 100
"""Next fire times are computed for this many schedules at most."""


def queues(database: Database, names: Sequence[str]) -> dict[str, QueueFacts]:
    """What waits in each of the queues; one round trip. A table that somebody dropped counts as an empty one.

    Each table is looked at behind a savepoint of its own, which gives back its locks: a plan of a thousand queues must
    fit into the lock table.
    """
    answers = database.attempt([(query,) for name in names for query in (_waiting(name), _archived(name))])
    for _, error in answers:
        if error is not None and error.diag.sqlstate != _NO_TABLE:
            raise error
    texts = iter([text for text, _ in answers])
    found = {}
    for name in names:
        waiting = json.loads(next(texts) or "{}")
        found[name] = QueueFacts(
            waiting.get("waiting", 0),
            waiting.get("in_flight", 0),
            int(next(texts) or 0),
            waiting.get("oldest_s"),
            tuple((a, c) for a, c in waiting.get("attempts") or []),
        )
    return found


def _waiting(name: str) -> str:
    queue = ident("pgmq", f"q_{name}")
    return (
        "select jsonb_build_object(\n"
        f"  'waiting', (select count(*) from (select from {queue} limit {COUNTED + 1}) s),\n"
        f"  'in_flight', (select count(*) from (select from {queue} where vt > now() and read_ct > 0"
        f" limit {COUNTED + 1}) s),\n"
        f"  'oldest_s', (select extract(epoch from now() - enqueued_at)::float8 from {queue}"
        " order by msg_id limit 1),\n"
        "  'attempts', (select jsonb_agg(jsonb_build_array(read_ct, n) order by read_ct)\n"
        f"   from (select read_ct, count(*) as n from (select read_ct from {queue} limit {COUNTED + 1}) s\n"
        "         group by read_ct) g))"
    )


def _archived(name: str) -> str:
    return f"select count(*) from (select from {ident('pgmq', f'a_{name}')} limit {COUNTED + 1}) s"


def jobs(database: Database, server: ServerFacts, names: Sequence[str]) -> dict[str, JobFacts]:
    """The last run of each job, by name."""
    if not names or "cron.job_run_details" not in server.relations:
        return {}
    rows = database.rows(
        """
        select j.jobname as name, d.status, d.return_message as message, coalesce(d.end_time, d.start_time) as at
        from cron.job j
        cross join lateral (
          select d.* from cron.job_run_details d where d.jobid = j.jobid order by d.runid desc limit 1
        ) d
        where j.jobname = any(%(names)s)
        """,
        {"names": list(names)},
    )
    return {r["name"]: JobFacts(r["status"], r["message"] or "", r["at"]) for r in rows}


def next_times(database: Database, schedules: Iterable[Due]) -> Mapping[Due, datetime | None]:
    """The next due time of each, from the same SQL that the guard and the catch-up use. One round trip.

    The text is run as it is, so that it works before the runtime is installed.
    """
    wanted = list(dict.fromkeys(schedules))[:SCHEDULES_SHOWN]
    if not wanted:
        return {}
    columns: tuple[tuple[str, list[Json]], ...] = (
        ("text", [d.cron for d in wanted]),
        ("bigint", [d.every_ms for d in wanted]),
        ("text", [d.timezone for d in wanted]),
    )
    arrays = ", ".join(f"array[{', '.join(value(i) for i in items)}]::{kind}[]" for kind, items in columns)
    near, far = (
        _due_sql("now()", "(now() + interval '40 days')"),
        _due_sql("now()", "(now() + interval '10 years')"),
    )
    rows = database.rows(
        f"select given.position, coalesce(({near}), ({far})) as due\n"
        f"from unnest({arrays}) with ordinality as given(cron, every_ms, timezone, position)"
    )
    found = {r["position"]: r["due"] for r in rows}
    return {due: found.get(position) for position, due in enumerate(wanted, 1)}


@cache
def _due_sql(after: str, until: str) -> str:
    """The body of `orchestra.due` as a subquery, its parameters replaced by columns of `given` and the window."""
    (text,) = (text for name, text in runtime.functions() if name == "200_due.sql")
    body = text.split("$body$")[1]
    arguments = ("given.cron", "given.every_ms", "given.timezone", after, until, "1")
    return re.sub(r"\$([1-6])(?![0-9])", lambda m: arguments[int(m[1]) - 1], body)
