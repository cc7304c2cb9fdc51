"""A directory with a spec, a way to run the command line in it, and a database that only pretends."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from cli_world import SPEC, TARGET, FakePipeline, Run
from click.testing import CliRunner, Result

from orchestra.cli import main
from orchestra.plan.model import Plan


@pytest.fixture(autouse=True)
def _clean(monkeypatch: pytest.MonkeyPatch) -> None:
    """No variable of the machine that runs the tests gets in."""
    names = ("ORCHESTRA_DATABASE_URL", "ORCHESTRA_DEBUG", "NO_COLOR", "FORCE_COLOR", "PROD_DATABASE_URL")
    for name in names:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("COLUMNS", "80")


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "orchestra.yaml").write_text(SPEC, encoding="utf-8")
    (tmp_path / ".git").mkdir()
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def run() -> Run:
    def invoke(*args: str, **options: Any) -> Result:
        return CliRunner().invoke(main, list(args), prog_name="orchestra", **options)

    return invoke


@pytest.fixture
def fake(monkeypatch: pytest.MonkeyPatch) -> FakePipeline:
    import orchestra.live.connect
    import orchestra.pipeline

    stand_in = FakePipeline(Plan("shop", TARGET, "0.1.0"))
    monkeypatch.setattr(orchestra.live.connect, "connect", stand_in.connect)
    for name in ("plan", "destroy_plan", "refuse_elsewhere", "apply"):
        monkeypatch.setattr(orchestra.pipeline, name, getattr(stand_in, name))
    return stand_in
