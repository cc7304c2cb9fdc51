"""Plans as people see them."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import made_plans as plans
import pytest

from orchestra.ir.program import Address
from orchestra.plan.model import Action, Category, Change, Difference, FieldChange
from orchestra.report import diff_text, load_text, plan_text
from orchestra.report.cells import width
from orchestra.report.style import PLAIN, Style

GOLDEN = Path(__file__).parent / "golden"
BATCHED = replace(plans.large(30), batches=(30, 31), blockers=())


@pytest.mark.parametrize("cells", [80, 120])
def test_a_plan_as_text(golden, cells: int) -> None:
    golden(GOLDEN / f"plan-{cells}.txt", plan_text.render(plans.FULL, Style(cells)))


def test_a_plan_in_colour(golden) -> None:
    golden(GOLDEN / "plan-colour.txt", plan_text.render(plans.FULL, Style(80, colour=True)))


def test_a_plan_with_its_statements(golden) -> None:
    golden(GOLDEN / "plan-sql.txt", plan_text.render(plans.FULL, Style(80), show_sql=True))


def test_a_plan_of_nothing(golden) -> None:
    golden(GOLDEN / "plan-empty.txt", plan_text.render(plans.EMPTY))


def test_a_plan_in_two_transactions(golden) -> None:
    golden(GOLDEN / "plan-batches.txt", plan_text.render(BATCHED))


def test_a_plan_that_destroys(golden) -> None:
    plan = replace(plans.FULL, changes=(plans.DROP,), conditions=(), destroying=True)
    golden(GOLDEN / "plan-destroy.txt", plan_text.render(plan))


def test_a_difference_of_two_specs(golden) -> None:
    golden(GOLDEN / "difference.txt", diff_text.render(plans.DIFFERENCE))


def test_specs_that_compile_to_the_same_differ_in_nothing() -> None:
    assert diff_text.render(Difference("shop", "")) == "No changes. Both specs compile to the same.\n"


def test_many_workloads_are_listed_up_to_a_point_and_all_of_them_when_asked() -> None:
    short = "\n".join(load_text.render(plans.LOADS_OF_MANY, PLAIN))
    assert "… and 30 more workloads (--full shows all)" in short
    assert "\n".join(load_text.render(plans.LOADS_OF_MANY, PLAIN, full=True)).count("+ job-") == 50


def test_it_ends_with_the_line_that_counts() -> None:
    assert plan_text.render(plans.FULL).splitlines()[-1] == "Plan: 4 to add, 2 to change, 3 to destroy."


def test_five_thousand_changes_fit_on_two_screens_and_full_shows_them_all() -> None:
    plan = plans.large()
    short = plan_text.render(plan)
    assert short.count("\n") < 110
    assert "… and 4,995 more queues to create" in short
    assert "queue.old-import" in short, "what is dangerous is never summed up"
    assert plan_text.render(plan, full=True).count("queue.import-") == 5_000


def test_what_no_plan_uses_is_not_in_its_legend() -> None:
    text = plan_text.render(replace(plans.FULL, changes=(plans.CREATE_QUEUE,)))
    assert "+ create" in text
    assert "destroy and create again" not in text
    assert "(drift)" not in text


def test_credentials_are_starred_out() -> None:
    secret = "eyJhbGciOiJIUzI1NiJ9.eyJyb2xlIjoic2VydmljZV9yb2xlIn0.c2lnbmF0dXJl"
    change = Change(
        Address("cron_job", "x"),
        Action.UPDATE,
        Category.BEHAVIOUR,
        (),
        fields=(FieldChange("command", f"select net.http_post('u', '{secret}')", "select 1"),),
        statements=("select 'postgres://me:hunter2@db/x'",),
    )
    text = plan_text.render(replace(plans.EMPTY, changes=(change,)), Style(120), show_sql=True)
    assert secret not in text
    assert "hunter2" not in text
    assert "********" in text


def test_text_from_the_database_cannot_drive_the_terminal() -> None:
    nasty = "a\x1b[2J\u202eb"
    change = Change(
        Address("queue", nasty),
        Action.UPDATE,
        Category.DATA,
        (nasty,),
        fields=(FieldChange(nasty, nasty, nasty + "\n" + nasty),),
        statements=(nasty,),
    )
    text = plan_text.render(replace(plans.EMPTY, project=nasty, changes=(change,)), show_sql=True)
    assert not {"\x1b", "\u202e"} & set(text)


@pytest.mark.parametrize("cells", [60, 80, 119])
def test_no_line_is_wider_than_the_terminal(cells: int) -> None:
    for row in plan_text.render(plans.FULL, Style(cells)).split("\n"):
        assert width(row) <= cells, row
