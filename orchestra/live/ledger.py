"""The deployment ledger of a project and what its operators did, read in a constant number of round trips."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime
from functools import cache
from importlib.resources import files
from typing import Any, Final

from orchestra.ir.program import Json
from orchestra.live.connect import Database
from orchestra.live.ledger_rows import AdoptedRow, LedgerRow, Traces, VerbRow
from orchestra.live.model import ServerFacts

LARGEST: Final = 2**63 - 1
_OF_AN_APPLY: Final = ["refund"]
"""Verbs that an apply itself calls, when it adopts a queue."""


def exists(server: ServerFacts) -> bool:
    """Whether this database has a ledger at all."""
    return {"orchestra.project", "orchestra.registry"} <= server.relations


def projects(database: Database) -> list[str]:
    """Those of which the ledger speaks."""
    return [
        r["project"] for r in database.rows("select distinct project from orchestra.deployment order by 1")
    ]


def newest(database: Database, project: str, limit: int, workload: str | None = None) -> list[LedgerRow]:
    """The rows of the newest `limit` applies, the newest first, without their changes."""
    rows = database.rows(
        _sql("ledger_list"),
        {
            "project": project,
            "limit": limit,
            "workload": workload,
            "addresses": _addresses(workload) if workload is not None else "",
        },
    )
    return [LedgerRow(**row) for row in rows]


def verbs(
    database: Database, project: str, since: datetime | None, limit: int, workload: str | None = None
) -> list[VerbRow]:
    """The newest `limit` verbs of operators since a time, the newest first. A workload's are those of the whole project
    as well. A runtime before version 4 has no column for the person."""
    rows = database.rows(
        """
        select l.id, l.at, l.role_name as role, to_jsonb(l) ->> 'actor' as actor, l.verb, l.workload, l.detail
        from orchestra.operator_log l
        where l.project = %(project)s and l.verb <> all(%(own)s)
          and (%(since)s::timestamptz is null or l.at >= %(since)s)
          and (%(workload)s::text is null or l.workload is null or l.workload = %(workload)s)
        order by l.id desc
        limit %(limit)s
        """,
        {"project": project, "since": since, "limit": limit, "workload": workload, "own": _OF_AN_APPLY},
    )
    return [VerbRow(**row) for row in rows]


def turns(database: Database, project: str) -> dict[str | None, VerbRow]:
    """The last pause or resume of each workload, and of the project as a whole (None), among the newest 5,000 verbs."""
    rows = database.rows(
        """
        select distinct on (l.workload) l.id, l.at, l.role_name as role, to_jsonb(l) ->> 'actor' as actor, l.verb,
               l.workload, l.detail
        from (
          select o.* from orchestra.operator_log o where o.project = %(project)s order by o.id desc limit 5000
        ) l
        where l.verb in ('pause', 'resume')
        order by l.workload, l.id desc
        """,
        {"project": project},
    )
    return {row["workload"]: VerbRow(**row) for row in rows}


def apply_of(database: Database, project: str, number: int) -> list[LedgerRow]:
    """The rows of the apply of which row `number` is one, with their changes, in order; none where it is not there."""
    if not 0 < number <= LARGEST:
        return []
    rows = database.rows(_sql("ledger_show"), {"project": project, "number": number})
    return [
        LedgerRow(**{**row, "changes": tuple(row["changes"]), "counts": _counts(row["changes"])})
        for row in rows
    ]


def owner_of(database: Database, number: int) -> str | None:
    """The project to which row `number` belongs."""
    if not 0 < number <= LARGEST:
        return None
    rows = database.rows("select project from orchestra.deployment where id = %(number)s", {"number": number})
    return str(rows[0]["project"]) if rows else None


def recorded_now(database: Database, project: str) -> Traces:
    """The registry of a project, as `apply.record.registered` has it."""
    rows = database.rows(
        """
        select address, applied || case when protect then '{"protect": true}' else '{}' end::jsonb as applied
        from orchestra.registry
        where project = %(project)s and tombstoned_at is null
        """,
        {"project": project},
    )
    return {row["address"]: row["applied"] for row in rows}


def traces(database: Database, project: str, number: int, *, later: bool) -> Traces:
    """What the first change after row `number` found at each address (`later`), or what the last one up to it left
    there. Without those of which the ledger says nothing."""
    rows = database.rows(_sql("ledger_traces"), {"project": project, "number": number, "later": later})
    return {row["address"]: row["applied"] for row in rows if row["noted"]}


def moves(database: Database, project: str, number: int) -> list[tuple[str | None, str]]:
    """Addresses before and after of all that was renamed after row `number`, and no address before of workloads that
    were removed, in that order."""
    rows = database.rows(
        """
        select c.item ->> 'moved_from' as before, c.item ->> 'address' as after
        from orchestra.deployment d
        cross join lateral jsonb_array_elements(
          case jsonb_typeof(d.changes) when 'array' then d.changes else d.changes -> 'changes' end
        ) with ordinality c(item, place)
        where d.project = %(project)s and d.id > %(number)s
          and (c.item ->> 'moved_from' is not null
               or c.item ->> 'action' = 'delete' and starts_with(c.item ->> 'address', 'workload.'))
        order by d.id, c.place
        """,
        {"project": project, "number": number},
    )
    return [(row["before"], row["after"]) for row in rows]


def adopted(database: Database, project: str, number: int) -> list[AdoptedRow]:
    """What was taken over after row `number` and is still the same object."""
    rows = database.rows(_sql("ledger_adopted"), {"project": project, "number": number})
    return [AdoptedRow(**row) for row in rows]


def digest(database: Database, entries: Mapping[str, Mapping[str, Json]]) -> str:
    """The hash that `apply.record` notes as `rest`, of these entries."""
    known = "select e.address, e.applied from jsonb_to_recordset(%(entries)s::jsonb) e(address text, applied jsonb)"
    rows = [{"address": address, "applied": applied} for address, applied in entries.items()]
    (row,) = database.rows(
        f"with entry as ({known}) select ({_sql('digest')}) as digest", {"entries": json.dumps(rows)}
    )
    return str(row["digest"])


def _counts(changes: list[Mapping[str, Any]]) -> dict[str, int]:
    counts: dict[str, int] = {}
    for change in changes:
        counts[change["action"]] = counts.get(change["action"], 0) + 1
    return counts


def _addresses(workload: str) -> str:
    """A regular expression for the addresses of a workload, as `plan.compare.belongs` knows them."""
    word = "".join(c if c.isalnum() or c in "-_" else f"\\{c}" for c in workload)
    return f"^[a-z_]+\\.{word}(\\.((worker|schedule|table)-[0-9]+|dead-letters))?$"


@cache
def _sql(name: str) -> str:
    return files("orchestra.live").joinpath(f"{name}.sql").read_text("utf-8")
