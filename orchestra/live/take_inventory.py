"""Reads what somebody else has put into a database, in a constant number of round trips. It decides nothing."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping
from dataclasses import replace
from importlib.resources import files
from typing import Any, Final

from orchestra.live.connect import Database
from orchestra.live.inventory import Inventory, LiveFunction, LiveJob, LiveQueue, LiveTrigger, Runs
from orchestra.live.model import ServerFacts
from orchestra.live.server import probe

READ: Final = (
    "begin isolation level repeatable read read only; "
    "set local statement_timeout = '60s'; set local lock_timeout = '5s'; set local jit = off"
)
NEWEST_RUNS: Final = 200_000
"""So many of the newest rows of pg_cron's history are looked at, of all jobs together."""
_MACHINERY: Final = (
    *("pg_catalog", "information_schema", "pgmq", "pgmq_public", "orchestra", "cron", "net", "vault"),
    *("supabase_functions", "auth", "storage", "realtime", "extensions", "graphql", "graphql_public"),
)
"""Schemas whose functions are no part of the app."""
_PART: Final = re.compile(r'\s*(?:"((?:[^"]|"")*)"|([^",\s]+))\s*(?:,|\Z)')


def take_inventory(database: Database, markers: Collection[str]) -> Inventory:
    """Everything that an import looks at, inside the caller's transaction; `markers` are the names of tables that tell
    other tools. Raises ConnectError where the role may not see what is there."""
    server = probe(database)
    (more,) = database.rows(_sql("server"))
    owned, projects = _owned(database, server)
    functions = database.rows(_sql("functions"), {"not_in": list(_MACHINERY)})
    tools = database.rows(_sql("tools"), {"markers": sorted(markers)})
    return Inventory(
        server,
        more["supabase"],
        _queues(database, server, owned),
        _jobs(database, server, owned, frozenset(more["schemas"])),
        tuple(LiveFunction(**row) for row in functions),
        _triggers(database, owned),
        {row["schema"]: frozenset(row["relations"]) for row in tools},
        more["extensions"],
        projects,
        reads_runs="cron.job_run_details" in server.relations,
    )


def _sql(name: str) -> str:
    return files("orchestra.live").joinpath(f"inventory_{name}.sql").read_text("utf-8")


def _owned(database: Database, server: ServerFacts) -> tuple[Mapping[tuple[str, str], str], frozenset[str]]:
    """Which project has what, by kind and name, and all the projects that there are."""
    if "orchestra.registry" not in server.relations:
        return {}, frozenset()
    rows = database.rows("select project, kind, name from orchestra.registry where tombstoned_at is null")
    projects = database.rows("select distinct project from orchestra.registry")
    return (
        {(row["kind"], row["name"]): row["project"] for row in rows},
        frozenset(row["project"] for row in projects),
    )


def _queues(
    database: Database, server: ServerFacts, owned: Mapping[tuple[str, str], str]
) -> tuple[LiveQueue, ...]:
    if not server.pgmq:
        return ()
    rows = database.rows(_sql("queues"))
    return tuple(LiveQueue(**row, owner=owned.get(("queue", row["name"]))) for row in rows)


def _jobs(
    database: Database, server: ServerFacts, owned: Mapping[tuple[str, str], str], schemas: Collection[str]
) -> tuple[LiveJob, ...]:
    if "cron.job" not in server.relations:
        return ()
    rows = database.rows(_sql("jobs"), {})
    runs: dict[int, Runs] = {}
    if rows and "cron.job_run_details" in server.relations:
        noted = database.rows(_sql("runs"), {"newest": NEWEST_RUNS})
        runs = {row.pop("jobid"): Runs(**row) for row in noted}
    return tuple(replace(_job(row, owned, schemas), runs=runs.get(row["jobid"])) for row in rows)


def _job(row: dict[str, Any], owned: Mapping[tuple[str, str], str], schemas: Collection[str]) -> LiveJob:
    path = search_path(row.pop("search_path"), row["username"])
    # A job of the same name that another role has is nobody's of ours: the registry's was made by one role.
    owner = owned.get(("cron_job", row["name"])) if row["name"] is not None else None
    return LiveJob(**row, owner=owner, search_path=tuple(s for s in path if s in schemas))


def search_path(setting: str, role: str) -> Iterable[str]:
    """The schemas of a `search_path` setting, `$user` as the role's."""
    found = (m[1].replace('""', '"') if m[1] is not None else m[2].lower() for m in _PART.finditer(setting))
    return dict.fromkeys(role if name == "$user" else name for name in found if name != "pg_temp")


def _triggers(database: Database, owned: Mapping[tuple[str, str], str]) -> tuple[LiveTrigger, ...]:
    mine = {name: project for (kind, name), project in owned.items() if kind == "table_trigger"}
    found = []
    for row in database.rows(_sql("triggers")):
        row["events"], row["columns"] = tuple(row["events"]), tuple(row["columns"])
        ours = (row["function_schema"], row["function"]) == ("orchestra", "on_table_change")
        table = ".".join('"' + row[part].replace('"', '""') + '"' for part in ("schema", "table"))
        base = re.sub(r"_(insert|update|delete)\Z", "", row["name"])
        found.append(LiveTrigger(**row, owner=mine.get(f"{table}:{base}", "") if ours else None))
    return tuple(found)
