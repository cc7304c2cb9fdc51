"""A machine with orchestra as the action installs it, once, and a repository in which things happen."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from actions_runner import Runner
from code_host import FakeGitHub
from code_host.github import REPOSITORY, TOKEN
from repository import Repository
from storefront import SPEC


@pytest.fixture(scope="session")
def tool(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A RUNNER_TEMP that all jobs share, so that the first of them installs orchestra and the others find it there."""
    return tmp_path_factory.mktemp("runner")


@pytest.fixture
def repository(tmp_path: Path) -> Repository:
    """A shop whose first spec is on main."""
    made = Repository(tmp_path / "origin")
    made.commit("The shop's background work", {"orchestra.yaml": SPEC})
    return made


@pytest.fixture
def github() -> Iterator[FakeGitHub]:
    with FakeGitHub() as host:
        yield host


@pytest.fixture
def runner(tmp_path: Path, tool: Path, repository: Repository, github: FakeGitHub) -> Callable[..., Runner]:
    """`runner(revision, event_name, event, **secrets)`: a fresh machine for one job of a run."""
    count = 0

    def make(
        revision: str, event_name: str, event: dict[str, Any], *, run: str = "run", **secrets: str
    ) -> Runner:
        nonlocal count
        count += 1
        variables = {
            "GITHUB_REPOSITORY": REPOSITORY,
            "GITHUB_API_URL": github.url,
            "GITHUB_GRAPHQL_URL": f"{github.url}/graphql",
            "GITHUB_EVENT_NAME": event_name,
            "GITHUB_SHA": repository.git("rev-parse", revision),
        }
        return Runner(
            tmp_path / f"job-{count}",
            repository.path,
            tmp_path / f"artifacts-{run}",
            tool,
            variables,
            event,
            secrets,
            TOKEN,
            revision,
        )

    return make
