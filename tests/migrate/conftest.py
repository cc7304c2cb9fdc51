"""What a server cannot do is left out of the tests of all cases, as in tests/acceptance."""

from __future__ import annotations

from pathlib import Path

import pytest
from acceptance.conftest import pytest_collection_modifyitems
from apply.fixtures import hosted, shop
from repo import Repo

__all__ = ["hosted", "pytest_collection_modifyitems", "shop"]


@pytest.fixture
def repo(tmp_path: Path) -> Repo:
    return Repo(tmp_path)
