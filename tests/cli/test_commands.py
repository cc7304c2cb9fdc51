"""Each command: what it prints where, and how it ends."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import click
import pytest
from cli_world import BROKEN, SPEC, TARGET, FakePipeline, Run
from jsonschema import Draft202012Validator

from orchestra.cli import schemas
from orchestra.cli.root import COMMANDS
from orchestra.cli.root import root as main
from orchestra.errors import BlockedError, LockedError, StalePlanError
from orchestra.ir.program import Address
from orchestra.plan.model import Action, Blocker, Category, Change, Condition, Plan
from orchestra.report import plan_json

CHANGE = Change(
    Address("queue", "bulk-import"),
    Action.CREATE,
    Category.BEHAVIOUR,
    ("new in the spec",),
    statements=("select 1",),
)
CONDITION = Condition(
    "missing_secret", Address("secret", "key"), "Vault has no secret named key", "create it"
)
BLOCKER = Blocker(
    "unowned", Address("queue", "bulk-import"), "somebody else made it", "--adopt queue.bulk-import"
)
PLAN = Plan("shop", TARGET, "0.1.0", (CHANGE,), (CONDITION,), batches=(1,))
DB = ("--db", "postgresql://me:hunter2@db.example.com/postgres")


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_has_help_with_an_example(run: Run, name: str) -> None:
    result = run(name, "--help")
    assert result.exit_code == 0
    assert "Example:" in result.stdout
    assert f"orchestra {name}" in result.stdout.partition("Example:")[2]
    command = main.get_command(click.Context(main), name)
    assert command is not None
    for parameter in command.params:
        if isinstance(parameter, click.Option) and parameter.name != "help":
            assert parameter.help, f"{name} {parameter.opts} says nothing of itself"


@pytest.mark.parametrize(
    ("args", "said"),
    [
        (["plann"], "Did you mean 'plan'?"),
        (["plan", "--nope"], "No such option"),
        (["check", "--format", "xml"], "xml"),
        (["diff"], "--base origin/main"),
        (["diff", "one.yaml"], "there is only one.yaml"),
        (["diff", "a.yaml", "b.yaml", "c.yaml"], "not 3 paths"),
        (["diff", "--merge-base"], "add --base"),
        (["compile", "--check"], "--out DIR"),
        (["apply", "--lock-timeout", "soon"], "write 30s"),
        (["plan", "--workload", "bulk-imprt", *DB], "did you mean bulk-import?"),
        (["plan", "--env", "produktion"], "did you mean production?"),
        (["plan", "--env", "production"], "PROD_DATABASE_URL, which is not set"),
        (["plan", "--db", "hunter2"], "--db holds no database URL"),
        (["apply"], "--auto-approve was not given"),
        (["destroy", "orchestra.yaml", "--project", "x", "--auto-approve"], "not both"),
    ],
)
def test_a_command_line_that_makes_no_sense_ends_with_64(
    run: Run, home: Path, args: list[str], said: str
) -> None:
    result = run(*args)
    assert result.exit_code == 64
    assert said in " ".join(result.stderr.split())
    assert result.stdout == ""
    assert "hunter2" not in result.stderr


def test_alone_it_shows_what_there_is(run: Run) -> None:
    result = run()
    assert (result.exit_code, result.stdout) == (64, "")
    assert result.stderr.startswith("Usage: orchestra [OPTIONS] COMMAND")
    assert "error" not in result.stderr


def test_without_a_spec_it_says_what_to_do(run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    result = run("check")
    assert result.exit_code == 64
    assert "no orchestra.yaml here" in result.stderr


def test_check_finds_nothing_in_a_sound_spec(run: Run, home: Path) -> None:
    result = run("check")
    assert (result.exit_code, result.stdout) == (0, "No problems. Project shop, 2 workloads.\n")


def test_check_shows_the_line(run: Run, home: Path) -> None:
    (home / "orchestra.yaml").write_text(BROKEN)
    result = run("check")
    assert result.exit_code == 1
    assert "^^^^" in result.stdout
    assert " --> orchestra.yaml:16:" in result.stdout
    assert result.stderr == ""


@pytest.mark.parametrize("form", ["json", "sarif"])
def test_check_for_machines_is_nothing_but_json(run: Run, home: Path, form: str) -> None:
    (home / "orchestra.yaml").write_text(BROKEN)
    result = run("check", "--format", form)
    assert result.exit_code == 1
    document = json.loads(result.stdout)
    if form == "json":
        Draft202012Validator(json.loads(schemas.text("check"))).validate(document)


def test_check_annotates_for_github(run: Run, home: Path) -> None:
    (home / "orchestra.yaml").write_text(BROKEN)
    assert run("check", "--format", "github").stdout.startswith("::error file=orchestra.yaml,line=16,")


def test_strict_takes_warnings_for_errors(run: Run, home: Path) -> None:
    (home / "orchestra.yaml").write_text(SPEC.replace(" where expires_at < now()", ""))
    assert run("check").exit_code == 0
    assert run("check", "--strict").exit_code == 1


@pytest.mark.parametrize("args", [["compile"], ["explain"], ["plan", *DB], ["apply", "--auto-approve", *DB]])
def test_an_error_in_the_spec_stops_every_road(
    run: Run, home: Path, fake: FakePipeline, args: list[str]
) -> None:
    (home / "orchestra.yaml").write_text(BROKEN)
    result = run(*args)
    assert result.exit_code == 1
    assert "^^^^" in result.stderr
    assert result.stdout == ""
    assert fake.url == ""


def test_explain_takes_workloads_and_specs(run: Run, home: Path) -> None:
    everything = run("explain").stdout
    assert "bulk-import" in everything
    assert "purge-sessions" in everything
    one = run("explain", "orchestra.yaml", "bulk-import").stdout
    assert one == run("explain", "--workload", "bulk-import").stdout
    assert "purge-sessions" not in one
    assert run("explain", "nope").exit_code == 64
    document = json.loads(run("explain", "--format", "json").stdout)
    Draft202012Validator(json.loads(schemas.text("explain"))).validate(document)


def test_plan_prints_and_saves(run: Run, home: Path, fake: FakePipeline) -> None:
    fake.made = PLAN
    result = run("plan", *DB, "--out", "plan.json")
    assert result.exit_code == 0
    assert result.stdout.endswith("Plan: 1 to add, 0 to change, 0 to destroy.\n")
    assert "Database: --db" in result.stderr
    assert "hunter2" not in result.output
    assert plan_json.load((home / "plan.json").read_text()) == PLAN
    assert (home / "plan.json").stat().st_mode & 0o077 == 0


def test_plan_for_machines_is_nothing_but_json(run: Run, home: Path, fake: FakePipeline) -> None:
    fake.made = PLAN
    assert run("plan", *DB, "--format", "json").stdout == plan_json.dump(PLAN)


@pytest.mark.parametrize(
    ("plan", "code"),
    [(replace(PLAN, changes=()), 0), (PLAN, 2), (replace(PLAN, changes=(), blockers=(BLOCKER,)), 2)],
)
def test_detailed_exit_codes(run: Run, home: Path, fake: FakePipeline, plan: Plan, code: int) -> None:
    fake.made = plan
    assert run("plan", *DB).exit_code == 0
    assert run("plan", *DB, "--detailed-exitcode").exit_code == code


def test_plan_hands_every_word_on(
    run: Run, home: Path, fake: FakePipeline, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PREVIEW_DATABASE_URL", "postgresql://preview/db")
    flags = [
        "--env",
        "preview",
        "--workload",
        "bulk-import",
        "--allow-destroy",
        "--allow",
        "a:b",
        "--allow",
        "c:d",
    ]
    assert run("plan", *flags, "--adopt", "queue.x", "--resume-paused").exit_code == 0
    given = fake.options
    assert (given.environment, given.environment_paused, given.protect) == ("preview", True, None)
    assert (given.workload, given.allow_destroy, given.resume_paused) == ("bulk-import", True, True)
    assert (given.allow, given.adopt) == (frozenset({"a:b", "c:d"}), frozenset({"queue.x"}))
    assert given.where == "--env preview, from PREVIEW_DATABASE_URL"
    assert fake.url == "postgresql://preview/db"


def test_apply_says_what_it_did(run: Run, home: Path, fake: FakePipeline) -> None:
    fake.made = PLAN
    result = run("apply", *DB, "--auto-approve", "--lock-timeout", "30s")
    assert result.exit_code == 0
    assert "Apply complete! 1 added, 0 changed, 0 destroyed." in result.stdout
    assert result.stdout.count("Vault has no secret named key") == 2, "before and after"
    assert fake.applied == [PLAN]


def test_apply_for_machines_is_nothing_but_json(run: Run, home: Path, fake: FakePipeline) -> None:
    fake.made = PLAN
    result = run("apply", *DB, "--auto-approve", "--format", "json")
    done = json.loads(result.stdout)
    assert (done["added"], done["deployment_ids"], done["plan_hash"]) == (1, [7], plan_json.digest(PLAN))
    assert "queue.bulk-import" in result.stderr


def test_apply_of_nothing_asks_nothing(run: Run, home: Path, fake: FakePipeline) -> None:
    result = run("apply", *DB, "--auto-approve")
    assert result.exit_code == 0
    assert "No changes." in result.stdout
    assert fake.applied == []


def test_apply_stops_at_a_blocker(run: Run, home: Path, fake: FakePipeline) -> None:
    fake.made = replace(PLAN, blockers=(BLOCKER,))
    result = run("apply", *DB, "--auto-approve")
    assert result.exit_code == 5
    assert "This plan cannot be applied:" in result.stdout
    assert fake.applied == []


@pytest.mark.parametrize(
    ("fault", "code", "said"),
    [
        (StalePlanError("queue.bulk-import has changed", "plan again"), 3, "plan again"),
        (LockedError("another apply is at work"), 4, "another apply"),
        (BlockedError("protected"), 5, "protected"),
        (KeyboardInterrupt(), 130, "rolled back"),
        (RuntimeError("host=x password=hunter2"), 1, "ORCHESTRA_DEBUG=1"),
        (BrokenPipeError(), 141, ""),
    ],
)
def test_what_goes_wrong_in_apply_is_one_message(
    run: Run,
    home: Path,
    fake: FakePipeline,
    monkeypatch: pytest.MonkeyPatch,
    fault: BaseException,
    code: int,
    said: str,
) -> None:
    monkeypatch.setattr("orchestra.cli.ending._broken_pipe", lambda: 141)
    fake.made, fake.fault = PLAN, fault
    result = run("apply", *DB, "--auto-approve")
    assert result.exit_code == code
    assert said in " ".join(result.stderr.split())
    assert "Traceback" not in result.output
    assert "hunter2" not in result.output


def test_debug_shows_the_traceback(
    run: Run, home: Path, fake: FakePipeline, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ORCHESTRA_DEBUG", "1")
    fake.made, fake.fault = PLAN, RuntimeError("odd")
    assert isinstance(run("apply", *DB, "--auto-approve").exception, RuntimeError)


def test_an_interrupted_apply_of_several_transactions_says_how_far_it_came(
    run: Run, home: Path, fake: FakePipeline
) -> None:
    changes = tuple(replace(CHANGE, address=Address("queue", f"q{i}")) for i in range(4))
    fake.made, fake.fault = replace(PLAN, changes=changes, batches=(2, 2)), KeyboardInterrupt()
    result = run("apply", *DB, "--auto-approve")
    assert "0 of 2 transactions were committed" in " ".join(result.stderr.split())


@pytest.mark.parametrize(
    ("answer", "code", "times"), [("yes\n", 0, 1), ("y\n", 1, 0), ("\n", 1, 0), ("", 1, 0)]
)
def test_apply_asks_on_a_terminal(
    run: Run,
    home: Path,
    fake: FakePipeline,
    monkeypatch: pytest.MonkeyPatch,
    answer: str,
    code: int,
    times: int,
) -> None:
    monkeypatch.setattr("orchestra.cli.console.interactive", lambda: True)
    fake.made = PLAN
    result = run("apply", *DB, input=answer)
    assert result.exit_code == code
    assert "Only 'yes' will be accepted" in result.stderr
    assert len(fake.applied) == times


def test_a_saved_plan_is_applied_as_it_is(run: Run, home: Path, fake: FakePipeline) -> None:
    (home / "plan.json").write_text(plan_json.dump(PLAN))
    (home / "orchestra.yaml").unlink()
    assert run("apply", "plan.json", *DB, "--auto-approve").exit_code == 0
    assert fake.applied == [PLAN]
    assert fake.options is None, "nothing was planned"


def test_a_saved_plan_is_refused(run: Run, home: Path, fake: FakePipeline) -> None:
    """Tampered with, cut short, beside a spec, with flags of a plan, and on another database."""
    saved = plan_json.dump(PLAN)
    (home / "plan.json").write_text(saved.replace("select 1", "select 2"))
    assert run("apply", "plan.json", *DB, "--auto-approve").exit_code == 64
    (home / "plan.json").write_text(saved)
    assert run("apply", "plan.json", "orchestra.yaml", *DB, "--auto-approve").exit_code == 64
    assert run("apply", "plan.json", *DB, "--auto-approve", "--allow-destroy").exit_code == 64
    (home / "plan.json").write_text(saved[: len(saved) // 2])
    result = run("apply", "plan.json", *DB, "--auto-approve")
    assert result.exit_code == 64
    assert "the plan file is not JSON" in result.stderr
    (home / "plan.json").write_text(saved)
    fake.elsewhere = True
    assert run("apply", "plan.json", *DB, "--auto-approve").exit_code == 3
    assert fake.applied == []


def test_a_misspelt_section_hides_no_other_fault(run: Run, home: Path) -> None:
    (home / "orchestra.yaml").write_text(
        "version: 1\nproject: shop\nenviroments: {}\nworkloads:\n  purge:\n    trigger: {schedule: {cron: '@daily'}}\n"
        "    duration: {max: 5s}\n    run: {sql: selct 1}\n"
    )
    result = run("check")
    assert result.exit_code == 1
    for word in ("environments", "@daily", "selct"):
        assert word in result.stdout


def test_a_plan_is_saved_over_a_plan_and_over_nothing_else(run: Run, home: Path, fake: FakePipeline) -> None:
    fake.made = PLAN
    spec = (home / "orchestra.yaml").read_text()
    result = run("plan", *DB, "--out", "orchestra.yaml")
    assert result.exit_code == 64
    assert "orchestra.yaml exists and is no plan" in result.stderr
    assert (home / "orchestra.yaml").read_text() == spec
    for _ in range(2):
        assert "Saved. To do exactly this" in run("plan", *DB, "--out", "plan.json").stderr


def test_a_plan_that_cannot_be_applied_is_not_offered_for_it(
    run: Run, home: Path, fake: FakePipeline
) -> None:
    stop = Blocker("protected", Address("queue", "a"), "it is protected", "lift it")
    fake.made = replace(PLAN, blockers=(stop,))
    assert "Saved, to be read" in run("plan", *DB, "--out", "plan.json").stderr
    fake.made = replace(PLAN, changes=(), batches=())
    assert "There is nothing in it to apply" in run("plan", *DB, "--out", "plan.json").stderr


def test_no_database_is_made_for_a_saved_plan(run: Run, home: Path) -> None:
    (home / "plan.json").write_text(plan_json.dump(PLAN))
    result = run("apply", "plan.json", "--auto-approve")
    assert result.exit_code == 64
    said = " ".join(result.stderr.split())
    assert "there is no database under .orchestra/" in said
    assert not (home / ".orchestra").exists()


def test_destroy_takes_its_project_from_the_spec_or_by_name(run: Run, home: Path, fake: FakePipeline) -> None:
    gone = replace(CHANGE, action=Action.DELETE)
    fake.made = replace(PLAN, changes=(gone,), destroying=True)
    result = run("destroy", *DB, "--auto-approve", "--allow-destroy", "--workload", "no-longer-there")
    assert (result.exit_code, fake.destroyed, fake.options.allow_destroy) == (0, "shop", True)
    assert "Destroy complete! 0 added, 0 changed, 1 destroyed." in result.stdout
    (home / "orchestra.yaml").unlink()
    assert run("destroy", *DB, "--auto-approve", "--project", "old").exit_code == 0
    assert fake.destroyed == "old"


def test_diff_needs_no_database(run: Run, home: Path) -> None:
    (home / "new.yaml").write_text(SPEC.replace("*/15", "*/10"))
    result = run("diff", "orchestra.yaml", "new.yaml", "--detailed-exitcode")
    assert result.exit_code == 2
    assert '"*/15 * * * *" -> "*/10 * * * *"' in result.stdout
    same = run("diff", "orchestra.yaml", "orchestra.yaml", "--detailed-exitcode")
    assert same.exit_code == 0
    assert same.stdout.endswith("\nNo changes. Both specs compile to the same.\n")
    document = json.loads(run("diff", "orchestra.yaml", "new.yaml", "--format", "json").stdout)
    Draft202012Validator(json.loads(schemas.text("diff"))).validate(document)


@pytest.mark.parametrize("name", schemas.NAMES)
def test_every_schema_is_a_schema(run: Run, name: str) -> None:
    schema = json.loads(run("schema", name).stdout)
    Draft202012Validator.check_schema(schema)


def test_colour_only_where_it_is_wanted(run: Run, home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert "\x1b" not in run("check").output
    monkeypatch.setenv("FORCE_COLOR", "1")
    assert "\x1b[" in run("check").output
    monkeypatch.setenv("NO_COLOR", "1")
    assert "\x1b" not in run("check").output


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["adopt"], "Name what to adopt"),
        (["forget"], "Name what to forget"),
        (["adopt", "queue.nothing", "--auto-approve"], "no workload 'nothing'"),
        (["forget", "--project", "shop", "shop.yaml", "queue.x"], "either SPEC or --project"),
        (["plan", "--refresh-only", "--allow-destroy"], "no use for --allow-destroy"),
        (["plan", "--refresh-only", "--accept", "queue.x"], "no use for --accept"),
    ],
)
def test_addresses_and_drift_are_asked_for_with_care(
    home: Path, run: Run, arguments: list[str], said: str
) -> None:
    result = run(*arguments)
    assert result.exit_code == 64
    assert said in " ".join(result.output.split())
