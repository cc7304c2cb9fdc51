"""Workloads by hand, for tests that are about one number."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from orchestra.diagnostics import Span
from orchestra.spec.model import (
    Durations,
    HttpTrigger,
    ManualTrigger,
    Platform,
    ScheduleTrigger,
    SqlHandler,
    TableTrigger,
    Workload,
)

HTTP = HttpTrigger("jwt")
TABLE = TableTrigger("public", "documents", ("insert",))
MANUAL = ManualTrigger()
SCHEDULE = ScheduleTrigger(cron="*/15 * * * *")
SQL = SqlHandler("delete from app.sessions where expires_at < now()")

FREE = Platform("supabase", "free")
PRO = Platform("supabase", "pro")
POSTGRES = Platform("postgres")


class Nowhere:
    """A source for values that no file holds."""

    def at(self, path: str = "", *, key: bool = False) -> Span:
        return Span("test.yaml", 1, 1, 1, 1)


def workload(max_ms: int = 10_000, *, written: str = "", **fields: Any) -> Workload:
    """A workload of one item of `max_ms`, over HTTP; timeout and lease are what the loader fills in."""
    typical = fields.pop("typical_ms", None)
    base = Workload(
        name="job",
        durations=Durations(max_ms, typical),
        source=Nowhere(),
        written=frozenset(k.rsplit(".", n)[0] for k in written.split() for n in range(k.count(".") + 1)),
        triggers=(HTTP,),
        timeout_ms=max_ms,
        visibility_timeout_ms=max_ms + 30_000,
    )
    return replace(base, **fields)
