"""The statements that record and give up ownership."""

from __future__ import annotations

from orchestra.ir.program import Json, Resource
from orchestra.ir.sql import call, canonical_json, dollar, literal, value


def claim(resource: Resource, project: str, *, adopt: bool = False) -> str:
    """Records that the project owns the object, before it is made; refuses what is somebody else's.

    What is recorded leaves out defaults, so that the text stays readable.
    """
    values, protect = recorded(resource), resource.values().get("protect")
    address, name = literal(f"{resource.kind}.{resource.key}"), literal(resource.object_name)
    more = f", protect => {value(protect)}" if isinstance(protect, bool) else ""
    if adopt:
        more += ", adopt => true"
    return f"select orchestra.claim({literal(project)}, {address}, {name}, {_recorded(values)}{more})"


def recorded(resource: Resource) -> dict[str, Json]:
    """What the registry says was applied; protection stands in a column of its own."""
    values = resource.written()
    values.pop("protect", None)
    return values


def _recorded(values: dict[str, Json]) -> str:
    """What is recorded, as a jsonb expression; a statement stands in it as people write it, not escaped."""
    sql = values.pop("sql", None)
    rest = literal(canonical_json(values))
    return rest if not isinstance(sql, str) else f"{rest}::jsonb || jsonb_build_object('sql', {dollar(sql)})"


def release(resource: Resource, project: str) -> str:
    """Gives it up and leaves a tombstone."""
    return call("orchestra.release", literal(project), literal(str(resource.address)))
