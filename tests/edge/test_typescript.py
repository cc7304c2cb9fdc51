"""The worker runtime in TypeScript: Deno's own format, lint and strict types, and its tests against real databases."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest
from engines import Engine
from runtime.runtime_db import PROJECT, RuntimeDb, install

from orchestra.dev.edge import find_deno

HERE = Path(__file__).parent
RUNTIME = HERE.parents[1] / "orchestra" / "runtime" / "edge"
PRELUDE = HERE.parents[1] / "orchestra" / "dev" / "edge"


def deno(*arguments: str, cwd: Path = HERE, **env: str) -> None:
    """Runs it; what it said is the message of its failure."""
    done = subprocess.run(
        [find_deno(), *arguments],
        cwd=cwd,
        env={**os.environ, "NO_COLOR": "1", **env},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-8000:]


@pytest.mark.parametrize("folder", [RUNTIME, PRELUDE, HERE], ids=lambda f: f.name)
def test_it_is_formatted_as_deno_formats(folder: Path) -> None:
    deno("fmt", "--check", ".", cwd=folder)


@pytest.mark.parametrize("folder", [RUNTIME, PRELUDE, HERE], ids=lambda f: f.name)
def test_the_linter_finds_nothing(folder: Path) -> None:
    deno("lint", ".", cwd=folder)


def test_its_types_are_strict_and_wrong_handlers_do_not_compile() -> None:
    """`types_test.ts` holds what must not compile: each `@ts-expect-error` is an error where it does after all."""
    deno("check", *sorted(f.name for f in HERE.glob("*.ts")))
    deno("check", ".", cwd=RUNTIME)


def test_what_needs_no_database() -> None:
    deno("test", "--allow-all", "--ignore=" + ",".join(f.name for f in HERE.glob("*_db_test.ts")), ".")


@pytest.mark.engines("embedded", "pg17")
def test_what_needs_one(engine: Engine) -> None:
    hosted = engine.hosted(calls=True)
    db = RuntimeDb(engine, hosted.dsn)
    try:
        install(db.main)
        db.run(
            "insert into orchestra.project (project, owner_role, gate) values (%s, current_user, 'open')",
            PROJECT,
        )
        engine.execute("select vault.create_secret('hush', 'edge_test_hook')")
        deno(
            "test",
            "--allow-all",
            *sorted(f.name for f in HERE.glob("*_db_test.ts")),
            ORCHESTRA_TEST_DB=hosted.dsn,
        )
    finally:
        db.close()
