"""Other tools that keep work in a database, told by their tables: said, and left alone."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from orchestra.importing.words import part
from orchestra.live.inventory import Inventory


@dataclass(frozen=True, slots=True)
class _Tool:
    name: str
    tables: frozenset[str]
    """All of them stand in one schema."""
    what: str


_TOOLS: Final = (
    _Tool("pg-boss", frozenset({"job", "queue", "schedule", "subscription"}), "queues and schedules"),
    _Tool("pg-boss", frozenset({"job", "archive", "schedule", "subscription"}), "queues and schedules"),
    _Tool("graphile-worker", frozenset({"_private_jobs", "_private_tasks"}), "jobs and crontab"),
    _Tool("graphile-worker", frozenset({"jobs", "known_crontabs"}), "jobs and crontab"),
    _Tool("River", frozenset({"river_job", "river_migration"}), "jobs"),
    _Tool("Oban", frozenset({"oban_jobs"}), "jobs"),
    _Tool("GoodJob", frozenset({"good_jobs"}), "jobs"),
    _Tool("Solid Queue", frozenset({"solid_queue_jobs"}), "jobs"),
    _Tool("Que", frozenset({"que_jobs"}), "jobs"),
    _Tool("Procrastinate", frozenset({"procrastinate_jobs"}), "jobs"),
    _Tool("pgflow", frozenset({"flows", "step_tasks"}), "flows and the queues that belong to them"),
    _Tool("pgAgent", frozenset({"pga_job", "pga_jobstep"}), "jobs and schedules"),
    _Tool("pg_timetable", frozenset({"chain", "task", "timer"}), "chains and their schedules"),
    _Tool("pg_partman", frozenset({"part_config"}), "partitions and its maintenance of them"),
    _Tool("Supabase database webhooks", frozenset({"hooks"}), "HTTP calls that triggers make"),
)
MARKERS: Final = frozenset(table for tool in _TOOLS for table in tool.tables)
"""Names of tables to look for."""


def tools_of(inventory: Inventory) -> Iterator[str]:
    """A sentence for each tool and schema."""
    seen = set()
    for schema, tables in sorted(inventory.markers.items()):
        for tool in _TOOLS:
            if not tool.tables <= tables or (tool.name, schema) in seen:
                continue
            if tool.name.startswith("Supabase") and schema != "supabase_functions":
                continue
            seen.add((tool.name, schema))
            yield f"{tool.name} in schema {part(schema)}: its {tool.what} are its own and are not imported."
    if "pg_net" in inventory.extensions:
        yield "pg_net in schema net: HTTP calls of jobs and functions; the calls themselves are not imported."
