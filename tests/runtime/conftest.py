"""The runtime, installed once a module on each engine that the module asks for with `ENGINES = (...)`.

`CALLS = True` gives it pg_net and Vault, which pg15 lacks; `SETTINGS = {...}` a server that was started with them.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from engines import NAMES, Pool

from runtime.runtime_db import PROJECT, RuntimeDb, install


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "db" in metafunc.fixturenames:
        marker = metafunc.definition.get_closest_marker("engines")
        wanted = marker.args if marker else getattr(metafunc.module, "ENGINES", NAMES)
        chosen = metafunc.config.getoption("--engine") or NAMES
        metafunc.parametrize(
            "db", [n for n in NAMES if n in wanted and n in chosen], indirect=True, scope="module"
        )


@pytest.fixture(scope="module")
def db(request: pytest.FixtureRequest, engine_pool: Pool) -> Iterator[RuntimeDb]:
    """The runtime on one engine, its project open, as a role that is no superuser."""
    engine = engine_pool.engine(request.param, getattr(request.module, "SETTINGS", None))
    engine.reset()
    hosted = engine.hosted(calls=getattr(request.module, "CALLS", False))
    runtime = RuntimeDb(engine, hosted.dsn)
    install(runtime.main)
    runtime.run(
        "insert into orchestra.project (project, owner_role, gate) values (%s, current_user, 'open')", PROJECT
    )
    yield runtime
    runtime.close()
    engine.quiesce()
