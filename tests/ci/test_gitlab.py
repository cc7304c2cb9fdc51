"""The pipeline of docs/gitlab.md, job by job: its scripts as a runner of GitLab runs them."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from acceptance.live import assert_settled
from actions_runner import ROOT
from code_host import FakeGitLab
from code_host.gitlab import ME, TOKEN
from documents import BLOCKS
from engines import Engine
from repository import Repository
from storefront import IMPORT, SETUP, SPEC

from orchestra.pipeline import PlanOptions
from orchestra.spec import parse_spec

pytestmark = pytest.mark.xdist_group("ci")
(PIPELINE,) = (block.document for block in BLOCKS if block.page == "gitlab")
PASSWORD = "a-password-that-nobody-sees"


@dataclass(frozen=True)
class Done:
    code: int
    log: str


@pytest.fixture
def gitlab() -> Iterator[FakeGitLab]:
    with FakeGitLab() as host:
        yield host


@pytest.fixture
def installed(tool: Path) -> str:
    """The folder of the command, installed as the action does; a job of GitLab would run pip for the same."""
    environment = {
        "PATH": os.environ["PATH"],
        "HOME": str(tool),
        "RUNNER_TEMP": str(tool),
        "GITHUB_PATH": str(tool / "path"),
    }
    subprocess.run([str(ROOT / "scripts/ci/install")], env=environment, check=True, capture_output=True)
    return str(tool / "orchestra-tool" / "command")


@pytest.fixture
def run(
    tmp_path: Path, repository: Repository, gitlab: FakeGitLab, installed: str, pg17: Engine
) -> Callable[..., Done]:
    """`run(job, checkout, **variables)` runs the script of a job in a clone."""
    pg17.psql(SETUP)
    pg17.psql("create extension pg_cron")

    def run_job(name: str, revision: str, checkout: str, **variables: str) -> Done:
        place = tmp_path / checkout
        if not place.exists():
            subprocess.run(["git", "clone", "-q", f"file://{repository.path}", str(place)], check=True)
            subprocess.run(["git", "-C", str(place), "checkout", "-q", revision], check=True)
        environment = {
            "PATH": f"{installed}:{os.environ['PATH']}",
            "HOME": str(tmp_path),
            "LANG": "C.UTF-8",
            "GITLAB_CI": "true",
            "CI": "true",
            "CI_PROJECT_ID": "42",
            "CI_API_V4_URL": gitlab.url,
            "GITLAB_TOKEN": TOKEN,
            "PROD_DATABASE_URL": f"postgresql://postgres:{PASSWORD}@{pg17.dsn.partition('@')[2]}",
            **variables,
        }
        script = "\n".join(PIPELINE[name]["script"])
        done = subprocess.run(
            ["bash", "-eo", "pipefail", "-c", script],
            cwd=place,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )
        assert PASSWORD not in done.stdout
        assert TOKEN not in done.stdout
        return Done(done.returncode, done.stdout)

    return run_job


def test_a_merge_request_is_reviewed_merged_and_applied(
    run: Callable[..., Done], repository: Repository, gitlab: FakeGitLab, pg17: Engine
) -> None:
    base = repository.git("rev-parse", "main")
    repository.push("import", "Import", {"orchestra.yaml": SPEC + IMPORT}, number=7)
    request: dict[str, Any] = {
        "CI_MERGE_REQUEST_IID": "7",
        "CI_MERGE_REQUEST_DIFF_BASE_SHA": base,
        "CI_MERGE_REQUEST_PROJECT_ID": "42",
        "CI_MERGE_REQUEST_SOURCE_PROJECT_ID": "42",
    }
    checked = run("check", "import", "review", **request)
    assert checked.code == 0, checked.log
    assert "import-orders" in checked.log
    assert gitlab.notes == []
    reviewed = run("review", "import", "review", **request)
    assert reviewed.code == 0, reviewed.log
    (note,) = gitlab.notes
    assert note["author"]["id"] == ME
    assert "import-orders" in note["body"]

    repository.squash("import", "Import")
    planned = run("plan", "main", "after")
    assert planned.code == 0, planned.log
    applied = run("apply", "main", "after")  # the artifact is in its place, as the runner lays it
    assert applied.code == 0, applied.log
    assert "Applied" in applied.log
    spec = parse_spec(SPEC + IMPORT).spec
    assert spec is not None
    assert_settled(pg17, spec, PlanOptions(environment="production"))
    again = run("apply", "main", "after")
    assert again.code == 3
    assert "PROD_DATABASE_URL" in again.log


def test_what_pip_installs_is_the_one_variable() -> None:
    assert PIPELINE[".orchestra"]["before_script"] == ['pip install --quiet "$ORCHESTRA_SOURCE"']
