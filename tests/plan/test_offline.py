"""The difference of two specs weighs a change as a plan against a database would, and counts nothing."""

from __future__ import annotations

import pytest
from apply.shop import HEAD, NOTHING, QUEUE, SHOP, spec_of

from orchestra import pipeline
from orchestra.ir.category import Category
from orchestra.pipeline import PlanOptions
from orchestra.plan.model import Difference
from orchestra.spec import parse_spec
from orchestra.spec.model import Spec

EDGE = """\
version: 1
project: shop
platform: {provider: supabase, plan: pro}
workloads:
  relay:
    trigger: {http: {auth: secret}}
    duration: {typical: 2s, max: 10s}
    arrival: {rate: RATE/s}
"""


def difference(before: Spec | str | None, after: Spec | str, **options: object) -> Difference:
    old, new = (spec_of(x) if isinstance(x, str) else x for x in (before, after))
    assert new is not None
    wanted = PlanOptions(environment="", **options)  # type: ignore[arg-type]
    return pipeline.difference(old, new, wanted, base="before")


def spec(text: str) -> Spec:
    made = parse_spec(text).spec
    assert made is not None
    return made


def hazards(found: Difference) -> set[tuple[str, str, bool]]:
    return {(h.code, str(c.address), h.needs_approval) for c in found.changes for h in c.hazards}


@pytest.mark.parametrize(
    ("statement", "category"),
    [
        ("SELECT   1 -- as it was", Category.METADATA),
        ("select 2", Category.BEHAVIOUR),
    ],
)
def test_a_statement_in_other_words_weighs_nothing(statement: str, category: Category) -> None:
    before, after = (
        pipeline.compile_spec(spec_of(QUEUE.replace("select 1", text))) for text in ("select 1", statement)
    )
    (change,) = pipeline.diff(before, after)
    assert [f.path for f in change.fields] == ["sql"]
    assert change.category is category


def more(line: str) -> str:
    return QUEUE.replace("poll_interval: 1m", f"poll_interval: 1m\n    {line}")


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        (
            QUEUE,
            NOTHING,
            {
                ("delete", "workload.import", True),
                ("delete", "queue.import", True),
                ("messages", "queue.import", True),
            },
        ),
        (more("queue: {kind: unlogged}"), QUEUE, {("messages", "queue.import", True)}),
        (QUEUE, QUEUE.replace("select 1", "select 2"), {("contract", "workload.import", False)}),
        (QUEUE, more("retry: {max_attempts: 2}"), {("fewer_attempts", "workload.import", True)}),
        (more("retry: {max_attempts: 2}"), QUEUE, set()),
        (QUEUE, more("queue: {name: elsewhere}"), {("move", "queue.import", False)}),
        (more("protect: true"), more("protect: false"), {("unprotect", "workload.import", False)}),
        (more("concurrency: {limit: 2}"), QUEUE, set()),
    ],
)
def test_hazards_are_those_of_a_plan_without_its_numbers(
    before: str, after: str, expected: set[tuple[str, str, bool]]
) -> None:
    assert hazards(difference(before, after)) == expected


def test_an_unlogged_queue_and_a_locked_table_are_hazards_of_what_is_new() -> None:
    found = difference(NOTHING, SHOP.replace("access:", "queue: {kind: unlogged}\n    access:"))
    assert {h[0] for h in hazards(found)} == {"unlogged", "table_lock"}


def test_protection_blocks_as_the_database_will() -> None:
    found = difference(more("protect: true"), NOTHING)
    assert {(b.code, str(b.address)) for b in found.blockers} == {
        ("protected", "workload.import"),
        ("protected", "queue.import"),
    }


def test_without_a_base_everything_is_new() -> None:
    found = difference(None, SHOP)
    assert {c.action.value for c in found.changes} == {"create"}
    assert "project.shop" in {str(c.address) for c in found.changes}


def test_what_no_apply_brings_about_is_a_condition() -> None:
    before = spec(EDGE.replace("RATE", "2"))
    text = EDGE.replace("RATE", "2") + "  mail: {trigger: manual, duration: {max: 9s}}\n"
    after = spec(
        text + "secrets: {mail: {vault: mail_key}}\nrequires: [{name: t, check: {relation: app.t}}]\n"
    )
    codes = {(c.code, str(c.address)) for c in difference(before, after).conditions}
    assert codes == {
        ("not_deployed", "edge_function.mail"),
        ("missing_secret", "secret.mail"),
        ("missing_secret", "secret.function_key"),
        ("missing_secret", "secret.function_url"),
        ("requirement", "requirement.t"),
    }


@pytest.mark.parametrize(
    ("plan", "rate", "cost"),
    [
        ("free", 2, None),
        ("pro", 0.5, 0.0),
        ("pro", 2, 8.0),
        ("team", 1, 2.0),
        ("enterprise", 2, None),
    ],
)
def test_calls_above_what_is_included_cost_by_the_begun_million(
    plan: str, rate: float, cost: float | None
) -> None:
    """2/s are 5,184,000 calls in 30 days, of which 2,000,000 are included: four begun millions at $2."""
    rated = f"{rate:g}" if rate >= 1 else "30"
    text = EDGE.replace("RATE/s", f"{rated}/s" if rate >= 1 else f"{rated}/m").replace(
        "plan: pro", f"plan: {plan}"
    )
    load = difference(None, spec(text)).load
    assert load is not None
    assert load.after.invocations_month == pytest.approx(rate * 30 * 86_400)
    assert load.after.cost_usd_month == cost
    assert load.before.cost_usd_month == (None if cost is None else 0.0)


def test_loads_differ_only_where_they_do() -> None:
    two = QUEUE + "  other: {trigger: manual, duration: {max: 5s}, run: {sql: select 1}}\n"
    load = difference(two, two.replace("poll_interval: 1m", "poll_interval: 30s")).load
    assert load is not None
    (change,) = load.changes
    assert change.workload == "import"
    assert change.before is not None
    assert change.after is not None
    assert change.before.ceiling_per_s < change.after.ceiling_per_s  # type: ignore[operator]
    assert load.after.invocations_included is None
    assert load.after.cost_usd_month is None
    assert (load.after.workloads, load.after.functions) == (2, 0)
    assert difference(two, two).load.changes == ()  # type: ignore[union-attr]


def test_the_counts_are_of_what_the_spec_compiles_to() -> None:
    load = difference(None, SHOP).load
    assert load is not None
    program = pipeline.compile_spec(spec_of(SHOP))
    assert load.after.cron_jobs == sum(r.kind == "cron_job" for r in program)
    assert HEAD.startswith("version: 1")


def test_another_project_stays_as_it_is_and_so_do_its_names() -> None:
    found = pipeline.difference(spec_of(QUEUE), spec_of(QUEUE, "store"), PlanOptions(environment=""), base="")
    assert {c.action.value for c in found.changes} == {"create"}
    assert [(b.code, str(b.address)) for b in found.blockers] == [("other_project", "queue.import")]
    (condition,) = found.conditions
    assert condition.code == "another_project"
    assert "moved: {from: shop}" in condition.remedy
    apart = difference(None, SHOP)
    assert apart.conditions == () or "another_project" not in {c.code for c in apart.conditions}
