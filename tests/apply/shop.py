"""A project on a real server: plan it, apply it, look at what is there."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import psycopg
from engines import Engine

from orchestra import pipeline
from orchestra.apply.run import Applied
from orchestra.ir.program import Address
from orchestra.live.connect import Database, connect
from orchestra.pipeline import PlanOptions
from orchestra.plan.model import Action, Change, Plan
from orchestra.spec import parse_spec
from orchestra.spec.model import Spec

HEAD = "version: 1\nproject: {project}\nplatform: {{provider: postgres}}\n"

# One of each kind: a queue with its worker, a grant, a table trigger, two schedules, and what they share.
SHOP = """\
requires:
  - {name: orders-table, check: {relation: app.orders}}
workloads:
  purge-sessions:
    trigger: {schedule: {cron: "*/15 * * * *"}}
    duration: {max: 5s}
    run: {sql: "delete from app.sessions where expires_at < now()"}
  nightly:
    trigger: {schedule: {cron: "30 2 * * *", timezone: Europe/Berlin}}
    duration: {max: 5s}
    run: {sql: "delete from app.sessions"}
  send-receipts:
    trigger: [manual, {table: {name: app.orders, on: [insert, update], columns: [total]}}]
    duration: {max: 5s}
    poll_interval: 1m
    access: {enqueue: [clerk]}
    run: {sql: "insert into app.receipts (n) values ((:payload ->> 'n')::int)"}
"""

QUEUE = """\
workloads:
  import:
    trigger: manual
    duration: {max: 5s}
    poll_interval: 1m
    run: {sql: "select 1"}
"""

NOTHING = "workloads: {}\n"

TABLES = """
    create role clerk;
    create schema app;
    create table app.sessions (id int primary key, expires_at timestamptz);
    create table app.orders (id int primary key, total int);
    create table app.receipts (n int);
"""

# What an apply may leave behind, without what only moves by running: enough to tell one state from another.
STATE = """
    select 'relation ' || oid::regclass || ' ' || relrowsecurity::text from pg_class
      where relnamespace in (select oid from pg_namespace where nspname in ('orchestra', 'pgmq', 'app', 'cron'))
    union all
    select 'function ' || oid::regprocedure || ' ' || md5(prosrc) || ' ' || coalesce(proacl::text, '') from pg_proc
      where pronamespace in (select oid from pg_namespace where nspname in ('orchestra', 'public'))
    union all
    select 'trigger ' || tgname || ' ' || tgrelid::regclass || tgenabled::text from pg_trigger
      where not tgisinternal
    union all
    select 'extension ' || extname from pg_extension
    union all
    select 'schema ' || nspname from pg_namespace where nspname not like 'pg\\_%'
