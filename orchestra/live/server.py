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
    """`unusable` are schemas that the role may not use, `unreadable` relations that it cannot see all of. `owner` is
    the role that made the first apply, None before one."""

    facts: ServerFacts
    unusable: tuple[str, ...]
    unreadable: tuple[str, ...]
    owner: str | None = None

    def fault(self) -> ConnectError | None:
        """Why the role must not be told that nothing exists: it only may not look."""
        role = self.facts.role
        if (fault := self._hidden(role)) is not None and (owner := self._other_owner()) is not None:
            # Row security shows the tables to their owner and its members alone, whatever is granted on them.
            fault.remedy = (
                f"what orchestra made here belongs to role {owner}: connect as it, or become a member of it: "
                f'grant "{owner}" to "{role}"'
            )
        return fault

    def _other_owner(self) -> str | None:
        """Of what the role may not see, if orchestra's is part of that."""
        hidden = any(name.startswith("orchestra") for name in (*self.unusable, *self.unreadable))
        return self.owner if hidden else None

    def _hidden(self, role: str) -> ConnectError | None:
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
    owner = row.pop("owner")
    row = {**row, "relations": frozenset(row["relations"]), "available": frozenset(row["available"])}
    return Sight(ServerFacts(**row), unusable, unreadable, owner)


def probe(database: Database) -> ServerFacts:
    """One round trip. Raises ConnectError where the role could not see what is there."""
    sight = look(database)
    if (fault := sight.fault()) is not None:
        raise fault
    return sight.facts
