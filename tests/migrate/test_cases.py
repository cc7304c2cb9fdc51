"""Every example and golden case as a first migration, run twice: whatever a spec may hold, the guard knows its own."""

from __future__ import annotations

import pytest
from acceptance.cases import CASES, Case
from acceptance.live import apply, assert_settled, plan, rows
from engines import Engine
from splitter import push, split

from orchestra import pipeline
from orchestra.migrate import Lock
from orchestra.migrate.text import render
from orchestra.pipeline import PlanOptions
from orchestra.sql.scan import parse

NAME = "20270115080000_first"


def first(case: Case) -> str:
    draught = pipeline.migration(case.spec, Lock(case.spec.project))
    assert draught.blockers == ()
    return render(draught, NAME[:14], NAME, "0.1.0")


@pytest.mark.engines("embedded", "pg17")
@pytest.mark.parametrize("case", CASES, ids=str)
def test_the_first_migration_runs_twice_and_leaves_only_the_gate(case: Case, engine: Engine) -> None:
    case.prepare(engine)
    if case.needs_pgmq:
        case.install_pgmq(engine)
    if case.adopt:
        apply(engine, case.spec, PlanOptions(adopt=frozenset(case.adopt)))
    text = first(case)
    engine.psql(text, options=["--single-transaction"])
    before = rows(engine)
    push(engine.url(), text)
    built = plan(engine, case.spec)
    assert [str(c.address) for c in built.changes] == ([] if case.adopt else [f"project.{case.spec.project}"])
    assert rows(engine) == before
    assert engine.execute(
        "select count(*) from orchestra.deployment where plan_hash = %s", [f"migration:{NAME}"]
    ) == [(1,)]
    apply(engine, case.spec)
    assert_settled(engine, case.spec)


@pytest.mark.parametrize("case", CASES, ids=str)
def test_each_statement_is_one_for_the_server_as_well(case: Case) -> None:
    for statement in split(first(case)):
        assert len(parse(statement)) == 1, statement
