"""`edge_function.NAME`: files that `compile` writes and somebody deploys. The database only knows what has announced
itself: a version that has not is a condition, not a change."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

from orchestra.classify.features import has_door, has_edge
from orchestra.ir.category import Category
from orchestra.ir.contract import contract_of
from orchestra.ir.program import Resource
from orchestra.kinds.kind import Kind, Server, read_sql
from orchestra.spec.model import Workload


@dataclass(frozen=True, slots=True)
class EdgeFunction(Resource):
    """`contract` is the version of the workload's code that the spec asks for."""

    kind: ClassVar[str] = "edge_function"
    contract: str


def lower(workload: Workload) -> Iterator[EdgeFunction]:
    if has_function(workload):
        yield EdgeFunction(workload.name, contract_of(workload))


def has_function(workload: Workload) -> bool:
    """Its handler runs in one, or takes its HTTP requests."""
    return has_edge(workload) or has_door(workload)


def ensure(function: EdgeFunction, project: str, server: Server) -> tuple[str, ...]:
    """Nothing: it is deployed from its files, after the apply."""
    return ()


KIND = Kind(
    "edge_function",
    EdgeFunction,
    ensure,
    read=read_sql(__name__),
    needs=("orchestra.contract",),
    categories={"contract": Category.CONTRACT},
    owned=False,
    plural="Edge Functions",
    silent="it is deployed from its files",
)
