"""A host on loopback, the environment of a job for a pull request, and `orchestra comment` in it."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from code_host import FakeGitHub, FakeGitLab
from code_host.github import REPOSITORY, TOKEN
from code_host.gitlab import TOKEN as GITLAB_TOKEN

from orchestra.cli import hosting, main
from orchestra.hosting.model import Clock

Comment = Callable[..., Result]

_VARIABLES = (
    *("GITHUB_REPOSITORY", "GITHUB_API_URL", "GITHUB_GRAPHQL_URL", "GITHUB_TOKEN", "GITHUB_EVENT_PATH"),
    *("GITHUB_EVENT_NAME", "GITHUB_REF", "GITHUB_SHA", "GITLAB_TOKEN", "CI_PROJECT_ID", "CI_API_V4_URL"),
    *("CI_MERGE_REQUEST_IID", "CI_MERGE_REQUEST_PROJECT_ID", "CI_MERGE_REQUEST_SOURCE_PROJECT_ID"),
)


@pytest.fixture(autouse=True)
def _clean(monkeypatch: pytest.MonkeyPatch) -> None:
    """No variable of the machine that runs the tests gets in."""
    for name in _VARIABLES:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("COLUMNS", "120")


@pytest.fixture
def waits(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """How long it waited, each time: without waiting. The time is 1,000,000."""
    waited: list[float] = []
    monkeypatch.setattr(hosting, "_clock", lambda: Clock(lambda: 1_000_000.0, waited.append))
    return waited


@pytest.fixture
def event(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[object], None]:
    def write(content: object) -> None:
        file = tmp_path / "event.json"
        file.write_text(json.dumps(content), encoding="utf-8")
        monkeypatch.setenv("GITHUB_EVENT_PATH", str(file))

    return write


@pytest.fixture
def github(
    monkeypatch: pytest.MonkeyPatch, waits: list[float], event: Callable[[object], None]
) -> Iterator[FakeGitHub]:
    """GitHub with pull request 12, and the variables of a job that runs for it."""
    with FakeGitHub() as host:
        host.open_pull(12)
        monkeypatch.setenv("GITHUB_REPOSITORY", REPOSITORY)
        monkeypatch.setenv("GITHUB_API_URL", host.url)
        monkeypatch.setenv("GITHUB_TOKEN", TOKEN)
        event({"pull_request": {"number": 12, "head": {"repo": {"full_name": REPOSITORY}}}})
        yield host


@pytest.fixture
def gitlab(monkeypatch: pytest.MonkeyPatch, waits: list[float]) -> Iterator[FakeGitLab]:
    with FakeGitLab() as host:
        monkeypatch.setenv("CI_PROJECT_ID", "42")
        monkeypatch.setenv("CI_API_V4_URL", host.url)
        monkeypatch.setenv("CI_MERGE_REQUEST_IID", "7")
        monkeypatch.setenv("GITLAB_TOKEN", GITLAB_TOKEN)
        yield host


@pytest.fixture
def comment(tmp_path: Path) -> Comment:
    """`comment(report, *options)` runs `orchestra comment` on a file that holds it."""

    def invoke(report: str, *options: str) -> Result:
        file = tmp_path / "plan.md"
        file.write_text(report, encoding="utf-8")
        result = CliRunner().invoke(main, ["comment", "--file", str(file), *options], prog_name="orchestra")
        assert TOKEN not in result.output, "the token was printed"
        assert GITLAB_TOKEN not in result.output, "the token was printed"
        return result

    return invoke
