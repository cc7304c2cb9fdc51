"""A server with many databases, and the command line over all of them."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psycopg
from engines import Engine
from engines.waiting import eventually
from psycopg import sql

from orchestra import pipeline
from orchestra.live.connect import connect
from orchestra.pipeline import PlanOptions
from orchestra.spec import parse_spec

ROOT = Path(__file__).parents[2]
COPIERS = 4
"""Databases that are made at a time: what one of them waits for is mostly a checkpoint, which serves all of them."""
TEMPLATE = "template_of_tenants"
APP = """
    create extension pg_cron;
    create extension pgmq;
    create schema app;
    create table app.products (body jsonb);
    create table app.sessions (expires_at timestamptz);
"""
SPEC = """\
version: 1
project: shop
platform: {provider: postgres}
environments:
  tenant: {databases: {env: TENANT_DATABASE_URLS}}
workloads:
  bulk-import:
    trigger: manual
    duration: {max: 20s}
    run: {sql: "insert into app.products (body) values ($1)"}
  purge-sessions:
    trigger: {schedule: {cron: "*/15 * * * *"}}
    duration: {max: 5s}
    run: {sql: "delete from app.sessions where expires_at < now()"}
"""
EARLIER = SPEC.split("workloads:")[0].replace("shop", "earlier") + "workloads: {}\n"
"""A project that brings the runtime and nothing else: what a tenant's database is made from."""


@dataclass(frozen=True)
class Ended:
    code: int
    out: str
    err: str

    @property
    def document(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(self.out)
        return found

    @property
    def outcomes(self) -> dict[str, str]:
        """Of `--format json`: what became of each environment."""
        return {row["environment"]: row["outcome"] for row in self.document["results"]}

    def row(self, environment: str) -> dict[str, Any]:
        return next(r for r in self.document["results"] if r["environment"] == environment)


@dataclass
class Fleet:
    """`home` holds the spec; `urls` are by the name of a tenant."""

    engine: Engine
    home: Path
    urls: dict[str, str] = field(default_factory=dict)
    made: list[str] = field(default_factory=list)
    """Databases, to be dropped at the end."""

    def write(self, text: str) -> None:
        (self.home / "orchestra.yaml").write_text(text, encoding="utf-8")

    @property
    def environment(self) -> dict[str, str]:
        lines = "\n".join(f"{name}={url}" for name, url in self.urls.items())
        return {
            **os.environ,
            "PYTHONPATH": str(ROOT),
            "PYTHONIOENCODING": "utf-8",
            "COLUMNS": "100",
            "TENANT_DATABASE_URLS": lines,
        }

    def start(self, *arguments: str, **environment: str) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [sys.executable, "-m", "orchestra", *arguments],
            cwd=self.home,
            env={**self.environment, **environment},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )

    def run(self, *arguments: str, **environment: str) -> Ended:
        return end(self.start(*arguments, **environment))

    def apply(self, *arguments: str, **environment: str) -> Ended:
        every = ("apply", "--env", "tenant-*", "--auto-approve", "--format", "json")
        return self.run(*every, *arguments, **environment)

    def plan(self, *arguments: str, **environment: str) -> Ended:
        return self.run("plan", "--env", "tenant-*", "--format", "json", *arguments, **environment)

    def make(self, names: Sequence[str]) -> None:
        """Tenants: copies of the template, each the database in which its cron jobs would run."""
        self.made += names
        self.urls |= {name: self.engine.url(database=name) for name in names}

        def some(part: Sequence[str]) -> None:
            with psycopg.connect(self.engine.dsn, autocommit=True) as connection:
                for name in part:
                    copy(connection, TEMPLATE, name)

        with ThreadPoolExecutor(COPIERS) as crew:
            list(crew.map(some, [names[n::COPIERS] for n in range(COPIERS)]))

    def rows(self, name: str, query: str) -> list[Any]:
        with psycopg.connect(self.engine.url(database=name), autocommit=True) as connection:
            return connection.execute(query.encode()).fetchall()

    def do(self, name: str, script: str) -> None:
        self.engine.psql(script, database=name)

    def has_shop(self, name: str) -> bool:
        """All of the spec, or nothing of it: anything between the two fails the test."""
        counts = """
            select (select count(*) from orchestra.registry where project = 'shop' and tombstoned_at is null),
                   (select count(*) from orchestra.workload where project = 'shop'),
                   (select count(*) from cron.job where jobname like 'orchestra:shop:%'),
                   (select count(*) from pgmq.meta where queue_name = 'bulk_import'),
                   (select count(*) from orchestra.deployment where project = 'shop')
        """
        (found,) = self.rows(name, counts)
        if found[4] == 0:
            assert found == (0, 0, 0, 0, 0), (name, found)
            return False
        assert found == (9, 2, 5, 1, 1), (name, found)
        return True


def prepare(engine: Engine) -> None:
    """Makes the template: the app's tables, and the runtime."""
    with psycopg.connect(engine.dsn, autocommit=True) as connection:
        copy(connection, "template0", TEMPLATE)
    engine.psql(APP, database=TEMPLATE)
    spec = parse_spec(EARLIER, "orchestra.yaml").spec
    assert spec is not None
    database = connect(engine.url(database=TEMPLATE))
    try:
        options = PlanOptions(environment="")
        pipeline.apply(database, pipeline.plan(database, spec, options), options)
    finally:
        database.close()


def copy(connection: psycopg.Connection[Any], template: str, name: str) -> None:
    made = "create database {} template {} strategy file_copy"
    connection.execute(sql.SQL(made).format(sql.Identifier(name), sql.Identifier(template)))
    # The stand-in of pg_cron, like the real one, works in the database that this names, and a server has but one: only
    # the stand-in lets every database say that it is that one.
    cron = "alter database {} set cron.database_name = {}"
    connection.execute(sql.SQL(cron).format(sql.Identifier(name), sql.Literal(name)))


def drop(engine: Engine, names: Sequence[str]) -> None:
    with psycopg.connect(engine.dsn, autocommit=True) as connection:
        connection.execute("drop role if exists somebody")
        for name in names:
            connection.execute(
                sql.SQL("drop database if exists {} with (force)").format(sql.Identifier(name))
            )


def end(process: subprocess.Popen[str]) -> Ended:
    out, err = process.communicate(timeout=300)
    return Ended(process.returncode, out, err)


def until(holds: Callable[[], bool], what: str) -> None:
    eventually(holds, within=60, what=what)
