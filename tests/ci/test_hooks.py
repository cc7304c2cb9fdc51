"""The hooks, as docs/pre-commit.md configures them, run by pre-commit itself in an environment that it builds."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from actions_runner import ROOT
from documents import BLOCKS
from repository import Repository
from storefront import SPEC

_PARTS = (
    "orchestra",
    "schemas",
    "pyproject.toml",
    "README.md",
    "LICENSE",
    "CHANGELOG.md",
    ".pre-commit-hooks.yaml",
)


@pytest.fixture
def published(tmp_path: Path) -> tuple[str, str]:
    """This tree as a repository of its own, with what is not committed yet: its place and its revision."""
    made = Repository(tmp_path / "published")
    for part in _PARTS:
        source, target = ROOT / part, made.path / part
        if source.is_dir():
            shutil.copytree(source, target, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(source, target)
    return str(made.path), made.commit("All of it", {})


def test_pre_commit_builds_the_hooks_and_they_find_what_is_wrong(
    repository: Repository, published: tuple[str, str], tmp_path: Path
) -> None:
    """One environment is built for all hooks; the rest happens in it."""
    home = tmp_path / "home"
    (block,) = (b for b in BLOCKS if (b.page, b.number) == ("pre-commit", 1))
    place, revision = published
    config = block.text.replace("https://github.com/your-org/orchestra", place).replace("v0.1.0", revision)
    repository.commit("Hooks", {".pre-commit-config.yaml": config})

    def run() -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "pre_commit", "run", "--all-files", "--verbose"],
            cwd=repository.path,
            env={"PATH": os.environ["PATH"], "HOME": str(home), "NO_COLOR": "1"},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
        )

    missing = run()
    assert missing.returncode == 1, missing.stderr
    assert "No problems." in missing.stdout, missing.stdout
    assert "supabase/orchestra.sql does not exist" in missing.stdout
    orchestra = next(home.rglob("bin/orchestra"))
    subprocess.run([orchestra, "compile", "--out", "supabase"], cwd=repository.path, check=True)
    repository.commit("Compiled", {})
    good = run()
    assert good.returncode == 0, good.stdout
    assert good.stdout.count("Passed") == 3
    repository.commit("A typo", {"orchestra.yaml": SPEC.replace("duration:", "durations:")})
    bad = run()
    assert bad.returncode == 1
    assert "Did you mean" in bad.stdout or "did you mean" in bad.stdout
