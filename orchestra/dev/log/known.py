"""What the log has to know of a database to tell of its rows: whose a queue is, what a job is called."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

import psycopg

MOST: Final = 200_000
"""Messages that are out at once and remembered; of older ones it is not told how long they took."""


@dataclass(frozen=True, slots=True)
class Queue:
    workload: str
    max_attempts: int
    has_steps: bool


@dataclass(slots=True)
class Known:
    """`queues` by their table, `jobs` and `runs` by their id; `out` are the messages that were handed out: when, and
    with which read_ct."""

    queues: dict[str, Queue] = field(default_factory=dict)
    jobs: dict[str, str] = field(default_factory=dict)
    runs: dict[str, tuple[str, str]] = field(default_factory=dict)
    woken: dict[str, str | None] = field(default_factory=dict)
    out: OrderedDict[tuple[str, str], tuple[datetime, int]] = field(default_factory=OrderedDict)

    def read(self, connection: psycopg.Connection[Any]) -> None:
        """As it is now; nothing where orchestra was never applied."""
        for table, take in ((_WORKLOADS, self.workload), (_JOBS, self.job)):
            try:
                for name, value in connection.execute(table):
                    take(value if isinstance(value, dict) else {"jobid": name, "jobname": value})
            except (psycopg.errors.UndefinedTable, psycopg.errors.InvalidSchemaName):
                continue

    def workload(self, row: Mapping[str, str | None]) -> None:
        if row.get("queue_name"):
            self.queues[f"pgmq.q_{row['queue_name']}"] = Queue(
                row["name"] or "", int(row["max_attempts"] or 1), bool(row.get("steps"))
            )

    def job(self, row: Mapping[str, str | None]) -> None:
        if row.get("jobid"):
            self.jobs[str(row["jobid"])] = row.get("jobname") or ""

    def hand_out(self, table: str, message: str, at: datetime, read_ct: int) -> None:
        self.out[table, message] = (at, read_ct)
        while len(self.out) > MOST:
            self.out.popitem(last=False)


_WORKLOADS: Final = """
    select w.name, jsonb_build_object('name', w.name, 'queue_name', w.queue_name,
                                      'max_attempts', w.max_attempts::text, 'steps', w.steps::text)
    from orchestra.workload w
"""
_JOBS: Final = "select jobid::text, jobname from cron.job"
