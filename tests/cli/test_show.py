"""`orchestra show`, and the formats of `orchestra plan`: a plan where the review is, without a database."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
from cli_world import BROKEN, SPEC, TARGET, FakePipeline, Run, process

from orchestra.ir.program import Address
from orchestra.plan.model import Action, Blocker, Category, Change, Plan
from orchestra.report import plan_json
from orchestra.report.plan_formats import FORMS

SECRET = "sb_secret_0123456789abcdef"
CHANGE = Change(
    Address("queue", "bulk-import"),
    Action.CREATE,
    Category.BEHAVIOUR,
    ("new in the spec",),
    statements=("select 1",),
)
BLOCKER = Blocker("unowned", Address("queue", "bulk-import"), "somebody else made it", "adopt it")
PLAN = Plan("shop", TARGET, "0.1.0", (CHANGE,), blockers=(BLOCKER,), batches=(1,))
BEGINS = {
    "text": "Project ",
    "json": '{\n  "format_version": 2',
    "markdown": "<!-- orchestra:plan project=shop environment=default -->\n",
    "html": "<!doctype html>",
    "github": "::notice title=orchestra plan",
    "sarif": '{\n  "$schema"',
}
DB = ("--db", "postgresql://me:hunter2@db.example.com/postgres")


@pytest.fixture
def saved(home: Path) -> Path:
    (home / "plan.json").write_text(plan_json.dump(PLAN))
    return home / "plan.json"


@pytest.mark.parametrize("form", FORMS)
def test_a_saved_plan_is_shown_as_the_plan_itself_was(
    run: Run, saved: Path, fake: FakePipeline, form: str
) -> None:
    fake.made = PLAN
    shown = run("show", "plan.json", "--format", form)
    assert (shown.exit_code, shown.stderr) == (0, "")
    assert shown.stdout.startswith(BEGINS[form])
    assert fake.url == "", "no database was asked"
    assert run("plan", *DB, "--format", form).stdout == shown.stdout


def test_the_nearest_spec_lends_the_lines(run: Run, saved: Path) -> None:
    said = run("show", "plan.json", "--format", "github").stdout
    assert "::error file=orchestra.yaml,line=8," in said
    other = saved.parent / "other.yaml"
    other.write_text("# a line more\n" + SPEC)
    assert "file=other.yaml,line=9," in run("show", "plan.json", "other.yaml", "--format", "github").stdout


def test_a_spec_at_hand_that_does_not_fit_is_not_used_and_one_that_was_given_is_refused(
    run: Run, saved: Path
) -> None:
    spec = saved.parent / "orchestra.yaml"
    spec.write_text(SPEC.replace("project: shop", "project: other"))
    shown = run("show", "plan.json", "--format", "github")
    assert "file=" not in shown.stdout
    assert "orchestra.yaml is of project other: shown without it." in shown.stderr
    given = run("show", "plan.json", "orchestra.yaml", "--format", "html")
    assert (given.exit_code, given.stdout) == (64, "")
    assert "the spec is of project other, and the plan of shop" in given.stderr
    spec.write_text(BROKEN)
    shown = run("show", "plan.json", "--format", "sarif")
    assert shown.exit_code == 0
    assert "orchestra.yaml has errors" in shown.stderr
    assert run("show", "plan.json", "orchestra.yaml").exit_code == 1
    spec.unlink()
    assert run("show", "plan.json", "--format", "html").exit_code == 0


def test_a_plan_that_lost_a_secret_is_shown_and_stays_unfit_to_run(run: Run, saved: Path) -> None:
    saved.write_text(
        plan_json.dump(replace(PLAN, changes=(replace(CHANGE, statements=(f"select '{SECRET}'",)),)))
    )
    for form in FORMS:
        shown = run("show", "plan.json", "--format", form)
        assert shown.exit_code == 0
        assert "a secret was left out of queue.bulk-import" in shown.stderr
        assert SECRET not in shown.stdout
    document = json.loads(run("show", "plan.json", "--format", "json").stdout)
    assert document["runnable"] is False
    applied = run("apply", "plan.json", *DB, "--auto-approve")
    assert applied.exit_code == 64


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (plan_json.dump(PLAN)[:300], "the plan file is not JSON"),
        (plan_json.dump(PLAN).replace("select 1", "select 2"), "changed after it was made"),
        (
            plan_json.dump(PLAN).replace('"format_version": 2', '"format_version": 99'),
            "has format 99, and this orchestra reads",
        ),
        (SPEC, "the plan file is not JSON"),
        ("{}", "no plan of orchestra"),
    ],
)
def test_what_is_no_sound_plan_is_refused_with_a_sentence(
    run: Run, saved: Path, text: str, said: str
) -> None:
    saved.write_text(text)
    result = run("show", "plan.json", "--format", "html")
    assert (result.exit_code, result.stdout) == (64, "")
    assert said in " ".join(result.stderr.split())
    assert "orchestra plan --out FILE" in result.stderr or "made it" in result.stderr


def test_a_plan_that_is_not_there_is_said(run: Run, home: Path) -> None:
    result = run("show", "gone.json")
    assert result.exit_code == 1
    assert "cannot read gone.json" in result.stderr


@pytest.mark.parametrize(
    "args",
    [
        ("show", "plan.json", "--summary"),
        ("show", "plan.json", "--format", "html", "--summary"),
        ("show", "plan.json", "--format", "html", "--show-sql"),
        ("show", "plan.json", "--format", "json", "--full"),
        ("plan", *DB, "--format", "markdown", "--full"),
    ],
)
def test_a_flag_that_a_format_would_not_heed_is_refused(
    run: Run, saved: Path, fake: FakePipeline, args: tuple[str, ...]
) -> None:
    result = run(*args)
    assert (result.exit_code, result.stdout, fake.url) == (64, "", "")
    assert "is for --format" in result.stderr


def test_a_step_summary_is_markdown(run: Run, saved: Path) -> None:
    assert run("show", "plan.json", "--format", "markdown", "--summary").stdout.startswith(BEGINS["markdown"])


def test_a_page_is_written_whatever_the_locale(saved: Path) -> None:
    plan = replace(PLAN, changes=(replace(CHANGE, reasons=("Größe 寸法",)),))
    saved.write_text(plan_json.dump(plan))
    shown = process("show", "plan.json", "--format", "html", cwd=saved.parent, PYTHONIOENCODING="ascii")
    assert shown.returncode == 0
    assert '<meta charset="utf-8">' in shown.stdout
