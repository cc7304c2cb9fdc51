"""`orchestra history`, `history show` and `rollback` as a person runs them, against a real database."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from apply.shop import QUEUE, Shop, assert_empty, spec_of
from click.testing import CliRunner, Result
from engines.waiting import eventually
from jsonschema import Draft202012Validator

from orchestra import pipeline
from orchestra.cli import main, schemas
from orchestra.pipeline import PlanOptions

Run = Callable[..., Result]
HEAD = "version: 1\nproject: shop\nplatform: {provider: postgres}\n"
LONGER = QUEUE.replace("max: 5s", "max: 6s")
SECRET = "sk_live_0123456789abcdefghij"
ROOT = Path(__file__).parents[2]


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, shop: Shop) -> Run:
    """The command line beside a spec of the shop, whose database it knows by a variable."""
    for name in ("ORCHESTRA_ACTOR", "GITHUB_ACTOR", "GITLAB_USER_LOGIN", "FORCE_COLOR", "ORCHESTRA_DEBUG"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.setenv("ORCHESTRA_DATABASE_URL", shop.dsn)
    monkeypatch.chdir(tmp_path)
    (tmp_path / "orchestra.yaml").write_text(HEAD + QUEUE)

    def invoke(*arguments: str, **options: Any) -> Result:
        return CliRunner().invoke(main, list(arguments), prog_name="orchestra", **options)

    return invoke


def valid(text: str) -> Any:
    document = json.loads(text)
    Draft202012Validator(json.loads(schemas.text("history"))).validate(document)
    return document


def ledger(shop: Shop) -> int:
    return int(shop.one("select count(*) from orchestra.deployment"))


def test_who_made_a_deployment_is_noted_and_shown(
    run: Run, shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    for variable, name in (
        ("GITLAB_USER_LOGIN", "lin"),
        ("GITHUB_ACTOR", "grace"),
        ("ORCHESTRA_ACTOR", "ada"),
    ):
        monkeypatch.setenv(variable, name)
        text = LONGER.replace("6s", f"{len(name) + 6}s") if name != "lin" else QUEUE
        Path("orchestra.yaml").write_text(HEAD + text)
        assert run("apply", "--auto-approve").exit_code == 0
    result = run("history")
    assert result.exit_code == 0
    assert [line.strip().partition(",")[0] for line in result.stdout.splitlines() if " by " in line] == [
        "by ada (role postgres)",
        "by grace (role postgres)",
        "by lin (role postgres)",
    ]
    assert "Database: ORCHESTRA_DATABASE_URL" in result.stderr
    document = valid(run("history", "--format", "json").stdout)
    assert [e["actor"] for e in document["entries"]] == ["ada", "grace", "lin"]
    assert document["entries"][0]["at"].endswith("Z")


def test_a_name_that_is_no_text_is_noted_as_far_as_it_is_one(
    run: Run, shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ORCHESTRA_ACTOR", "ad\udce4 " + "x" * 500)
    assert run("apply", "--auto-approve").exit_code == 0
    (entry,) = valid(run("history", "--format", "json").stdout)["entries"]
    assert entry["actor"] == "ad? " + "x" * 196


def test_one_deployment_is_shown_as_its_plan_was(run: Run, shop: Shop) -> None:
    planned = run("plan").stdout
    assert run("apply", "--auto-approve").exit_code == 0
    result = run("history", "show", "1")
    assert result.exit_code == 0
    shown = result.stdout
    block = planned[planned.index("    + workload.import") : planned.index("    + cron_job.tick.1m")]
    assert block in shown
    assert "Deployment #1: 9 added, 0 changed, 0 destroyed." in shown
    document = valid(run("history", "show", "1", "--format", "json").stdout)
    (transaction,) = document["deployment"]["transactions"]
    assert {c["address"] for c in transaction["changes"]} >= {"queue.import", "workload.import"}


def test_a_change_has_its_fields_before_and_after(run: Run, shop: Shop) -> None:
    shop.apply(QUEUE)
    shop.run("update orchestra.workload set max_attempts = 2")
    shop.apply(LONGER)
    shown = run("history", "show", "2").stdout
    assert "workload.import  (drift)" in shown
    assert "the spec changed timeout_ms, visibility_timeout_ms" in shown
    assert "max_attempts:          2     -> 5" in shown
    document = valid(run("history", "show", "2", "--format", "json").stdout)
    (changed,) = document["deployment"]["transactions"][0]["changes"]
    assert changed["drift"] is True
    assert {"path": "timeout_ms", "before": 5000, "after": 6000} in changed["fields"]


def test_what_was_approved_stands_in_the_ledger(run: Run, shop: Shop) -> None:
    shop.apply(QUEUE)
    shop.run("select pgmq.send('import', '{}')")
    shop.apply("workloads: {}\n", allow_destroy=True, allow=frozenset({"messages:queue.import=1"}))
    shown = run("history", "show", "2").stdout
    assert "approved by --allow messages:queue.import=1" in shown
    valid(run("history", "show", "2", "--format", "json").stdout)


def test_back_and_what_the_next_plan_says(run: Run, shop: Shop) -> None:
    shop.apply(QUEUE)
    shop.apply(LONGER)
    Path("orchestra.yaml").write_text(HEAD + LONGER)
    looked = run("rollback", "1", "--plan")
    assert (looked.exit_code, ledger(shop)) == (0, 2)
    assert "Back to deployment #1" in looked.stderr
    assert "changed since deployment 1: timeout_ms, visibility_timeout_ms" in looked.stdout
    done = run("rollback", "1", "--auto-approve")
    assert done.exit_code == 0
    assert "Rollback complete! 0 added, 1 changed, 0 destroyed." in done.stdout
    assert "the spec in the repository is not rolled back" in " ".join(done.stdout.split())
    assert_empty(shop.plan(QUEUE))
    assert "0 added, 1 changed, 0 destroyed, back to #1" in run("history").stdout
    assert "Went back to #1" in run("history", "show", "3").stdout
    again = run("rollback", "1", "--auto-approve")
    assert again.exit_code == 0
    assert "Nothing to roll back: project shop is as deployment #1 of" in again.stderr
    assert again.stdout == ""
    assert run("plan", "--detailed-exitcode").exit_code == 2


def test_a_rollback_is_saved_and_applied_like_any_plan(run: Run, shop: Shop) -> None:
    shop.apply(QUEUE)
    shop.apply(LONGER)
    saved = run("rollback", "1", "--out", "plan.json", "--detailed-exitcode")
    assert saved.exit_code == 2
    assert "Saved. To do exactly this: orchestra apply plan.json" in saved.stderr
    document = json.loads(Path("plan.json").read_text())
    Draft202012Validator(json.loads(schemas.text("plan"))).validate(document)
    assert run("apply", "plan.json", "--auto-approve").exit_code == 0
    assert_empty(shop.plan(QUEUE))
    newest = valid(run("history", "--limit", "1", "--format", "json").stdout)["entries"][0]
    assert (newest["number"], newest["back_to"]) == (3, 1)
    assert run("apply", "plan.json", "--auto-approve").exit_code == 3
    assert run("rollback", "1", "--detailed-exitcode").exit_code == 0


def test_json_is_all_that_is_on_stdout(run: Run, shop: Shop) -> None:
    shop.apply(QUEUE)
    shop.apply(LONGER)
    plan = json.loads(run("rollback", "1", "--plan", "--format", "json").stdout)
    Draft202012Validator(json.loads(schemas.text("plan"))).validate(plan)
    done = json.loads(run("rollback", "1", "--auto-approve", "--format", "json").stdout)
    assert (done["changed"], done["deployment_ids"]) == (1, [3])
    nothing = json.loads(run("rollback", "1", "--auto-approve", "--format", "json").stdout)
    assert nothing["deployment_ids"] == []


def test_hazards_need_their_approval_and_a_lock_is_waited_for(run: Run, shop: Shop) -> None:
    shop.apply("workloads: {}\n")
    shop.apply(QUEUE)
    refused = run("rollback", "1", "--auto-approve")
    assert refused.exit_code == 5
    assert "--allow delete:" in refused.stderr
    holder = shop.another()
    from orchestra.apply.lock import take_lock

    holder.script("begin")
    take_lock(holder, None)
    locked = run("rollback", "1", "--auto-approve", "--allow-destroy", "--lock-timeout", "250ms")
    assert locked.exit_code == 4
    assert "after 0.25 s" in locked.stderr
    holder.script("rollback")
    assert run("rollback", "1", "--auto-approve", "--allow-destroy").exit_code == 0


MISTAKES = {
    "no such number": (("rollback", "9", "--plan"), 64, "project shop has no deployment 9 in this database"),
    "no such number to show": (("history", "show", "9"), 64, "project shop has no deployment 9"),
    "a number beyond all": (("history", "show", "9" * 30), 64, "has no deployment 999"),
    "another's number": (
        ("rollback", "2", "--plan"),
        64,
        "deployment 2 is one of project other, not of shop",
    ),
    "nought": (("rollback", "0", "--plan"), 64, "Invalid value for 'N'"),
    "a word": (("history", "show", "last"), 64, "Invalid value for 'N'"),
    "spec and project": (("history", ".", "--project", "shop"), 64, "either SPEC or --project"),
    "look and do": (("rollback", "1", "--plan", "--auto-approve"), 64, "--auto-approve belongs to an apply"),
    "look and wait": (
        ("rollback", "1", "--out", "p.json", "--lock-timeout", "1s"),
        64,
        "--lock-timeout belongs",
    ),
    "no terminal": (("rollback", "1"), 64, "there is no terminal to ask on"),
    "no environment": (("history", "--env", "prodution"), 64, "the spec has no environment 'prodution'"),
    "another environment": (
        ("rollback", "1", "--auto-approve", "--env", "live"),
        5,
        "holds environment default",
    ),
    "no plan to overwrite": (("rollback", "1", "--out", "orchestra.yaml"), 64, "exists and is no plan"),
    "no workload": (("rollback", "1", "--plan", "--workload", "nope"), 64, "there is no workload 'nope'"),
    "no limit": (("history", "--limit", "0"), 64, "Invalid value for '--limit'"),
}


@pytest.mark.parametrize("name", MISTAKES)
def test_a_mistake_is_a_sentence_and_changes_nothing(
    run: Run, shop: Shop, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    arguments, code, words = MISTAKES[name]
    monkeypatch.setenv("LIVE_URL", shop.dsn)
    Path("orchestra.yaml").write_text(HEAD + "environments: {live: {database: {env: LIVE_URL}}}\n" + LONGER)
    shop.apply(QUEUE)
    shop.apply(QUEUE.replace("import", "export"), project="other")
    shop.apply(LONGER)
    before = shop.state()
    result = run(*arguments)
    assert result.exit_code == code, result.output
    assert words in " ".join(result.stderr.split())
    assert "Traceback" not in result.output
    assert shop.state() == before


def test_a_database_without_history_says_so(run: Run, shop: Shop) -> None:
    empty = run("history")
    assert (empty.exit_code, empty.stdout) == (0, "")
    assert "This database has no history" in empty.stderr
    assert valid(run("history", "--format", "json").stdout)["entries"] == []
    for arguments in (("history", "show", "1"), ("rollback", "1", "--plan")):
        result = run(*arguments)
        assert result.exit_code == 64
        assert "this database has no history" in result.stderr
    assert shop.one("select to_regnamespace('orchestra') is null")
    shop.apply(QUEUE, project="other")
    assert "it has the history of other." in run("history").stderr
    assert "changed workload nope." in run("history", "--project", "other", "--workload", "nope").stderr


def test_a_spec_that_is_broken_keeps_nobody_from_going_back(run: Run, shop: Shop) -> None:
    shop.apply(QUEUE)
    shop.apply(LONGER)
    Path("orchestra.yaml").write_text(HEAD + "workloads: [")
    assert run("rollback", "1", "--plan").exit_code == 1
    assert run("rollback", "1", "--project", "shop", "--auto-approve").exit_code == 0
    assert_empty(shop.plan(QUEUE))
    Path("orchestra.yaml").unlink()
    lost = run("history")
    assert lost.exit_code == 64
    assert "--project NAME" in lost.stderr
    assert run("history", "--project", "shop").exit_code == 0


def test_a_rule_that_the_spec_breaks_keeps_nobody_from_going_back(run: Run, shop: Shop) -> None:
    shop.apply(QUEUE)
    shop.apply(LONGER)
    Path("orchestra.yaml").write_text(HEAD + QUEUE.replace("select 1", "select from where"))
    assert run("plan").exit_code == 1
    assert run("rollback", "1", "--auto-approve").exit_code == 0


def test_no_secret_is_shown(run: Run, shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ORCHESTRA_ACTOR", f"ada {SECRET}")
    for text in (QUEUE.replace("select 1", f"select '{SECRET}'"), LONGER):
        spec = spec_of(text)
        plan = pipeline.plan(shop.db, spec, PlanOptions())
        pipeline.apply(shop.db, plan, actor=f"ada {SECRET}")
    # The first plan brings it, the second takes it away, and the third would bring it again.
    for arguments in (
        ("history",),
        ("history", "show", "1", "--full"),
        ("history", "show", "2"),
        ("rollback", "1", "--plan", "--show-sql"),
    ):
        for form in ("text", "json"):
            # The statements belong to the text: JSON has them in any case.
            words = [w for w in arguments if form == "text" or w != "--show-sql"]
            result = run(*words, "--format", form)
            assert result.exit_code == 0, result.output
            assert SECRET not in result.output
            assert "ada ********" in result.output or "select '********'" in result.output


def test_what_drives_a_terminal_is_shown_as_text(run: Run, shop: Shop) -> None:
    plan = shop.plan(QUEUE)
    pipeline.apply(shop.db, plan, actor="ada\x1b[2J\u202e", git_commit="\x1b]0;x\x07")
    shop.run("select orchestra.log_verb('pause', 'shop', E'\\x1b[1m', '{\"a\": \"\\u001b[2J\"}')")
    for arguments in (("history",), ("history", "show", "1")):
        out = run(*arguments).stdout
        assert "ada\\x1b[2J\\u202e" in out
        assert "\x1b" not in out


def test_ctrl_c_at_the_question_changes_nothing(run: Run, shop: Shop, tmp_path: Path) -> None:
    """On a terminal of its own, with the question open."""
    import pty

    shop.apply(QUEUE)
    shop.apply(LONGER)
    before = shop.state()
    parent, child = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "-m", "orchestra", "rollback", "1", "--db", shop.dsn],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stdin=child,
        stdout=child,
        stderr=child,
        start_new_session=True,
    )
    os.close(child)
    said = b""

    def asked() -> bool:
        nonlocal said
        said += os.read(parent, 65536)
        return b"Enter a value" in said

    eventually(asked, within=60)
    process.send_signal(signal.SIGINT)
    assert process.wait(30) == 130
    while chunk := _read(parent):
        said += chunk
    os.close(parent)
    assert b"Interrupted. Nothing was changed." in said
    assert shop.state() == before


def _read(descriptor: int) -> bytes:
    try:
        return os.read(descriptor, 65536)
    except OSError:  # the other end is closed
        return b""


def test_the_help_has_an_example(run: Run) -> None:
    for arguments in (("history", "--help"), ("history", "show", "--help"), ("rollback", "--help")):
        result = run(*arguments)
        assert result.exit_code == 0
        assert "Example:" in result.stdout
    assert run("history", "--help").stdout.startswith("Usage: orchestra history [OPTIONS]")
