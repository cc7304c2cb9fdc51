"""What a server is, and whether it can hold what a plan needs."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from importlib.resources import files

from orchestra.errors import ConnectError
from orchestra.live.connect import Database


@dataclass(frozen=True, slots=True)
class ServerFacts:
    """`relations` are those of ours and of the extensions that exist; `lock_slots` is the size of the lock table.
    `pg_cron` is the extension's version, None where it is absent; `pg_cron_default` the one that the server would create."""

    role: str
    database: str
    server_version: str
    version_num: int
    superuser: bool
    lock_slots: int
    cron_timezone: str | None
    cron_database: str | None
    pg_cron: str | None
    pgmq_available: bool
    pg_cron_default: str | None
    pgmq: bool
    relations: frozenset[str]
    now: datetime

    @property
    def cron_seconds(self) -> bool:
        """Whether pg_cron knows `N seconds` schedules (1.5 and later)."""
        version = self.pg_cron or self.pg_cron_default
        if version is None:
            return True
        major, minor = (version.replace("-", ".").split(".") + ["0"])[:2]
        return (int(major), int(minor)) >= (1, 5)


def probe(database: Database) -> ServerFacts:
    """One round trip. Raises ConnectError where the role could not see what is there: it must never be told that
    nothing exists when it only may not look."""
    sql = files("orchestra.live").joinpath("probe.sql").read_text("utf-8")
    (row,) = database.rows(sql)
    unusable = row.pop("unusable")
    if unusable:
        raise ConnectError(
            f"role {row['role']} may not use the schema{'s' if len(unusable) > 1 else ''} {', '.join(unusable)}, "
            "so it cannot see what is already there",
            "; ".join(f'grant usage on schema {s} to "{row["role"]}"' for s in unusable),
        )
    if not row.pop("sees_cron_jobs"):
        raise ConnectError(
            f"role {row['role']} cannot see cron jobs, so orchestra cannot tell which exist",
            f'grant select on cron.job to "{row["role"]}", or connect as the role that owns the jobs',
        )
    return ServerFacts(**{**row, "relations": frozenset(row["relations"])})
