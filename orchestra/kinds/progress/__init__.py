"""`progress.WORKLOAD`: who may read how far the runs are that they asked for, and the function that they call."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

from orchestra.ir.category import Category
from orchestra.ir.program import Resource
from orchestra.ir.sql import call, dollar, ident, literal, value
from orchestra.kinds.grant import execute_only
from orchestra.kinds.kind import Kind, Server, read_sql
from orchestra.spec.model import Workload


@dataclass(frozen=True, slots=True)
class Progress(Resource):
    """`function` lies in `public`, where PostgREST looks, and runs with the rights of who calls it; `roles` may.
    `readers` are the roles that row security lets see their own runs of the workload: the same ones, unless somebody
    meddled."""

    kind: ClassVar[str] = "progress"
    function: str
    source: str
    roles: tuple[str, ...]
    readers: tuple[str, ...]
    invoker: bool = True

    @property
    def object_name(self) -> str:
        return f"public.{self.function}"


def lower(workload: Workload, project: str) -> Iterator[Progress]:
    roles = tuple(sorted(workload.access.progress))
    if roles:
        yield Progress(
            workload.name,
            f"progress_{workload.name.replace('-', '_')}",
            source_now(workload.name, project),
            roles,
            roles,
        )


def source_now(workload: str, project: str) -> str:
    """The body that this version writes."""
    return (
        " select p from orchestra.run_progress(run) p "
        f"where exists (select from orchestra.run r where r.id = run and r.project = {literal(project)} "
        f"and r.workload = {literal(workload)}) "
    )


def ensure(progress: Progress, project: str, server: Server) -> tuple[str, ...]:
    return (
        f"create or replace function {ident('public', progress.function)}(run bigint) returns jsonb\n"
        "language sql stable security invoker set search_path = ''\n"
        f"as {dollar(progress.source, '')}",
        *execute_only(f"{ident('public', progress.function)}(bigint)", progress.roles),
        _readers(progress.key, project, progress.readers),
    )


def remove(progress: Progress, project: str) -> tuple[str, ...]:
    return (
        f"drop function if exists {ident('public', progress.function)}(bigint)",
        _readers(progress.key, project, ()),
    )


def _readers(workload: str, project: str, roles: tuple[str, ...]) -> str:
    return call("orchestra.set_readers", literal(project), literal(workload), value(list(roles)))


KIND = Kind(
    "progress",
    Progress,
    ensure,
    remove,
    read=read_sql(__name__),
    needs=("orchestra.reader",),
    categories={"roles": Category.CONTRACT, "readers": Category.CONTRACT},
    replaced_by=frozenset({"function"}),
    locks=6,
    plural="progress functions",
)
