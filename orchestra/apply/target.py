"""A plan is for one database, one role and one environment; elsewhere its objects may look the same."""

from __future__ import annotations

from datetime import UTC

from orchestra.errors import BlockedError, StalePlanError
from orchestra.live.connect import Database, machine
from orchestra.live.model import ServerFacts
from orchestra.plan.model import Change, Plan


def refuse_elsewhere(plan: Plan, database: Database, server: ServerFacts) -> None:
    """Raises StalePlanError in another database, BlockedError where it is held for another role or environment, or
    where an approval that the plan stands on has ended since."""
    today = server.now.astimezone(UTC).date().isoformat()
    if plan.approved_until and today > plan.approved_until:
        raise BlockedError(
            f"an approval that this plan stands on counted until {plan.approved_until}",
            "nothing was changed; plan again, and have it approved anew",
        )
    meant = plan.target
    if meant.identity and server.identity:
        same = (meant.identity, meant.role) == (server.identity, server.role)
    else:
        here = (machine(database.host), server.database, server.role)
        same = here == (machine(meant.host), meant.database, meant.role)
    if not same:
        by_name = f"{server.database} on {database.host}"
        other = "another database" if by_name == f"{meant.database} on {meant.host}" else by_name
        raise StalePlanError(
            f"this plan was made for database {meant.database} on {meant.host} as role {meant.role}"
            + (f" ({meant.where})" if meant.where else "")
            + f", and this is {other} as role {server.role}",
            "nothing was changed; plan again for the database that is meant",
        )
    if "orchestra.project" not in server.relations:
        return
    for row in database.rows(
        "select owner_role, environment from orchestra.project where project = any(%(names)s)",
        {"names": [plan.project, *(c.moved_from.name for c in plan.changes if _moves(c) and c.moved_from)]},
    ):
        if row["owner_role"] != server.role or row["environment"] not in (None, meant.environment):
            raise BlockedError(
                f"project.{plan.project}: this database holds environment {row['environment']} of the "
                f"project, owned by role {row['owner_role']}; the plan is for {meant.environment} as {server.role}",
                "plan again with the environment and the role that are meant",
            )


def _moves(change: Change) -> bool:
    """Whether it gives the project another name."""
    return change.address.kind == "project" and change.moved_from is not None
