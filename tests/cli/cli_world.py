"""A spec, a process and a database that only pretends, for the tests of the command line."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from click.testing import Result

from orchestra.apply.run import refuse_blocked
from orchestra.errors import StalePlanError
from orchestra.plan.model import Plan, Target

SPEC = """\
version: 1
project: shop
platform: {provider: postgres}
environments:
  production: {database: {env: PROD_DATABASE_URL}, protect: true}
  preview: {database: {env: PREVIEW_DATABASE_URL}, paused: true}
workloads:
  bulk-import:
    summary: Import a supplier's catalogue
    trigger: manual
    duration: {max: 20s}
    run: {sql: "insert into app.products (body) values ($1)"}
  purge-sessions:
    summary: Remove what has expired
    trigger: {schedule: {cron: "*/15 * * * *"}}
    duration: {max: 5s}
    run: {sql: "delete from app.sessions where expires_at < now()"}
"""

BROKEN = SPEC.replace("duration: {max: 5s}", "duration: {maximum: 5s}")
TARGET = Target("db.example.com", "postgres", "postgres", "17.6", "default", "--db")

Run = Callable[..., Result]


def process(*args: str, cwd: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    """The command line as a real process, without a terminal."""
    root = str(Path(__file__).parents[2])
    env = {**os.environ, "PYTHONPATH": root, "PYTHONIOENCODING": "utf-8", **environment}
    return subprocess.run(
        [sys.executable, "-m", "orchestra", *args],
        cwd=cwd,
        env=env,
        capture_output=True,
        text=True,
        timeout=60,
    )


@dataclass
class FakePipeline:
    """Stands in for the database and everything behind it; remembers what it was asked."""

    made: Plan
    url: str = ""
    options: Any = None
    applied: list[Plan] = field(default_factory=list)
    fault: BaseException | None = None
    destroyed: str = ""
    elsewhere: bool = False

    def connect(self, url: str) -> Any:
        self.url = url
        info = SimpleNamespace(dbname=TARGET.database)
        return SimpleNamespace(host=TARGET.host, connection=SimpleNamespace(info=info), close=lambda: None)

    def plan(self, database: Any, spec: Any, options: Any) -> Plan:
        self.options = options
        return self.made

    def destroy_plan(self, database: Any, project: str, options: Any) -> Plan:
        self.options, self.destroyed = options, project
        return self.made

    def refuse_elsewhere(self, database: Any, plan: Plan) -> None:
        if self.elsewhere:
            raise StalePlanError("this plan was made for another database", "plan again")

    def apply(self, database: Any, plan: Plan, options: Any, **more: Any) -> Any:
        refuse_blocked(plan, options)
        more["on_progress"](1, len(plan.changes), "queue.bulk-import")
        if self.fault is not None:
            raise self.fault
        self.applied.append(plan)
        return SimpleNamespace(changes=len(plan.changes), batches=1, deployment_ids=(7,), seconds=0.25)
