"""The road of every case on every engine: plan, apply, plan; the compiled SQL twice; plan; and a fresh build."""

from __future__ import annotations

import pytest
from engines import Engine

from acceptance.cases import CASES, GOLDEN_CASES, Case
from acceptance.live import apply, assert_settled, dump, plan, rows
from orchestra.pipeline import PlanOptions

every_case = pytest.mark.parametrize("case", CASES, ids=str)


def applied(case: Case, engine: Engine) -> None:
    case.prepare(engine)
    apply(engine, case.spec, PlanOptions(adopt=frozenset(case.adopt)))


@pytest.mark.parametrize("case", GOLDEN_CASES, ids=str)
def test_apply_then_compiled_sql_twice_leaves_nothing_to_do(case: Case, engine: Engine) -> None:
    case.prepare(engine)
    first = plan(engine, case.spec)
    assert first.changes
    assert not first.blockers
    apply(engine, case.spec)
    assert_settled(engine, case.spec)
    before = rows(engine)
    engine.psql(case.sql)
    engine.psql(case.sql, options=["--single-transaction"])
    assert_settled(engine, case.spec)
    assert rows(engine) == before


@every_case
def test_an_apply_equals_a_database_built_from_the_compiled_sql(case: Case, engine: Engine) -> None:
    applied(case, engine)
    schema, content = dump(engine), rows(engine)
    engine.reset()
    case.prepare(engine)
    if case.needs_pgmq:
        case.install_pgmq(engine)
    if case.adopt:
        apply(engine, case.spec, PlanOptions(adopt=frozenset(case.adopt)))
    engine.psql(case.sql, options=["--single-transaction"])
    built = plan(engine, case.spec)
    assert [str(c.address) for c in built.changes] == ([] if case.adopt else [f"project.{case.spec.project}"])
    apply(engine, case.spec)
    assert_settled(engine, case.spec)
    assert dump(engine) == schema
    assert rows(engine) == content
