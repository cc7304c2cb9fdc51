"""The action's steps, run as the runner runs them: what they print, what they leave, how they end."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from actions_runner import Ended, Runner
from click.testing import CliRunner
from repository import Repository
from storefront import IMPORT, SPEC, pull_request

from orchestra.cli import main

pytestmark = pytest.mark.xdist_group("ci")
Machine = Callable[..., Runner]


def job(*steps: dict[str, Any]) -> dict[str, Any]:
    """A workflow of one job: a checkout, then the action with each of these inputs."""
    checkout = {"uses": "actions/checkout@v6", "with": {"fetch-depth": 2}}
    ours = [{"uses": "acme/orchestra@v0", "id": f"step{n}", "with": s} for n, s in enumerate(steps, 1)]
    return {"jobs": {"job": {"steps": [checkout, *ours]}}}


def run(runner: Machine, *steps: dict[str, Any], **secrets: str) -> Ended:
    ended = runner("main", "push", {}, **secrets).run(job(*steps), "job")
    assert ended is not None
    return ended


def test_a_good_spec_passes_and_its_findings_are_a_file(runner: Machine) -> None:
    ended = run(runner, {"command": "check"})
    assert ended.code == 0, ended.log
    outputs = ended.outputs["step1"]
    assert outputs["exit-code"] == "0"
    sarif = json.loads(Path(outputs["sarif-file"]).read_text(encoding="utf-8"))
    assert sarif["version"] == "2.1.0"
    assert "No problems." in ended.summary


def test_only_the_command_gets_on_the_path(runner: Machine) -> None:
    machine = runner("main", "push", {})
    workflow = job({"command": "check"})
    workflow["jobs"]["job"]["steps"].append(
        {"run": "command -v orchestra; command -v python3; command -v pip || true"}
    )
    ended = machine.run(workflow, "job")
    assert ended is not None
    found = ended.log.splitlines()
    assert f"{machine.tool}/orchestra-tool/command/orchestra" in found
    assert not any(f"{machine.tool}" in line for line in found if line.endswith(("python3", "pip")))


def test_a_broken_spec_fails_with_an_annotation_beside_its_line(
    runner: Machine, repository: Repository
) -> None:
    repository.commit("A typo", {"orchestra.yaml": SPEC.replace("duration:", "durations:")})
    ended = run(runner, {"command": "check"})
    assert (ended.code, ended.outputs["step1"]["exit-code"]) == (1, "1")
    assert "::error file=orchestra.yaml,line=" in ended.log
    assert json.loads(Path(ended.outputs["step1"]["sarif-file"]).read_text("utf-8"))["runs"][0]["results"]
    assert "durations" in ended.summary


def test_specs_elsewhere_are_annotated_as_seen_from_the_top(runner: Machine, repository: Repository) -> None:
    wrong = SPEC.replace("duration:", "durations:")
    repository.commit("Moved", {"orchestra.yaml": None, "services/shop/orchestra.yaml": wrong})
    ended = run(runner, {"command": "check", "spec": "services/shop/orchestra.yaml\n"})
    assert "::error file=services/shop/orchestra.yaml,line=" in ended.log


@pytest.mark.parametrize(
    "value", ['$(touch owned)"; touch owned; echo "', "`touch owned`", "--help", "-h", "x\nexit-code=0"]
)
def test_no_input_becomes_a_command(runner: Machine, value: str) -> None:
    machine = runner("main", "push", {})
    ended = machine.run(job({"command": "check", "spec": value, "directory": "reports"}), "job")
    assert ended is not None
    assert ended.code != 0
    assert ended.outputs["step1"].get("exit-code", "64") != "0"
    assert not list(machine.place.rglob("owned"))


def test_a_line_of_a_spec_cannot_speak_to_the_runner(runner: Machine, repository: Repository) -> None:
    """What is printed of a spec stands where the runner obeys nothing."""
    evil = SPEC + "  broken:\n    trigger: manual\n::set-output name=exit-code::0\n"
    repository.commit("Evil", {"orchestra.yaml": evil})
    ended = run(runner, {"command": "check"}, {"command": "compile-check"})
    heard, word = [], None
    for line in map(str.strip, ended.log.splitlines()):
        if word is None and line.startswith("::stop-commands::"):
            word = line.removeprefix("::stop-commands::")
        elif word is not None and line == f"::{word}::":
            word = None
        elif word is None and line.startswith("::"):
            heard.append(line)
    assert word is None
    assert all(line.startswith(("::error file=", "::warning file=")) for line in heard), heard
    assert heard


def test_what_is_compiled_is_compared_with_what_is_committed(runner: Machine, repository: Repository) -> None:
    missing = run(runner, {"command": "compile-check"})
    assert missing.code == 1
    assert "does not exist" in missing.summary
    other = run(runner, {"command": "compile-check", "compiled": "elsewhere"})
    assert "elsewhere/orchestra.sql" in other.summary


def test_a_migration_that_is_due_fails_until_it_is_committed(
    runner: Machine, repository: Repository, monkeypatch: pytest.MonkeyPatch
) -> None:
    due = run(runner, {"command": "migrate-check"})
    assert due.code == 1
    assert "orchestra migrate --check" in due.summary
    monkeypatch.chdir(repository.path)
    assert CliRunner().invoke(main, ["migrate"], prog_name="orchestra").exit_code == 0
    repository.commit("Migrated", {})
    assert run(runner, {"command": "migrate-check"}).code == 0


def test_an_unknown_step_is_a_usage_error(runner: Machine) -> None:
    assert run(runner, {"command": "deploy"}).code == 64


def test_warnings_fail_where_they_are_told_to(runner: Machine, repository: Repository) -> None:
    unlogged = SPEC + IMPORT + "    queue: {kind: unlogged}\n"
    repository.commit("Counts that may be lost", {"orchestra.yaml": unlogged})
    lenient, strict = run(runner, {"command": "check"}), run(runner, {"command": "check", "strict": "true"})
    assert (lenient.code, strict.code) == (0, 1)
    assert "::warning file=orchestra.yaml" in lenient.log


def test_a_pull_request_of_a_stranger_is_checked(runner: Machine, repository: Repository) -> None:
    repository.push("patch", "A change", {"orchestra.yaml": SPEC.replace("*/15", "*/10")}, number=5)
    machine = runner("refs/pull/5/merge", "pull_request", pull_request(5, "mallory/shop"))
    ended = machine.run(job({"command": "check"}), "job")
    assert ended is not None
    assert ended.code == 0, ended.log
    assert not Path("/tmp/owned").exists()


def test_a_clone_that_is_too_shallow_says_how_to_deepen_it(runner: Machine, repository: Repository) -> None:
    repository.push("patch", "A change", {"orchestra.yaml": SPEC.replace("*/15", "*/10")}, number=5)
    machine = runner("refs/pull/5/merge", "pull_request", pull_request(5))
    machine.variables = {**machine.variables, "GITHUB_BASE_REF": "main"}
    workflow = job({"command": "diff"})
    workflow["jobs"]["job"]["steps"][0]["with"]["fetch-depth"] = 1
    ended = machine.run(workflow, "job")
    assert ended is not None
    assert ended.code == 64
    assert "fetch-depth: 2" in " ".join(ended.log.split())


@pytest.mark.parametrize(
    ("step", "options", "said"),
    [
        ("check", ["--env", "production"], "--env is for plan and apply"),
        ("check", ["--comment"], "--comment is for diff and plan"),
        ("plan", ["--base", "main"], "--base is for diff"),
        ("plan", ["--strict"], "--strict is for check"),
        ("diff", ["--plan-file", "plan.json"], "--plan-file is for apply"),
        ("apply", ["--fail-on", "changes"], "--fail-on is for diff and plan"),
        ("apply", [], "apply needs a saved plan"),
        ("apply", ["--plan-file", "none.json"], "there is no plan at none.json"),
    ],
)
def test_what_a_step_does_not_heed_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, step: str, options: list[str], said: str
) -> None:
    monkeypatch.chdir(tmp_path)
    result = CliRunner().invoke(main, ["ci", step, *options], prog_name="orchestra")
    assert result.exit_code != 0
    assert said in " ".join(result.stderr.split())
    assert not list(tmp_path.rglob("*.json"))
