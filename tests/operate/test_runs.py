"""`orchestra runs` as a person runs it, against a real database."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from apply.shop import Shop
from jsonschema import Draft202012Validator

from operate.conftest import HEAD, SPEC, Run, verbs, work
from orchestra.cli import schemas

PIPELINE = """\
  report:
    trigger: manual
    poll_interval: 1m
    retry: {max_attempts: 1}
    steps:
      collect: {duration: {max: 5s}, run: {sql: "select :payload"}}
      divide:
        depends_on: [collect]
        map: collect
        duration: {max: 5s}
        run: {sql: "select 6 / (:payload #>> '{}')::int"}
      publish: {depends_on: [divide], duration: {max: 5s}, run: {sql: "select 1"}}
"""


@pytest.fixture
def piped(run: Run, shop: Shop, tmp_path: Path) -> Run:
    """The same with a pipeline."""
    (tmp_path / "orchestra.yaml").write_text(HEAD + SPEC + PIPELINE)
    done = run("apply", "--auto-approve")
    assert done.exit_code == 0, done.output
    return run


def valid(text: str) -> Any:
    document = json.loads(text)
    Draft202012Validator(json.loads(schemas.text("runs"))).validate(document)
    return document


def test_a_run_is_followed_to_its_end(piped: Run, shop: Shop) -> None:
    assert piped("runs").stderr.splitlines()[-1] == "Project shop has no runs."
    done = piped("send", "--workload", "report", "--payload", "[1, 2, 3]")
    assert done.stdout == "Started run 1 of report.\n", done.output
    assert "running" in piped("runs").stdout
    work(shop, "report")
    done = piped("runs", "show", "1")
    text = " ".join(done.stdout.split())
    assert "Status done" in text
    assert "divide done [####################] 3/3" in text
    document = valid(piped("runs", "show", "1", "--format", "json").stdout)["run"]
    assert [(s["step"], s["done"]) for s in document["steps"]] == [
        ("collect", 1),
        ("divide", 3),
        ("publish", 1),
    ]
    assert document["input"] == [1, 2, 3]


def test_a_failed_run_is_told_with_its_letters_and_taken_up_again(piped: Run, shop: Shop) -> None:
    piped("send", "--workload", "report", "--payload", "[1, 0]")
    work(shop, "report")
    listed = valid(piped("runs", "--status", "failed", "--format", "json").stdout)
    assert [(r["id"], r["status"], r["failed"]) for r in listed["runs"]] == [(1, "failed", 1)]
    assert "divide[1]: division by zero" in piped("runs", "show", "1").stdout
    shop.run("update orchestra.run set input = '[1, 2]' where id = 1")
    done = piped("runs", "retry", "1", "--auto-approve", "--reason", "mended")
    assert (done.exit_code, done.stdout) == (0, "Run 1 goes on.\n"), done.output
    assert verbs(shop)[-1] == ("retry_run", "report", "ada", {"run": 1, "reason": "mended"})
    assert valid(piped("runs", "show", "1", "--format", "json").stdout)["run"]["attempt"] == 2
    done = piped("runs", "retry", "1", "--auto-approve")
    assert (done.exit_code, "run 1 is running" in done.stderr) == (1, True)


def test_a_run_is_cancelled_once(piped: Run, shop: Shop) -> None:
    piped("send", "--workload", "report", "--payload", "[1]")
    done = piped("runs", "cancel", "1")
    assert (done.exit_code, "--auto-approve" in done.stderr) == (64, True)
    done = piped("runs", "cancel", "1", "--auto-approve", "--format", "json")
    assert json.loads(done.stdout)["changed"] is True
    assert piped("runs", "cancel", "1", "--auto-approve").stdout == "Run 1 has ended already.\n"
    assert [v[0] for v in verbs(shop)] == ["send", "cancel_run"]
    assert shop.one("select status from orchestra.run") == "cancelled"


@pytest.mark.parametrize(("answer", "status"), [("yes", "cancelled"), ("no", "running")])
def test_a_person_is_asked(
    piped: Run, shop: Shop, monkeypatch: pytest.MonkeyPatch, answer: str, status: str
) -> None:
    monkeypatch.setattr("orchestra.cli.console.interactive", lambda: True)
    piped("send", "--workload", "report", "--payload", "[1]")
    done = piped("runs", "cancel", "1", input=f"{answer}\n")
    assert "Do you want to cancel run 1 of report?" in done.stderr
    assert shop.one("select status from orchestra.run") == status


def test_mistakes(piped: Run, shop: Shop) -> None:
    for verb in ("show", "cancel", "retry"):
        done = piped("runs", verb, "7", *(["--auto-approve"] if verb != "show" else []))
        assert (done.exit_code, "has no run 7" in done.stderr) == (64, True)
    done = piped("runs", "--workload", "reprot")
    assert (done.exit_code, "did you mean report?" in done.stderr) == (64, True)
    shop.run("insert into orchestra.run (project, workload) values ('other', 'report')")
    other = shop.one("select max(id) from orchestra.run")
    done = piped("runs", "cancel", str(other), "--auto-approve")
    assert done.exit_code == 64
    assert shop.one("select status from orchestra.run where id = %s", other) == "running"


def test_the_list_is_bounded_and_narrow_terminals_have_it_too(
    piped: Run, shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "45")
    shop.run(
        "insert into orchestra.run (project, workload, status, error) "
        "select 'shop', 'report', 'failed', E'a\\x1b[31m very long error that goes on and on and on' "
        "from generate_series(1, 30)"
    )
    done = piped("runs", "--limit", "3")
    lines = done.stdout.splitlines()
    assert "  … 3 are shown; --limit shows more" in lines
    assert all(len(line) <= 45 for line in lines[2:-1]), lines
    assert "\x1b" not in done.stdout
    document = valid(piped("runs", "--limit", "3", "--format", "json").stdout)
    assert (len(document["runs"]), document["more"]) == (3, True)
