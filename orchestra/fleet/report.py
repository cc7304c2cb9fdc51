"""Everything that a run over a fleet has to say at its end."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from orchestra.fleet.groups import Group
from orchestra.fleet.model import Outcome, Result


@dataclass(frozen=True, slots=True)
class Report:
    """`command` is `plan` or `apply`; `results` are in the order of the environments, `seconds` by the clock."""

    command: str
    project: str
    tool_version: str
    results: tuple[Result, ...]
    groups: tuple[Group, ...]
    parallel: int
    seconds: float
    exit_code: int


def counted(results: Sequence[Result]) -> dict[Outcome, int]:
    """How many of each outcome there are, in the order of `Outcome`; those that never came are left out."""
    found = Counter(result.outcome for result in results)
    return {outcome: found[outcome] for outcome in Outcome if found[outcome]}
