"""`case` runs a test for every example and golden case; those that need a seconds schedule are left out on pg15."""

from __future__ import annotations

import pytest


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Deselect rather than skip: what pg_cron 1.4 refuses has a test of its own."""
    items[:] = [item for item in items if _runs(item)]


def _runs(item: pytest.Item) -> bool:
    params = getattr(getattr(item, "callspec", None), "params", {})
    case, engine = params.get("case"), params.get("engine")
    marked = item.get_closest_marker("refused_seconds")
    return marked is not None or engine != "pg15" or case is None or not case.needs_seconds
