"""Where in the spec a resource of a plan was written."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from orchestra.diagnostics import Span
from orchestra.ir.program import Address

if TYPE_CHECKING:
    from orchestra.spec.model import Spec

_KEYS: Final = {
    "cron_job": "trigger",
    "table_trigger": "trigger",
    "queue": "queue",
    "grant": "access.enqueue",
    "progress": "access.progress",
}
"""The key of a workload that a kind of resource comes from; where it was not written, the workload itself."""


class Places:
    """Looks up addresses in one spec, or in none."""

    def __init__(self, spec: Spec | None) -> None:
        self._spec = spec
        self._workloads = {w.name: w for w in spec.workloads} if spec else {}
        self._required = {r.name: r for r in spec.requires} if spec else {}

    def of(self, address: Address) -> Span | None:
        """The key that the resource comes from, or None for what no spec here speaks of."""
        if self._spec is None:
            return None
        if (workload := self._workloads.get(address.name.partition(".")[0])) is not None:
            if ".worker-" in address.name:
                return workload.at("concurrency", key=True)
            if address.name.endswith(".dead-letters"):
                return workload.at("dead_letter_queue", key=True)
            return workload.at(_KEYS.get(address.kind, ""), key=True)
        if address.kind == "secret" and any(s.name == address.name for s in self._spec.secrets):
            return self._spec.at(f"secrets.{address.name}", key=True)
        if (required := self._required.get(address.name)) and address.kind == "requirement":
            return required.source.at()
        return None

    def or_top(self, address: Address) -> Span | None:
        """The same, and the spec's own name for what is shared or gone; None only without a spec."""
        found = self.of(address)
        return found if found or self._spec is None else self._spec.at("project", key=True)
