"""Short ways to plan and apply in this process, and to say what a database holds afterwards."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from engines import Engine

from orchestra import pipeline
from orchestra.live.connect import Database, connect
from orchestra.pipeline import PlanOptions
from orchestra.plan.model import Plan
from orchestra.spec.model import Spec

# What two databases that were brought to the same spec agree in. Times, tombstones and the ledger tell the way that
# was gone, not the place that was reached; and compiled SQL does not know the environment that a project's row names.
_ROWS = {
    "workload": "select to_jsonb(w) from orchestra.workload w order by project, name",
    "schedule": "select to_jsonb(s) - 'since' from orchestra.schedule s order by project, workload, position",
    "registry": """
        select to_jsonb(r) - '{created_at,updated_at,tombstoned_at}'::text[]
                 - case when kind = 'project' then 'applied' else '' end
        from orchestra.registry r
        where tombstoned_at is null order by project, address
    """,
    "cron.job": """
        select jobname, schedule, command, database, username, active from cron.job
        order by jobname collate "C"
    """,
    "queues": "select queue_name, is_partitioned, is_unlogged from pgmq.meta order by queue_name",
}


@contextmanager
def database(engine: Engine, *, user: str = "postgres") -> Iterator[Database]:
    connection = connect(engine.url(user=user))
    try:
        yield connection
    finally:
        connection.close()


def plan(engine: Engine, spec: Spec, options: PlanOptions | None = None, *, user: str = "postgres") -> Plan:
    with database(engine, user=user) as connection:
        return pipeline.plan(connection, spec, options or PlanOptions())


def apply(engine: Engine, spec: Spec, options: PlanOptions | None = None, *, user: str = "postgres") -> Plan:
    """Plan and apply; the plan that was applied."""
    options = options or PlanOptions()
    with database(engine, user=user) as connection:
        made = pipeline.plan(connection, spec, options)
        pipeline.apply(connection, made, options)
    return made


def assert_settled(
    engine: Engine, spec: Spec, options: PlanOptions | None = None, *, user: str = "postgres"
) -> None:
    """A plan finds nothing to do and nothing in the way."""
    found = plan(engine, spec, options, user=user)
    assert [str(c.address) for c in found.changes] == []
    assert [b.message for b in found.blockers] == []


def rows(engine: Engine) -> dict[str, list[Any]]:
    """What the tables say that a spec decides."""
    there = {
        name: engine.execute("select to_regclass(%s) is not null", [table])[0][0]
        for name, table in (("cron.job", "cron.job"), ("queues", "pgmq.meta"))
    }
    return {name: engine.execute(query) for name, query in _ROWS.items() if there.get(name, True)}


def dump(engine: Engine) -> str:
    """The whole schema. A column's `pg_attver` is a number of the moment that some builds of PostgreSQL 17 note."""
    return "".join(
        line
        for line in engine.pg_dump().splitlines(keepends=True)
        if not re.search(r"SET \(pg_attver=\d+\);$", line)
    )
