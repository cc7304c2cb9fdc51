"""A repository whose spec changes commit by commit, each reviewed and applied as a pipeline would. In the end the
database is what a fresh build of the last spec is."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from code_host import FakeGitHub
from code_host.github import REPOSITORY, TOKEN
from engines import Engine
from repository import Repository

from acceptance.history import SETUP, STEPS, Step, specs
from acceptance.live import apply, assert_settled, dump, rows
from orchestra.cli import main
from orchestra.pipeline import PlanOptions
from orchestra.spec import parse_spec
from orchestra.spec.model import Spec

PRODUCTION = PlanOptions(environment="production")


class Review:
    """The commands of a reviewer, in the repository."""

    def __init__(self, home: Path) -> None:
        self._home = home

    def run(self, *arguments: str, codes: tuple[int, ...] = (0,)) -> Result:
        result = CliRunner().invoke(main, list(arguments), prog_name="orchestra")
        assert result.exit_code in codes, f"{arguments}: {result.output}"
        return result

    def diff(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(self.run("diff", "--base", "HEAD~1", "--format", "json").stdout)
        return found

    def plan(self, *allow: str) -> dict[str, Any]:
        self.run("plan", "--env", "production", "--out", "plan.json", *allow)
        found: dict[str, Any] = json.loads((self._home / "plan.json").read_text(encoding="utf-8"))
        return found


def _spec(text: str) -> Spec:
    found = parse_spec(text).spec
    assert found is not None
    return found


def _addresses(document: dict[str, Any]) -> set[tuple[str, str]]:
    """What is done to what. The ground that projects stand on is left out: a diff cannot know what of it is there."""
    return {
        (change["action"], change["address"])
        for change in document["changes"]
        if change["address"].partition(".")[0] not in ("extension", "runtime", "project")
    }


@pytest.fixture
def review(tmp_path: Path, pg17: Engine, monkeypatch: pytest.MonkeyPatch) -> Review:
    home = tmp_path / "shop"
    monkeypatch.setenv("PROD_DATABASE_URL", pg17.dsn)
    monkeypatch.setenv("GITHUB_REPOSITORY", REPOSITORY)
    monkeypatch.setenv("GITHUB_TOKEN", TOKEN)
    monkeypatch.delenv("GITHUB_EVENT_PATH", raising=False)
    return Review(home)


def test_every_commit_is_reviewed_and_applied_and_the_end_is_as_a_fresh_build(
    review: Review, tmp_path: Path, pg17: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    pg17.psql(SETUP)
    repository = Repository(tmp_path / "shop")
    monkeypatch.chdir(repository.path)
    repository.commit("Nothing yet", {".gitignore": "plan.*\n"})
    with FakeGitHub() as github:
        monkeypatch.setenv("GITHUB_API_URL", github.url)
        for number, (step, text) in enumerate(zip(STEPS, specs(), strict=True), 1):
            commit = repository.commit(step.message, {"orchestra.yaml": text})
            _review_and_apply(review, step, number, github)
            assert_settled(pg17, _spec(text), PRODUCTION)
            if not step.quiet:
                (ledger,) = pg17.execute(
                    "select git_commit from orchestra.deployment order by id desc limit 1"
                )
                assert ledger[0] == commit
        assert len(github.comments) == sum(not step.quiet for step in STEPS)
    last = _spec(text)
    schema, content = dump(pg17), rows(pg17)
    pg17.reset()
    pg17.psql(SETUP)
    apply(pg17, last, PRODUCTION)
    assert_settled(pg17, last, PRODUCTION)
    assert dump(pg17) == schema
    assert rows(pg17) == content


def _review_and_apply(review: Review, step: Step, number: int, github: FakeGitHub) -> None:
    """Check; what the commit changes; what the database will see; the comment; and then exactly that plan."""
    review.run("check")
    offline = review.diff()
    plan = review.plan(*step.allow)
    assert plan["blockers"] == [], step.message
    assert bool(plan["changes"]) != step.quiet, step.message
    assert _addresses(offline) == _addresses(plan), step.message
    _comment(review, step, number, plan, github)
    review.run("apply", "plan.json", "--env", "production", "--auto-approve")


def _comment(review: Review, step: Step, number: int, plan: dict[str, Any], github: FakeGitHub) -> None:
    """On the pull request of the commit; none is made where there is nothing to say."""
    github.open_pull(number)
    text = review.run("show", "plan.json", "--format", "markdown").stdout
    Path("plan.md").write_text(text, encoding="utf-8")
    quietly = ("--edit-only",) if step.quiet else ()
    review.run("comment", "--file", "plan.md", "--pull-request", str(number), *quietly)
    for made in github.of(number):
        assert all(change["address"] in made["body"] for change in plan["changes"]), step.message
