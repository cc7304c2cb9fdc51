"""Keys of the spec that are checked today and work in a later version, each with one sentence that says so."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final, NamedTuple

from orchestra.ir.program import Address
from orchestra.spec.model import Spec

_PROJECT: Final = "moving a project to another name is not supported yet"
_WORKLOAD: Final = "moved is not supported yet"


class Later(NamedTuple):
    """`path` is where the key stands in the workload (in the spec, for the project's own)."""

    address: Address
    path: str
    why: str


def later(spec: Spec) -> Iterator[Later]:
    """All of them, in the spec's order."""
    if spec.moved is not None:
        yield Later(Address("project", spec.project), "moved", _PROJECT)
    for workload in spec.workloads:
        if workload.moved is not None:
            yield Later(Address("workload", workload.name), "moved", _WORKLOAD)
