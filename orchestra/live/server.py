"""What a server is, and whether it can hold what a plan needs."""

from __future__ import annotations

from dataclasses import dataclass
from importlib.resources import files

from orchestra.errors import ConnectError
from orchestra.ir.sql import ident
from orchestra.live.connect import Database
from orchestra.live.model import ServerFacts


@dataclass(frozen=True, slots=True)
class Sight:
    """`unusable` are schemas that the role may not use, `unreadable` relations that it cannot see all of."""

    facts: ServerFacts
    unusable: tuple[str, ...]
    unreadable: tuple[str, ...]

    def fault(self) -> ConnectError | None:
        """Why the role must not be told that nothing exists: it only may not look."""
        role = self.facts.role
        if self.unusable:
            return ConnectError(
                f"role {role} may not use the schema{'s' if len(self.unusable) > 1 else ''} "
                f"{', '.join(self.unusable)}, so it cannot see what is already there",
                "; ".join(f"grant usage on schema {s} to {ident(role)}" for s in self.unusable),
            )
        if "cron.job" in self.unreadable:
            return ConnectError(
                f"role {role} cannot see cron jobs, so orchestra cannot tell which exist",
                f"grant select on cron.job to {ident(role)}, or connect as the role that owns the jobs",
            )
        if self.unreadable:
            return ConnectError(
                f"role {role} cannot see what is in {', '.join(self.unreadable)}, "
                "so orchestra cannot tell what is already there",
                "connect as the role that made the first apply",
            )
        return None


def look(database: Database) -> Sight:
    """One round trip."""
    sql = files("orchestra.live").joinpath("probe.sql").read_text("utf-8")
    (row,) = database.rows(sql)
    unusable, unreadable = tuple(row.pop("unusable")), tuple(row.pop("unreadable"))
    row = {**row, "relations": frozenset(row["relations"]), "available": frozenset(row["available"])}
    return Sight(ServerFacts(**row), unusable, unreadable)


def probe(database: Database) -> ServerFacts:
    """One round trip. Raises ConnectError where the role could not see what is there."""
    sight = look(database)
    if (fault := sight.fault()) is not None:
        raise fault
    return sight.facts
