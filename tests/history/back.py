"""Short ways to go back to a deployment and to read the history, in the tests of both."""

from __future__ import annotations

from typing import Any

from apply.shop import Shop

from orchestra import pipeline, rollback
from orchestra.history.model import Deployment, History
from orchestra.pipeline import PlanOptions
from orchestra.plan.model import Plan


def plan_back(shop: Shop, number: int, project: str = "shop", **options: Any) -> Plan:
    recorded = options.pop("as_recorded", False)
    found = pipeline.rollback_plan(shop.db, project, number, PlanOptions(**options), as_recorded=recorded)
    return found.plan


def go_back(shop: Shop, number: int, project: str = "shop", **options: Any) -> Plan:
    """Plans, applies, and gives the plan; deletions are approved."""
    plan = plan_back(shop, number, project, **{"allow_destroy": True, **options})
    assert plan.blockers == ()
    shop.apply_plan(plan)
    return plan


def listed(shop: Shop, project: str = "shop", limit: int = 100, **more: Any) -> History:
    return rollback.history(shop.db, project, limit=limit, **more)


def numbers(shop: Shop, **more: Any) -> list[int]:
    return [e.number for e in listed(shop, **more).entries if isinstance(e, Deployment)]


def hazards(plan: Plan) -> set[str]:
    return {h.code for c in plan.changes for h in c.hazards}


def conditions(plan: Plan) -> set[str]:
    return {c.code for c in plan.conditions}
