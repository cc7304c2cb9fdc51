"""What a server cannot do is left out of the tests of all cases."""

from __future__ import annotations

import pytest


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Deselect on pg15 rather than skip: what pg_cron 1.4 and a server without pg_net refuse has tests of its own."""
    items[:] = [item for item in items if _runs(item)]


def _of(item: pytest.Item) -> tuple[object, object]:
    params = getattr(getattr(item, "callspec", None), "params", {})
    return params.get("case"), params.get("engine")


def _runs(item: pytest.Item) -> bool:
    case, engine = _of(item)
    return engine != "pg15" or not (
        getattr(case, "needs_seconds", False) or getattr(case, "needs_calls", False)
    )
