"""What a server cannot do is left out of the tests of all cases."""

from __future__ import annotations

import pytest


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Deselect seconds on pg15 rather than skip them: what pg_cron 1.4 refuses has a test of its own."""
    items[:] = [item for item in items if _runs(item)]


def _of(item: pytest.Item) -> tuple[object, object]:
    params = getattr(getattr(item, "callspec", None), "params", {})
    return params.get("case"), params.get("engine")


def _runs(item: pytest.Item) -> bool:
    case, engine = _of(item)
    return engine != "pg15" or case is None or not getattr(case, "needs_seconds", False)
