"""What a plan found, where one could be made: its blockers and conditions are prerequisites too."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from orchestra.doctor.model import Check, Group, State
from orchestra.plan.model import Plan
from orchestra.report.words import count

_GROUP = Group.PLAN
_TOLD: Final = frozenset(
    {
        "no_pg_cron",
        "no_pg_net",
        "no_supabase_vault",
        "cron_database",
        "cron_timezone",
        "missing_secret",
        "project_ref",
        "linked_elsewhere",
    }
)
"""What other groups tell already, whether or not a plan could be made."""
_MOST: Final = 5
"""Of one code; of a thousand queues that belong to somebody else five are enough."""


def checks(plan: Plan) -> Iterator[Check]:
    """Blockers are failures, what waits for an approval included; conditions are warnings."""
    blockers = [b for b in plan.blockers if b.code not in _TOLD]
    conditions = [c for c in plan.conditions if c.code not in _TOLD]
    if not blockers:
        words = (
            f"can be applied: {plan.summary.removeprefix('Plan: ')}"
            if plan.changes
            else "is empty: the database is as the spec says"
        )
        yield Check(_GROUP, "plan", State.OK, f"the plan of {plan.project} {words}")
    for state, items in ((State.FAILED, blockers), (State.WARNING, conditions)):
        for code in dict.fromkeys(item.code for item in items):
            alike = [item for item in items if item.code == code]
            for item in alike[:_MOST]:
                name = str(item.address)
                said = item.message if name in item.message else f"{name}: {item.message}"
                yield Check(_GROUP, code, state, said, item.remedy)
            if len(alike) > _MOST:
                more = count(len(alike) - _MOST, "more like these", "more like these")
                yield Check(_GROUP, code, state, more, command="orchestra plan --full")


def refused(project: str, message: str, remedy: str) -> Check:
    """No plan could be made."""
    return Check(_GROUP, "plan", State.FAILED, f"no plan of {project}: {message}", remedy)


def unplanned(project: str, why: str) -> Check:
    return Check(_GROUP, "plan", State.UNKNOWN, f"no plan of {project}: {why}")
