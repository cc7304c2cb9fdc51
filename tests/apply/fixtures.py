"""The fixtures of the tests of plan, apply and live."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from engines import Engine

from apply.shop import TABLES, Shop


@pytest.fixture
def shop(pg17: Engine) -> Iterator[Shop]:
    """The app's tables on PostgreSQL 17 with the real pg_cron; nothing of orchestra's yet."""
    pg17.psql(TABLES)
    made = Shop(pg17)
    yield made
    made.close()


@pytest.fixture
def hosted(engine: Engine) -> Iterator[Shop]:
    """The same on each engine as a role like that of a hosted project: no superuser, its own tables."""
    role = engine.hosted()
    engine.psql("create role clerk; grant clerk to postgres_like")
    engine.psql(TABLES.replace("create role clerk;", ""), user=role.role)
    made = Shop(engine, role.dsn)
    yield made
    made.close()
