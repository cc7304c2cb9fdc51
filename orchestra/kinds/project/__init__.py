"""`project.NAME`: the project's own row: its environment, the role that owns its jobs, its gate and protection.

Compiled SQL is the same for every environment, so there it only registers the project, with the gate closed.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from orchestra.ir.category import Category
from orchestra.ir.program import Resource
from orchestra.ir.sql import call, literal, value
from orchestra.kinds.kind import Kind, Server, read_sql


@dataclass(frozen=True, slots=True)
class Project(Resource):
    """`gate` is `open` or `paused`; None keeps what the database says (a new one starts paused)."""

    kind: ClassVar[str] = "project"
    environment: str | None = None
    gate: str | None = None
    protect: bool | None = None


def ensure(project: Project, name: str, server: Server) -> tuple[str, ...]:
    arguments = [literal(project.key)]
    if project.environment is not None:
        arguments += [value(project.environment), value(project.gate), value(project.protect)]
    return (call("orchestra.register_project", *arguments),)


def remove(project: Project, name: str) -> tuple[str, ...]:
    return (call("orchestra.unregister_project", literal(project.key)),)


KIND = Kind(
    "project",
    Project,
    ensure,
    remove,
    read=read_sql(__name__),
    needs=("orchestra.project",),
    categories={"environment": Category.METADATA, "protect": Category.METADATA},
    operator=frozenset({"gate"}),
    kept_when_unset=frozenset({"environment", "gate", "protect"}),
    plural="projects",
)
