"""A -> B -> back to A by its number: the database is as a fresh build of A, and the spec leads forward again."""

from __future__ import annotations

import pytest
from acceptance.live import apply, assert_settled, database, dump, rows
from acceptance.test_there_and_back import BASE, CHANGES, SETUP, spec_of
from engines import Engine

from orchestra import pipeline
from orchestra.pipeline import PlanOptions
from orchestra.plan.model import Plan


def back(engine: Engine, number: int, options: PlanOptions | None = None) -> Plan:
    options = options or PlanOptions(allow_destroy=True)
    with database(engine) as connection:
        found = pipeline.rollback_plan(connection, "site", number, options)
        assert found.plan.blockers == ()
        pipeline.apply(connection, found.plan, options)
    return found.plan


@pytest.mark.parametrize("name", CHANGES)
@pytest.mark.engines("embedded", "pg17")
def test_there_and_back_by_number(name: str, engine: Engine) -> None:
    change = CHANGES[name]
    here, there = spec_of(BASE), spec_of(BASE.replace(change.old, change.new))
    engine.psql(SETUP)
    apply(engine, here)
    schema, content = dump(engine), rows(engine)
    apply(engine, there, change.there)
    after = rows(engine)

    plan = back(engine, 1)
    assert plan.changes
    assert not [r for c in plan.changes for r in c.reasons if "spec" in r]
    assert_settled(engine, here)
    assert dump(engine) == schema
    assert rows(engine) == content

    assert back(
        engine, 2, PlanOptions(allow_destroy=True, environment_paused=change.there.environment_paused)
    ).changes
    assert rows(engine) == after
