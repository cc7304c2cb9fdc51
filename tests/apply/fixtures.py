"""The fixtures of the tests of plan, apply and live."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from engines import Engine

from apply.shop import TABLES, Shop


@pytest.fixture
def shop(pg17: Engine) -> Iterator[Shop]:
    """The app's tables on PostgreSQL 17 with the real pg_cron, whose jobs are looked at and never begin: a worker that
    took the messages of a test at the turn of a minute would make it fail. Nothing of orchestra's is there yet."""
    pg17.psql("alter system set cron.launch_active_jobs = off")
    pg17.execute("select pg_reload_conf()")
    pg17.psql(TABLES)
    made = Shop(pg17)
    yield made
    made.close()
    pg17.psql("alter system reset cron.launch_active_jobs")
    pg17.execute("select pg_reload_conf()")


@pytest.fixture
def hosted(engine: Engine) -> Iterator[Shop]:
    """The same on each engine as a role like that of a hosted project: no superuser, its own tables."""
    role = engine.hosted()
    engine.psql("create role clerk; grant clerk to postgres_like")
    engine.psql(TABLES.replace("create role clerk;", ""), user=role.role)
    made = Shop(engine, role.dsn)
    yield made
    made.close()
