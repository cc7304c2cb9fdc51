"""What a server is, and whether it can hold what a plan needs."""

from __future__ import annotations

from importlib.resources import files

from orchestra.errors import ConnectError
from orchestra.live.connect import Database
from orchestra.live.model import ServerFacts


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
    unreadable = row.pop("unreadable")
    if "cron.job" in unreadable:
        raise ConnectError(
            f"role {row['role']} cannot see cron jobs, so orchestra cannot tell which exist",
            f'grant select on cron.job to "{row["role"]}", or connect as the role that owns the jobs',
        )
    if unreadable:
        raise ConnectError(
            f"role {row['role']} cannot see what is in {', '.join(unreadable)}, "
            "so orchestra cannot tell what is already there",
            "connect as the role that made the first apply",
        )
    return ServerFacts(
        **{**row, "relations": frozenset(row["relations"]), "available": frozenset(row["available"])}
    )
