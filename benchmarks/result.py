"""What a benchmark says: figures, some of them held against a budget."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Figure:
    """`budget` None: told, not judged. `basis` says what the figure was held against, with its own number."""

    name: str
    value: float
    unit: str = "x"
    budget: float | None = None
    basis: str = ""

    @property
    def ok(self) -> bool:
        return self.budget is None or self.value <= self.budget


class Unmeasured(Exception):
    """A benchmark that cannot run here, and why; it fails the run, for what is not measured is not proved."""
