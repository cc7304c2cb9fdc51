"""A PostgreSQL 17 with the real pg_cron, durable, with the default lock table, while it is measured."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager

from benchmarks.measure import ROOT
from benchmarks.result import Unmeasured

sys.path.insert(0, str(ROOT / "tests"))

from engines import Engine, Pool, server
from engines.supabase import install_pgmq

__all__ = ["Engine", "durable_pg17", "prepare", "settle"]

DURABLE = {
    "fsync": "on",
    "synchronous_commit": "on",
    "full_page_writes": "on",
    "cron.launch_active_jobs": "off",
}
"""As a server is set up by default; only that jobs do not start, for they would be measured too."""

_TABLE = "create schema app; create table app.log (id bigint generated always as identity, payload jsonb)"


@contextmanager
def durable_pg17() -> Iterator[Engine]:
    settings = server.SETTINGS
    server.SETTINGS = {**settings, **DURABLE}
    pool = Pool()
    try:
        yield pool.engine("pg17")
    except server.EngineMissing as error:
        raise Unmeasured(str(error)) from error
    finally:
        server.SETTINGS = settings
        pool.stop()


def prepare(engine: Engine) -> None:
    """An empty database with pgmq and pg_cron, settled on disk."""
    engine.reset()
    engine.execute("create extension pg_cron")
    install_pgmq(engine)
    engine.execute(_TABLE)
    settle(engine)


def settle(engine: Engine) -> None:
    """What was done before is not to be paid for by what is measured next."""
    engine.execute("vacuum (analyze) pg_catalog.pg_class, pg_catalog.pg_attribute, pg_catalog.pg_depend")
    engine.execute("checkpoint")
