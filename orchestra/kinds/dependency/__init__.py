"""`dependency.PROJECT/WORKLOAD`: that this project requires another one of the database, or something of it. There is
nothing to make: it stands in the registry, so that the other project is not removed from under this one."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

from orchestra.ir.category import Category
from orchestra.ir.program import Resource
from orchestra.kinds.kind import Kind, Server, read_sql
from orchestra.spec.model import Spec


@dataclass(frozen=True, slots=True)
class Dependency(Resource):
    """`dependent` is the project that requires, `on` the one that is required; at most one of `workload` and `queue` is
    set."""

    kind: ClassVar[str] = "dependency"
    dependent: str
    on: str
    workload: str | None = None
    queue: str | None = None

    @property
    def object_name(self) -> str:
        """Several projects may require the same."""
        return f"{self.dependent}:{self.key}"


def lower(spec: Spec) -> Iterator[Dependency]:
    """Each once, whatever the requirements are called."""
    wanted = {(r.project, r.workload, r.queue) for r in spec.requires if r.project is not None}
    for on, workload, queue in wanted:
        kind, name = ("workload", workload) if workload else ("queue", queue)
        yield Dependency(f"{on}/{kind}/{name}" if name else on, spec.project, on, workload, queue)


def ensure(dependency: Dependency, project: str, server: Server) -> tuple[str, ...]:
    """Nothing but the record, which every owned resource has."""
    return ()


KIND = Kind(
    "dependency",
    Dependency,
    ensure,
    read=read_sql(__name__),
    needs=("orchestra.registry",),
    categories=dict.fromkeys(("dependent", "on", "workload", "queue"), Category.METADATA),
    plural="dependencies",
)
