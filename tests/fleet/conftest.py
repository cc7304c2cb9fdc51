"""A fleet of the embedded engine: one server, a database a tenant, all copies of one that has the runtime already."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from engines import Engine, Pool
from fleet_world import SPEC, Fleet, drop, prepare

SETTINGS = {"autovacuum": "off", "wal_level": "minimal", "max_wal_senders": "0", "max_connections": "40"}
"""A server that is thrown away, with fewer connections than a careless fleet would take."""


@pytest.fixture(scope="session")
def server(engine_pool: Pool) -> Engine:
    """A server of its own, in which a template with the app's tables and the runtime is kept."""
    engine = engine_pool.engine("embedded", SETTINGS)
    prepare(engine)
    return engine


@pytest.fixture
def fleet(server: Engine, tmp_path: Path) -> Iterator[Fleet]:
    made = Fleet(server, tmp_path)
    made.write(SPEC)
    (tmp_path / ".git").mkdir()
    yield made
    # Each drop is a checkpoint and hundreds of files. Many go with the server, which is quicker.
    if len(made.made) < 20:
        drop(server, made.made)


@pytest.fixture
def eight(fleet: Fleet) -> Fleet:
    fleet.make([f"t{n}" for n in range(1, 9)])
    return fleet
