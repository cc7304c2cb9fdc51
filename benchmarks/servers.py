"""PostgreSQL 17 with the real pg_cron, durable, with the default lock table, while it is measured."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from benchmarks.measure import ROOT
from benchmarks.result import Unmeasured

sys.path.insert(0, str(ROOT / "tests"))

from engines import Engine, Pool, server
from engines.supabase import install_pgmq

__all__ = ["Engine", "new_servers", "settle"]

DURABLE = {"fsync": "on", "synchronous_commit": "on", "full_page_writes": "on"}
"""As a server is set up by default. Only that most benchmarks let no jobs start: they would be measured too."""

_TABLE = "create schema app; create table app.log (id bigint generated always as identity, payload jsonb)"


@contextmanager
def new_servers(*, jobs: bool = False) -> Iterator[Callable[[], Engine]]:
    """Gives what starts a fresh server, with pgmq, pg_cron and nothing else. `jobs`: those of pg_cron start.

    All of them are kept until the end: ext4 without a journal looks at every file that was deleted in the last
    seconds whenever it makes one, so what removes thousands of files makes the next `create table` ten times as dear.
    """
    settings = server.SETTINGS
    server.SETTINGS = {**settings, **DURABLE, "cron.launch_active_jobs": "on" if jobs else "off"}
    pools: list[Pool] = []

    def new() -> Engine:
        pools.append(Pool())
        engine = pools[-1].engine("pg17")
        engine.execute("create extension pg_cron")
        install_pgmq(engine)
        engine.execute(_TABLE)
        settle(engine)
        return engine

    try:
        yield new
    except server.EngineMissing as error:
        raise Unmeasured(str(error)) from error
    finally:
        server.SETTINGS = settings
        for pool in pools:
            pool.stop()


def settle(engine: Engine) -> None:
    """What was done before is not to be paid for by what is measured next."""
    engine.execute("vacuum (analyze) pg_catalog.pg_class, pg_catalog.pg_attribute, pg_catalog.pg_depend")
    engine.execute("checkpoint")
