"""Fixtures that every test may use: real engines, and golden files that rewrite themselves on --update."""

from __future__ import annotations

import signal
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from engines import NAMES, Engine, Pool

# A shell that starts the tests in its background leaves them, and what they start, deaf to Ctrl-C; some tests press it.
signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("orchestra")
    group.addoption(
        "--engine", action="append", choices=NAMES, help="run only the tests of this engine (repeatable)"
    )
    group.addoption(
        "--update", action="store_true", help="rewrite golden files instead of comparing with them"
    )


def _chosen(config: pytest.Config) -> tuple[str, ...]:
    return tuple(config.getoption("--engine") or NAMES)


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "engine" in metafunc.fixturenames:
        marker = metafunc.definition.get_closest_marker("engines")
        wanted = marker.args if marker else NAMES
        if unknown := set(wanted) - set(NAMES):
            raise ValueError(f"no engine is called {', '.join(sorted(unknown))}")
        metafunc.parametrize("engine", [name for name in NAMES if name in wanted], indirect=True)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out the tests of engines that --engine does not name: deselected, not skipped."""
    chosen = _chosen(config)
    if set(chosen) == set(NAMES):
        return
    kept, left = [], []
    for item in items:
        fixtures = set(getattr(item, "fixturenames", ()))
        uses = fixtures & set(NAMES)
        if "engine" in fixtures:
            uses = {item.callspec.params["engine"]}  # type: ignore[attr-defined]
        (kept if uses <= set(chosen) else left).append(item)
    if left:
        config.hook.pytest_deselected(items=left)
        items[:] = kept


@pytest.fixture(scope="session")
def engine_pool() -> Iterator[Pool]:
    """The servers of this test process; started lazily, stopped at the end."""
    pool = Pool()
    yield pool
    pool.stop()


def _pristine(pool: Pool, name: str) -> Iterator[Engine]:
    engine = pool.engine(name)
    engine.reset()
    yield engine
    engine.quiesce()


@pytest.fixture
def engine(request: pytest.FixtureRequest, engine_pool: Pool) -> Iterator[Engine]:
    """Each engine in turn, or those of @pytest.mark.engines(...), with a pristine database."""
    yield from _pristine(engine_pool, request.param)


@pytest.fixture
def embedded(engine_pool: Pool) -> Iterator[Engine]:
    """The embedded PostgreSQL 18 with stand-ins, with a pristine database."""
    yield from _pristine(engine_pool, "embedded")


@pytest.fixture
def pg17(engine_pool: Pool) -> Iterator[Engine]:
    """PostgreSQL 17 with the real pg_cron 1.6, with a pristine database."""
    yield from _pristine(engine_pool, "pg17")


@pytest.fixture
def pg15(engine_pool: Pool) -> Iterator[Engine]:
    """PostgreSQL 15 with the real pg_cron 1.4, with a pristine database."""
    yield from _pristine(engine_pool, "pg15")


@pytest.fixture
def golden(request: pytest.FixtureRequest) -> Callable[[Path, str], None]:
    """`golden(path, text)` compares text with a file, or writes the file when pytest runs with --update."""
    update = request.config.getoption("--update")

    def compare(path: Path, text: str) -> None:
        if update:
            path.parent.mkdir(parents=True, exist_ok=True)
            if not path.exists() or path.read_text(encoding="utf-8") != text:
                path.write_text(text, encoding="utf-8")
            return
        assert path.exists(), f"{path} is missing; run pytest with --update to write it"
        assert text == path.read_text(encoding="utf-8"), f"{path} differs; --update rewrites it"

    return compare
