"""The workflows of docs/github.md on a scripted repository, against a real database: a pull request is opened, pushed
to, reviewed, merged and applied."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from acceptance.live import apply, assert_settled, rows
from actions_runner import Ended, Runner
from click.testing import CliRunner
from code_host import FakeGitHub
from code_host.github import BOT, TOKEN, Account
from documents import workflow
from engines import Engine
from repository import Repository
from storefront import IMPORT, SETUP, SPEC, pull_request

from orchestra.cli import main
from orchestra.pipeline import PlanOptions
from orchestra.spec import parse_spec
from orchestra.spec.model import Spec

pytestmark = pytest.mark.xdist_group("ci")
Machine = Callable[..., Runner]

REVIEW = workflow("orchestra review")
APPLY = workflow("orchestra apply")
PRODUCTION = PlanOptions(environment="production")
DRIFT = workflow("orchestra drift")
PASSWORD = "a-password-that-nobody-sees"
WITH_IMPORT = SPEC + IMPORT
WITHOUT_CARTS = WITH_IMPORT.replace(SPEC[SPEC.index("  purge-carts") :], "")


@pytest.fixture
def database(pg17: Engine) -> Engine:
    pg17.psql(SETUP)
    pg17.psql("create extension pg_cron")
    return pg17


class World:
    """The repository, its host and its database, and what happens to them."""

    def __init__(
        self, machine: Machine, repository: Repository, github: FakeGitHub, database: Engine
    ) -> None:
        self.machine, self.repository, self.github, self.database = machine, repository, github, database
        host = database.dsn.partition("@")[2]
        self.secrets = {"PROD_DATABASE_URL": f"postgresql://postgres:{PASSWORD}@{host}"}
        self.runs = 0
        self.logs: list[str] = []

    def push(self, number: int, spec: str, **files: str) -> None:
        """To the branch of a pull request, which is opened by the first push."""
        self.github.open_pull(number)
        contents: dict[str, str | None] = {"orchestra.yaml": spec, **files}
        self.repository.push(f"change-{number}", f"Change {number}", contents, number=number)

    def review(self, number: int, *, fork: bool = False) -> dict[str, Ended | None]:
        self.runs += 1
        event = pull_request(number, "mallory/shop" if fork else "acme/shop")
        secrets = {} if fork else self.secrets

        def machine() -> Runner:
            ref = f"refs/pull/{number}/merge"
            return self.machine(ref, "pull_request", event, run=f"review-{self.runs}", **secrets)

        check = machine().run(REVIEW, "check")
        assert check is not None
        return self._seen(check=check, plan=machine().run(REVIEW, "plan", {"check": check}))

    def merge(self, number: int) -> None:
        self.repository.squash(f"change-{number}", f"Change {number} (#{number})")

    def planned(self) -> Ended:
        """The first job of the run that a merge starts."""
        self.runs += 1
        ended = self._main().run(APPLY, "plan")
        assert ended is not None
        self._seen(plan=ended)
        return ended

    def apply(self, planned: Ended) -> Ended | None:
        """Its second job, once somebody has approved."""
        ended = self._main().run(APPLY, "apply", {"plan": planned})
        self._seen(apply=ended)
        return ended

    def _main(self, revision: str = "main") -> Runner:
        return self.machine(
            revision, "push", {"ref": "refs/heads/main"}, run=f"apply-{self.runs}", **self.secrets
        )

    def _seen(self, **jobs: Ended | None) -> dict[str, Ended | None]:
        for ended in jobs.values():
            if ended is not None:
                self.logs.append(ended.log + ended.summary)
        return jobs

    def purges(self) -> list[Any]:
        return self.database.execute("select jobname from cron.job where jobname like '%purge-carts%'")

    def comment(self, number: int) -> str:
        (found,) = self.github.of(number)
        return str(found["body"])

    def assert_nothing_leaked(self) -> None:
        for text in (*self.logs, *(c["body"] for c in self.github.comments)):
            assert PASSWORD not in text
            assert TOKEN not in text


@pytest.fixture
def world(runner: Machine, repository: Repository, github: FakeGitHub, database: Engine) -> World:
    return World(runner, repository, github, database)


def spec_of(text: str) -> Spec:
    found = parse_spec(text).spec
    assert found is not None
    return found


def good(ended: Ended | None) -> Ended:
    assert ended is not None, "the job did not run"
    assert ended.code == 0, ended.log
    return ended


def test_a_pull_request_is_reviewed_pushed_to_merged_and_applied(world: World) -> None:
    good(world.apply(good(world.planned())))  # the first spec goes live
    world.push(7, WITH_IMPORT)
    reviewed = world.review(7)
    good(reviewed["check"])
    plan = good(reviewed["plan"])
    assert plan.outputs["plan"]["changes"] == "true"
    assert int(plan.outputs["plan"]["add"]) > 0
    assert plan.outputs["plan"]["destroy"] == "0"
    first = world.comment(7)
    assert first.startswith("<!-- orchestra:plan project=shop environment=production -->\n")
    assert "queue.import-orders" in first
    assert "queue.import-orders" in plan.summary

    world.push(7, WITH_IMPORT.replace("import-orders", "load-orders"))
    good(world.review(7)["plan"])
    assert "queue.load-orders" in world.comment(7)  # the same one, edited
    assert "import-orders" not in world.comment(7)

    world.merge(7)
    planned = good(world.planned())
    applied = good(world.apply(planned))
    assert "### Applied" in applied.summary
    assert_settled(world.database, spec_of(WITH_IMPORT.replace("import-orders", "load-orders")), PRODUCTION)
    assert [r[0]["name"] for r in rows(world.database)["workload"]] == ["load-orders", "purge-carts"]

    again = good(world.planned())
    assert again.outputs["plan"]["changes"] == "false"
    assert world.apply(again) is None  # nothing to approve
    world.assert_nothing_leaked()


def test_a_hazard_that_nobody_approved_fails_the_job_and_the_comment_says_why(world: World) -> None:
    spec = WITH_IMPORT
    world.repository.commit("Import", {"orchestra.yaml": spec})
    good(world.apply(good(world.planned())))
    world.push(8, WITHOUT_CARTS)
    reviewed = world.review(8)
    good(reviewed["check"])
    plan = reviewed["plan"]
    assert plan is not None
    assert (plan.code, plan.outputs["plan"]["exit-code"]) == (5, "5")
    assert "purge-carts" in world.comment(8)
    assert "--allow" in world.comment(8)
    assert "actions/upload-artifact@v6" in plan.ran  # the report is kept all the same

    world.merge(8)
    planned = world.planned()
    assert planned.code == 5
    assert world.apply(planned) is None
    assert world.purges() != []


def test_an_approval_that_was_reviewed_with_the_change_lets_it_through(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.repository.commit("Import", {"orchestra.yaml": WITH_IMPORT})
    good(world.apply(good(world.planned())))
    world.push(8, WITHOUT_CARTS)
    world.repository.git("checkout", "-q", "change-8")
    monkeypatch.chdir(world.repository.path)
    approve = ["approve", "--base", "main", "--reason", "Carts are kept", "--by", "Ada"]
    assert CliRunner().invoke(main, approve, prog_name="orchestra").exit_code == 0
    (file,) = Path("approvals").iterdir()
    approval = file.read_text(encoding="utf-8")
    file.unlink()
    world.repository.git("checkout", "-q", "main")
    world.push(8, WITHOUT_CARTS, **{f"approvals/{file.name}": approval})
    good(world.review(8)["plan"])
    assert "Carts are kept" in world.comment(8)
    world.merge(8)
    good(world.apply(good(world.planned())))
    assert world.purges() == []


def test_a_comment_says_when_nothing_is_left_and_none_is_made_to_say_so(world: World) -> None:
    good(world.apply(good(world.planned())))
    world.push(9, SPEC + "# a remark\n")
    good(world.review(9)["plan"])
    assert world.github.of(9) == []
    world.push(9, WITH_IMPORT)
    good(world.review(9)["plan"])
    assert "import-orders" in world.comment(9)
    world.push(9, SPEC + "# a remark\n")
    good(world.review(9)["plan"])
    assert "No changes" in world.comment(9)
    assert "import-orders" not in world.comment(9)


def test_a_plan_whose_database_has_changed_is_not_applied_but_made_again(world: World) -> None:
    planned = good(world.planned())
    # Somebody is faster: the objects are there, and others, by the time that the approval comes.
    apply(world.database, spec_of(SPEC.replace("*/15", "*/20")), PRODUCTION)
    late = world.apply(planned)
    assert late is not None
    assert late.code == 3
    assert "The plan is stale" in late.summary
    assert "*/15" in late.summary  # what would be done now
    schedule = world.database.execute("select schedule from cron.job where jobname like '%purge-carts%'")
    assert schedule == [("*/20 * * * *",)]


def test_a_plan_of_other_files_is_not_applied(world: World) -> None:
    planned = good(world.planned())
    world.repository.commit("Something else", {"orchestra.yaml": WITH_IMPORT})
    late = world.apply(planned)
    assert late is not None
    assert late.code == 3
    assert "made from other files" in " ".join(late.log.split())
    assert world.database.execute("select to_regclass('orchestra.project')") == [(None,)]


def test_a_fork_is_checked_without_secrets_and_without_a_plan(world: World) -> None:
    world.github.accounts[TOKEN] = Account(BOT, may_write=False)
    world.push(10, WITH_IMPORT)
    reviewed = world.review(10, fork=True)
    assert reviewed["plan"] is None
    assert "import-orders" in good(reviewed["check"]).summary
    assert world.github.comments == []


def test_a_comment_that_may_not_be_written_fails_the_job_and_says_what_is_missing(world: World) -> None:
    world.github.accounts[TOKEN] = Account(BOT, may_write=False)
    world.push(11, WITH_IMPORT)
    plan = world.review(11)["plan"]
    assert plan is not None
    assert plan.code == 1
    assert "pull-requests: write" in " ".join(plan.log.split())
    assert "import-orders" in plan.summary


def test_a_plan_that_cannot_be_made_does_not_leave_the_earlier_one_in_the_comment(world: World) -> None:
    world.push(12, WITH_IMPORT)
    good(world.review(12)["plan"])
    assert "import-orders" in world.comment(12)
    world.secrets = {"PROD_DATABASE_URL": f"postgresql://postgres:{PASSWORD}@127.0.0.1:9/postgres"}
    world.push(12, WITH_IMPORT.replace("import-orders", "load-orders"))
    plan = world.review(12)["plan"]
    assert plan is not None
    assert plan.code == 1
    assert "orchestra plan failed" in world.comment(12)
    assert "import-orders" not in world.comment(12)
    world.assert_nothing_leaked()


def test_drift_ends_with_two(world: World) -> None:
    def look() -> Ended:
        ended = world._main().run(DRIFT, "drift")
        assert ended is not None
        return ended

    good(world.apply(good(world.planned())))
    assert look().code == 0
    world.database.execute("delete from cron.job where jobname like '%purge-carts%'")
    assert look().code == 2
    world.assert_nothing_leaked()


def test_the_plan_that_was_kept_is_the_plan_that_is_applied(world: World) -> None:
    planned = good(world.planned())
    (kept,) = (world.machine("main", "push", {}, run=f"apply-{world.runs}").artifacts).iterdir()
    saved: dict[str, Any] = json.loads((kept / "plan.json").read_text(encoding="utf-8"))
    assert {p.name for p in kept.iterdir()} == {"plan.json", "plan.tree", "plan.md", "plan.html"}
    good(world.apply(planned))
    hashes = world.database.execute("select plan_hash from orchestra.deployment")
    assert hashes == [(saved["plan_hash"],)]
