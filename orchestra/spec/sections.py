"""The sections beside the workloads, from data that keeps to the schema."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from orchestra.spec.model import Composition, Environment, Platform, Requirement, Secret, Source

Map = Mapping[str, Any]


def platform_of(data: Map) -> Platform:
    return Platform(data.get("provider", "supabase"), data.get("plan", "free"))


def environments_of(data: Map) -> tuple[Environment, ...]:
    """In order of name."""
    return tuple(
        Environment(
            name,
            one.get("database", {}).get("env"),
            one.get("protect"),
            one.get("paused", False),
            one.get("approvals") == "required",
            one.get("databases", {}).get("env"),
            one.get("project_ref"),
        )
        for name, one in sorted(data.items())
    )


def secrets_of(data: Map) -> tuple[Secret, ...]:
    """In order of name."""
    return tuple(Secret(name, one["vault"]) for name, one in sorted(data.items()))


def composition_of(data: Map) -> Composition:
    return Composition(
        data.get("stage", ""),
        data.get("priority", ""),
        tuple(data.get("after", ())),
        tuple(data.get("before", ())),
    )


def requirement_of(data: Map, source: Source) -> Requirement:
    check = data.get("check", {})
    extension, project = data.get("extension"), data.get("project")
    of_project = "/".join(w for w in (project, data.get("workload") or data.get("queue")) if w)
    return Requirement(
        name=data.get("name") or extension or of_project,
        source=source,
        sql=check.get("sql"),
        relation=check.get("relation"),
        extension=extension,
        version=data.get("version"),
        project=project,
        workload=data.get("workload"),
        queue=data.get("queue"),
    )
