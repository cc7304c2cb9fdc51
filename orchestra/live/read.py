"""Live state: the registry of a project and the objects by their names, in a constant number of round trips."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from types import MappingProxyType

from orchestra import runtime
from orchestra.errors import VersionError
from orchestra.ir.program import Address, Json, Program, Resource
from orchestra.ir.sql import canonical_json
from orchestra.kinds import BY_NAME, KINDS, Kind
from orchestra.live.connect import Database
from orchestra.live.model import Entry, Found, Live, ServerFacts

Names = Mapping[str, frozenset[str]]


def names_of(
    program: Program | Iterable[Resource], entries: Iterable[Entry] = ()
) -> dict[str, frozenset[str]]:
    """The names of interest by kind: of what shall be, and of what the registry says is there."""
    names: dict[str, set[str]] = {}
    for resource in program:
        names.setdefault(resource.kind, set()).add(resource.object_name)
    for entry in entries:
        if not entry.tombstoned:
            names.setdefault(entry.address.kind, set()).add(entry.name)
    return {kind: frozenset(found) for kind, found in names.items()}


def read(
    database: Database,
    server: ServerFacts,
    project: str,
    wanted: Iterable[Resource],
    only: frozenset[Address] | None = None,
    also: Names = MappingProxyType({}),
) -> Live:
    """Everything that a plan of `project` compares with `wanted`. Runs inside the caller's transaction.

    `only` narrows the registry to those addresses; `also` are further names to look for, by kind.
    """
    wanted = tuple(wanted)
    version = _checked_version(database, server)
    names = _with(names_of(wanted), also)
    entries, others = _registry(database, server, project, names, only, version)
    names = _with(names_of(wanted, entries.values()), also)
    objects: dict[tuple[str, str], Found] = {}
    for kind in KINDS:
        if names.get(kind.name):
            for found in _objects(database, server, kind, project, names[kind.name]):
                objects[found.kind, found.name] = found
    return Live(server, entries, others, objects)


def _with(names: Names, also: Names) -> Names:
    return {kind: names.get(kind, frozenset()) | also.get(kind, frozenset()) for kind in {**names, **also}}


def _checked_version(database: Database, server: ServerFacts) -> int:
    if "orchestra.version" not in server.relations:
        return 0
    (row,) = database.rows(
        "select max(version) as version, max(oldest_tool) as oldest from orchestra.version"
    )
    if row["version"] is not None and row["version"] > runtime.VERSION:
        raise VersionError(
            f"this database holds version {row['version']} of the runtime; this orchestra knows {runtime.VERSION}",
            f"upgrade orchestra to {row['oldest']} or later: nothing is ever downgraded",
        )
    return int(row["version"] or 0)


def _registry(
    database: Database,
    server: ServerFacts,
    project: str,
    names: Names,
    only: frozenset[Address] | None,
    version: int,
) -> tuple[dict[Address, Entry], dict[tuple[str, str], Entry]]:
    if "orchestra.registry" not in server.relations:
        return {}, {}
    accepted = "accepted" if version >= 3 else "'{}'::jsonb as accepted"
    rows = database.rows(
        f"""
        select project, address, kind, name, applied, protect, tombstoned_at is not null as tombstoned,
               tombstoned_at is not null and applied = '{{}}' as gone, {accepted}
        from orchestra.registry
        where (project = %(project)s and (%(only)s::text[] is null or address = any(%(only)s)))
           or (tombstoned_at is null and kind || ':' || name = any(%(names)s))
        """,
        {
            "project": project,
            "only": None if only is None else [str(a) for a in only],
            "names": [f"{kind}:{name}" for kind, found in names.items() for name in found],
        },
    )
    entries: dict[Address, Entry] = {}
    others: dict[tuple[str, str], Entry] = {}
    for row in rows:
        kind = row.pop("kind")
        address = Address.parse(row["address"])
        entry = Entry(**{**row, "address": address, "applied": _complete(address, row["applied"])})
        if entry.project == project:
            entries[entry.address] = entry
        elif kind in BY_NAME and kind != "workload":
            others[kind, entry.name] = entry
    return entries, others


def _complete(address: Address, applied: dict[str, Json]) -> Mapping[str, Json]:
    """What was recorded, with the defaults that the record leaves out."""
    try:
        return BY_NAME[address.kind].resource.of(address.name, applied).values()
    except (KeyError, TypeError):
        return applied  # written by another version: its own words will do


def _objects(
    database: Database, server: ServerFacts, kind: Kind, project: str, names: frozenset[str]
) -> list[Found]:
    if kind.name == "runtime":
        return _runtime(database, server)
    sql = _query(kind, server)
    if sql is None:
        return []
    rows = database.rows(sql, {"project": project, "names": sorted(names)})
    # A runtime of an earlier version lacks columns; its migration will give them their defaults.
    defaults = kind.resource.defaults() if kind.name == "workload" else {}
    return [Found(kind.name, r["name"], {**defaults, **_plain(r["values"])}, r["extra"]) for r in rows]


def _query(kind: Kind, server: ServerFacts) -> str | None:
    if server.relations.issuperset(kind.needs):
        return kind.read
    return kind.bare_read if kind.needs[0] in server.relations else None


def _runtime(database: Database, server: ServerFacts) -> list[Found]:
    if "orchestra.version" not in server.relations:
        return []
    (row,) = database.rows(runtime.fingerprint_sql())
    versions = database.rows("select max(version) as version from orchestra.version")
    values = {"version": versions[0]["version"], "fingerprint": row["fingerprint"]}
    return [Found("runtime", "orchestra", values)]


def _plain(values: dict[str, Json]) -> dict[str, Json]:
    """Documents are compared as canonical text, as the spec's side has them."""
    for name in ("payload_schema", "steps"):
        if values.get(name) is not None:
            values[name] = canonical_json(values[name])
    return values
