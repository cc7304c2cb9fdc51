"""The backend is killed at every statement of an apply: the database is as before, or as it shall be."""

from __future__ import annotations

import pytest

from apply.mortal import Mortal, mortal
from apply.shop import SHOP, Shop, assert_empty, said
from orchestra import pipeline
from orchestra.errors import ApplyError
from orchestra.plan import batches
from orchestra.plan.model import Plan

MORE = SHOP.replace('"*/15 * * * *"', '"*/20 * * * *"').replace('app.sessions"', 'app.sessions where true"')


def test_killed_at_every_statement_of_a_first_apply_nothing_is_changed(shop: Shop) -> None:
    _killed_everywhere(shop, SHOP)


def test_killed_at_every_statement_of_a_change_nothing_is_changed(shop: Shop) -> None:
    shop.apply()
    _killed_everywhere(shop, MORE)


def test_killed_at_every_statement_of_a_destroy_nothing_is_changed(shop: Shop) -> None:
    shop.apply()
    _killed_everywhere(shop, None)


def _plan(shop: Shop, text: str | None) -> Plan:
    return shop.plan(text) if text else shop.destroy_plan(allow_destroy=True)


def _fault(database: Mortal, plan: Plan) -> ApplyError | None:
    try:
        pipeline.apply(database, plan)
    except ApplyError as error:
        return error
    return None


def _killed_everywhere(shop: Shop, text: str | None) -> None:
    before = shop.state()
    plan = _plan(shop, text)
    number = 1
    while True:
        database = mortal(shop.engine, dies_at=number)
        fault = _fault(database, plan)
        database.close()
        if fault is None:
            break
        assert "connection was lost" in fault.message
        assert shop.state() == before, database.killed_at
        number += 1
        assert number < 300
    assert number > len(plan.changes)
    assert said(plan) != []
    assert_empty(_plan(shop, text))


def test_killed_between_two_batches_what_is_committed_stays_and_the_next_plan_goes_on(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(batches, "SHARE", 0.0)
    monkeypatch.setattr(batches, "BASE", -10)
    rest = said(shop.plan())
    assert len(shop.plan().batches) > 3
    dies_at, told = 60, 0
    while rest:
        assert dies_at < 600
        plan = shop.plan()
        database = mortal(shop.engine, dies_at=dies_at)
        done = 0
        try:
            done = pipeline.apply(database, plan).changes
        except ApplyError as error:
            told += "are applied and stay; plan again to go on" in error.remedy
        finally:
            database.close()
        left = said(shop.plan())
        assert done == 0 or left == []
        assert set(left) <= set(rest)
        dies_at, rest = dies_at + 9, left
    assert told > 0
    assert_empty(shop.plan())
    ledger = shop.run("select batch, batches from orchestra.deployment order by id")
    assert all(batch <= batches for batch, batches in ledger)


def test_what_is_left_of_a_plan_in_batches_is_planned_as_it_was(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(batches, "SHARE", 0.0)
    monkeypatch.setattr(batches, "BASE", -10)
    plan = shop.plan()
    first = plan.batches[0]
    single = mortal(shop.engine)
    commits = 0

    def die_after_the_first_commit(sql: str) -> None:
        nonlocal commits
        commits += sql == "commit"
        if commits == 1 and sql.startswith("begin"):
            single._kill(sql)

    monkeypatch.setattr(single, "_before", die_after_the_first_commit)
    with pytest.raises(ApplyError, match="connection was lost") as caught:
        pipeline.apply(single, plan)
    single.close()
    assert caught.value.remedy.startswith(f"batch 1 of {len(plan.batches)} is applied and stays")
    assert said(shop.plan()) == said(plan)[first:]
