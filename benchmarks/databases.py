"""Databases with the runtime in them, for what is measured beside each other on one server."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from importlib.resources import files
from typing import Any

import psycopg

from benchmarks.prepared import CONTRACT, PROJECT
from benchmarks.servers import Engine
from orchestra import runtime

POLL_MS = 5_000

_EDGE = """
    insert into orchestra.workload (
      project, name, pattern, handler, queue_name, contract, url_secret, key_secret, batch_size, concurrency,
      per_worker, timeout_ms, visibility_timeout_ms, max_attempts, poll_interval_ms, steps
    ) values (
      %(project)s, %(name)s, 'queue', 'edge', %(name)s, %(contract)s, 'function_url', 'function_key', 100, 20,
      10, 5000, 30000, 5, %(poll_ms)s, %(steps)s
    )
"""


def new_runtime(engine: Engine, database: str, queues: Sequence[str]) -> None:
    """Makes a database as an apply leaves it: pgmq, the runtime, an open project and its queues."""
    engine.execute(f"create database {database}")
    script = (files("pgmq") / "sql" / "pgmq.sql").read_text(encoding="utf-8")
    engine.psql(script, database=database)
    with psycopg.connect(engine.url(database=database), autocommit=True) as connection:
        with connection.transaction():
            for _, text in (*runtime.migrations(), *runtime.functions()):
                connection.execute(text)
            connection.execute(
                "insert into orchestra.project (project, owner_role, gate) values (%s, current_user, 'open')",
                [PROJECT],
            )
        for name in queues:
            add_edge_queue(connection, name)


def add_edge_queue(connection: psycopg.Connection[Any], name: str, *, steps: str | None = None) -> None:
    """A queue with a workload whose handler is an Edge Function: two workers of ten handlers each."""
    connection.execute("select pgmq.create(%s)", [name])
    values = {"project": PROJECT, "name": name, "contract": CONTRACT, "poll_ms": POLL_MS, "steps": steps}
    connection.execute(_EDGE, values)
    connection.execute("insert into orchestra.wake (project, workload) values (%s, %s)", [PROJECT, name])


@contextmanager
def copy_of(engine: Engine, template: str, name: str) -> Iterator[str]:
    """The URL of a database of its own, made as the template is."""
    engine.execute(f"create database {name} template {template}")
    try:
        yield engine.url(database=name)
    finally:
        engine.execute(f"drop database {name} with (force)")
