"""What a person may say about a plan."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class PlanOptions:
    """`allow` holds hazards as refusals print them (`messages:queue.import=120`), `adopt` addresses.

    `protect` and `environment_paused` are what the spec says of the environment; `workload` narrows the plan to one
    workload and what it cannot do without. An empty `environment` is whichever the database holds.
    `where` says in words how the database was chosen.
    """

    environment: str = "default"
    environment_paused: bool = False
    protect: bool | None = None
    workload: str | None = None
    allow_destroy: bool = False
    allow: frozenset[str] = frozenset()
    adopt: frozenset[str] = frozenset()
    resume_paused: bool = False
    where: str = ""
