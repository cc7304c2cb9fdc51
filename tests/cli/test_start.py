"""What it costs to start, and what starting loads."""

from __future__ import annotations

import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

import orchestra

ROOT = Path(__file__).parents[2]
HEAVY = {
    "yaml",
    "psycopg",
    "sqlglot",
    "jsonschema",
    "jsonschema_rs",
    "pglast",
    "deepdiff",
    "importlib.metadata",
}


def python(code: str) -> str:
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    return done.stdout


@pytest.mark.parametrize("module", ["orchestra", "orchestra.cli"])
def test_importing_loads_nothing_heavy(module: str) -> None:
    loaded = set(python(f"import sys, {module}; print(*sys.modules)").split())
    assert not HEAVY & loaded


@pytest.mark.parametrize("args", [["--version"], ["--help"], ["plan", "--help"], ["apply", "--nope"]])
def test_what_needs_no_spec_loads_nothing_heavy(args: list[str]) -> None:
    code = f"import sys\nfrom orchestra.cli import main\ntry: main({args!r})\nexcept SystemExit: pass\n"
    loaded = set(python(code + "print('\\n', *sys.modules)").split())
    assert not HEAVY & loaded


def test_the_version_is_that_of_the_package() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    assert project.get("version", orchestra.__version__) == orchestra.__version__


def test_rooms_that_share_a_name_with_a_function_can_be_called() -> None:
    code = """
import orchestra.plan.model as model, orchestra.check.rules
import orchestra
assert model.Plan and orchestra.check.rules
spec = orchestra.load({path!r})
assert orchestra.check(spec) == ()
assert len(orchestra.compile(spec)) > 2
from orchestra import plan, apply, PlanOptions
assert callable(plan) and callable(apply) and PlanOptions()
""".format(path=str(ROOT / "tests/cli/shop.yaml"))
    python(code)
