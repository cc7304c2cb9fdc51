"""A database in step with a Program, made up: one comparison serves plans, differences and migrations."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime
from typing import Final

from orchestra.ir.program import Json, Resource
from orchestra.kinds import BY_NAME
from orchestra.live.model import Entry, Found, Live, ServerFacts

_SERVER: Final = ServerFacts(
    role="",
    database="",
    server_version="",
    version_num=0,
    superuser=False,
    lock_slots=1_000_000_000,
    cron_timezone=None,
    cron_database=None,
    pg_cron=None,
    pgmq_available=True,
    pg_cron_default="1.6",
    pgmq=True,
    relations=frozenset(),
    now=datetime(1970, 1, 1, tzinfo=UTC),
    available=frozenset({"pg_net", "supabase_vault"}),
)
"""A server that lacks nothing: what a real one lacks is found there."""
_EXTRA: Final[Mapping[str, Mapping[str, object]]] = {
    "cron_job": {"active": True, "username": ""},
    "project": {"owner_role": ""},
}


def in_step(
    project: str,
    resources: Iterable[Resource],
    as_read: Callable[[Resource], dict[str, Json]] = Resource.values,
) -> Live:
    """The live state of a database to which these resources, and nothing else, have just been applied. `as_read` gives
    the values that are read back of one."""
    found: dict[tuple[str, str], Found] = {}
    entries = {}
    for resource in resources:
        values = as_read(resource)
        name = resource.object_name
        found[resource.kind, name] = Found(resource.kind, name, values, _EXTRA.get(resource.kind, {}))
        if BY_NAME[resource.kind].owned:
            protected = bool(values.get("protect"))
            entries[resource.address] = Entry(
                project, resource.address, name, resource.values(), protected, tombstoned=False
            )
    return Live(_SERVER, entries, {}, found)
