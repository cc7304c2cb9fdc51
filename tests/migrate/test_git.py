"""Two branches in a real repository, each with a migration: the conflict, the way out of it, and the databases."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest
from acceptance.live import rows
from apply.shop import HEAD, QUEUE, Shop, said
from engines.supabase import install_pgmq
from repo import Repo, run

BASE = HEAD.format(project="shop") + QUEUE
ONE = "  {name}: {{trigger: manual, duration: {{max: 5s}}, poll_interval: 1m, run: {{sql: select 2}}}}\n"
MINE, THEIRS = ONE.format(name="mine"), ONE.format(name="theirs")


def git(folder: Path, *args: str, check: bool = True) -> str:
    done = subprocess.run(
        ["git", "-c", "user.name=T", "-c", "user.email=t@example.com", *args],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_SYSTEM": os.devnull},
    )
    assert not check or done.returncode == 0, done.stderr + done.stdout
    return done.stdout


def commit(repo: Repo) -> None:
    git(repo.root, "add", "-A")
    git(repo.root, "commit", "-q", "-m", "a migration")


@pytest.fixture
def merged(repo: Repo) -> tuple[Repo, Path, Path, Path]:
    """A repository in the midst of a merge of `main` into `mine`; and the migrations: the first, mine, theirs."""
    git(repo.root, "init", "-q", "-b", "main")
    first = repo.wrote(BASE)
    commit(repo)
    git(repo.root, "checkout", "-q", "-b", "mine")
    mine = repo.wrote(BASE + MINE)
    commit(repo)
    git(repo.root, "checkout", "-q", "main")
    repo.migrate(BASE + THEIRS, epoch="1800000500")
    (theirs,) = set(repo.files) - {first}
    commit(repo)
    git(repo.root, "checkout", "-q", "mine")
    said_ = git(repo.root, "merge", "main", check=False)
    assert "CONFLICT (content): Merge conflict in supabase/orchestra.shop.lock.json" in said_
    done = repo.migrate(None, "--check")
    assert done.exit_code == 1
    repo.spec_file.write_text(BASE + MINE + THEIRS)
    git(repo.root, "checkout", "--theirs", "supabase/orchestra.shop.lock.json")
    assert repo.migrate(None, "--check").exit_code == 1
    return repo, first, mine, theirs


def test_the_own_migration_is_written_behind_theirs(
    shop: Shop, merged: tuple[Repo, Path, Path, Path]
) -> None:
    repo, first, mine, theirs = merged
    git(repo.root, "rm", "-q", "-f", str(mine))
    again = repo.wrote(BASE + MINE + THEIRS)
    assert again.name > theirs.name
    commit(repo)
    assert repo.migrate(None, "--check").exit_code == 0
    install_pgmq(shop.engine)
    for file in (first, theirs, again):
        run(shop.engine, file)
    assert said(shop.plan(QUEUE + MINE + THEIRS)) == ["update project.shop"]


@pytest.mark.parametrize("order", ["as they are named", "mine last", "theirs last"])
def test_one_that_a_database_has_run_is_kept(
    shop: Shop, merged: tuple[Repo, Path, Path, Path], order: str
) -> None:
    """Each database ends the same, whichever of the two it had run when the branches were merged."""
    repo, first, mine, theirs = merged
    done = repo.migrate(None, "--keep", mine.name)
    assert done.exit_code == 0, done.output
    commit(repo)
    assert repo.migrate(None, "--check").exit_code == 0
    again = repo.files[-1]
    assert again.name > theirs.name
    install_pgmq(shop.engine)
    way = {
        "as they are named": (first, mine, theirs, again),
        "mine last": (first, theirs, again, mine),
        "theirs last": (first, mine, again, theirs),
    }
    for file in way[order]:
        run(shop.engine, file)
    assert said(shop.plan(QUEUE + MINE + THEIRS)) == ["update project.shop"]
    assert len(rows(shop.engine)["workload"]) == 3
