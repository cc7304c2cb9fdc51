"""What a migration takes on trust of the database that it will meet."""

from __future__ import annotations

from orchestra.ir.program import Program
from orchestra.kinds.grant import Grant
from orchestra.kinds.progress import Progress
from orchestra.kinds.table_trigger import TableTrigger
from orchestra.kinds.workload import Workload
from orchestra.live.model import Table
from orchestra.plan.blockers import Findings


def findings(program: Program) -> Findings:
    """The app's tables and roles are taken on trust: the statements fail where they are not there."""
    triggers = [r for r in program if isinstance(r, TableTrigger)]
    roles = {s.role for r in program if isinstance(r, Workload) for s in r.statements() if s.role}
    roles |= {role for r in program if isinstance(r, (Grant, Progress)) for role in r.roles}
    return Findings(
        tables={
            (t.schema, t.table): Table(
                "r",
                frozenset(c for other in triggers for c in other.columns),
                has_primary_key=True,
                may_trigger=True,
            )
            for t in triggers
        },
        roles=dict.fromkeys(roles, True),
    )