"""
ROWS = {
    "cron.job": "select 'job ' || jobid || jobname || schedule || command || active::text || username from cron.job",
    "orchestra.registry": "select 'entry ' || r::text from orchestra.registry r",
    "orchestra.workload": "select 'workload ' || w::text from orchestra.workload w",
    "orchestra.schedule": "select 'schedule ' || s::text from orchestra.schedule s",
    "orchestra.project": "select 'project ' || p::text from orchestra.project p",
    "orchestra.deployment": "select 'deployment ' || d.id || d.project from orchestra.deployment d",
    "pgmq.meta": "select 'queue ' || m.queue_name || m.created_at from pgmq.meta m",
}

STEADY = [
    "select jobname, schedule, command, active, username from cron.job",
    "select address, name, applied::text, protect from orchestra.registry where tombstoned_at is null",
    "select w::text from orchestra.workload w",
    "select project, environment, gate, protect from orchestra.project",
    "select project, workload, position, cron, every_ms, timezone, overlap from orchestra.schedule",
]


def spec_of(text: str, project: str = "shop") -> Spec:
    """The spec of a body; its head is written here."""
    result = parse_spec(HEAD.format(project=project) + text, "orchestra.yaml")
    assert not any(d.is_error for d in result.diagnostics), result.diagnostics
    assert result.spec is not None
    return result.spec


class Shop:
    """Connections and answers for the tests of one engine."""

    def __init__(self, engine: Engine, dsn: str | None = None) -> None:
        self.engine = engine
        self.dsn = dsn or engine.dsn
        self._open: list[Database] = []
        self._main: Database | None = None

    @property
    def db(self) -> Database:
        """One connection for most things; a new one where the last was killed."""
        if self._main is None or self._main.connection.closed:
            self._main = self.another()
        return self._main

    def another(self, dsn: str | None = None) -> Database:
        database = connect(dsn or self.dsn)
        self._open.append(database)
        return database

    def close(self) -> None:
        while self._open:
            self._open.pop().close()

    def run(self, sql: str, *parameters: Any) -> list[Any]:
        """One statement as superuser, committed."""
        return self.engine.execute(sql, list(parameters) or None)

    def one(self, sql: str, *parameters: Any) -> Any:
        return self.run(sql, *parameters)[0][0]

    def plan(self, text: str = SHOP, project: str = "shop", **options: Any) -> Plan:
        return pipeline.plan(self.db, spec_of(text, project), PlanOptions(**options))

    def apply_plan(self, plan: Plan, **options: Any) -> Applied:
        return pipeline.apply(self.db, plan, PlanOptions(**options))

    def apply(self, text: str = SHOP, project: str = "shop", **options: Any) -> Plan:
        """Plans, applies, and gives the plan that was applied."""
        plan = self.plan(text, project, **options)
        assert not plan.blockers, plan.blockers
        self.apply_plan(plan, **options)
        return plan

    def destroy_plan(self, project: str = "shop", **options: Any) -> Plan:
        return pipeline.destroy_plan(self.db, project, PlanOptions(**options))

    def destroy(self, project: str = "shop", **options: Any) -> Plan:
        plan = self.destroy_plan(project, **{"allow_destroy": True, **options})
        assert not plan.blockers, plan.blockers
        self.apply_plan(plan)
        return plan

    def compiled(self, text: str = SHOP, project: str = "shop") -> str:
        spec = spec_of(text, project)
        return pipeline.emit_sql(pipeline.compile_spec(spec), spec)

    def state(self) -> list[str]:
        """Everything that an apply could have changed, as sorted lines."""
        with psycopg.connect(self.engine.dsn, autocommit=True) as connection:
            lines = [row[0] for row in connection.execute(STATE)]
            for relation, query in ROWS.items():
                if connection.execute("select to_regclass(%s)", [relation]).fetchone() != (None,):
                    lines += [row[0] for row in connection.execute(query)]  # type: ignore[arg-type]
        return sorted(lines)

    def steady_state(self) -> list[str]:
        """The state without the ledger, times, numbers of jobs and tombstones: equal where two ways end alike."""
        lines = [x for x in self.state() if x.startswith(("function", "trigger", "relation"))]
        for query in STEADY:
            lines += [str(row) for row in self.run(query)]
        return sorted(lines)


def said(plan: Plan) -> list[str]:
    """The changes of a plan, as `create queue.import`."""
    return [f"{c.action.value} {c.address}" for c in plan.changes]


def change(plan: Plan, address: str) -> Change:
    (found,) = [c for c in plan.changes if c.address == Address.parse(address)]
    return found


def codes(plan: Plan) -> set[str]:
    """The codes of what blocks a plan."""
    return {b.code for b in plan.blockers}


def assert_empty(plan: Plan) -> None:
    assert said(plan) == []
    assert plan.blockers == ()


def untimed(plan: Plan) -> Plan:
    """A plan without what reading it costs or when it was made."""
    return replace(plan, round_trips=0, changes=tuple(replace(c, facts=()) for c in plan.changes))


__all__ = [
    "NOTHING",
    "QUEUE",
    "SHOP",
    "Action",
    "Shop",
    "assert_empty",
    "change",
    "codes",
    "said",
    "spec_of",
    "untimed",
]
