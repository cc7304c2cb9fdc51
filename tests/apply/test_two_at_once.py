"""Two applies at once: one wins, the other is refused or waits for its turn."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager

import pytest

from apply.shop import QUEUE, Shop, assert_empty, spec_of
from orchestra import pipeline
from orchestra.apply.run import Applied
from orchestra.errors import LockedError, StalePlanError
from orchestra.pipeline import PlanOptions


@contextmanager
def _halfway(shop: Shop) -> Iterator[tuple[threading.Event, Future[Applied]]]:
    """An apply that has done all its changes and waits for the event before it proves and commits them."""
    arrived, go_on = threading.Event(), threading.Event()

    def wait(*_: object) -> None:
        arrived.set()
        assert go_on.wait(30)

    plan = shop.plan()
    with ThreadPoolExecutor(1) as pool:
        running = pool.submit(pipeline.apply, shop.another(), plan, on_progress=wait)
        try:
            assert arrived.wait(30)
            yield go_on, running
        finally:
            go_on.set()


def test_the_second_is_refused_at_once(shop: Shop) -> None:
    with _halfway(shop) as (_, running):
        plan = pipeline.plan(shop.another(), spec_of(QUEUE, "other"), PlanOptions())
        with pytest.raises(LockedError, match="another apply holds the lock") as caught:
            pipeline.apply(shop.another(), plan)
        assert caught.value.exit_code == 4
        with pytest.raises(LockedError, match=r"after 0\.3 s"):
            pipeline.apply(shop.another(), plan, lock_timeout_s=0.3)
    assert running.result().changes > 0
    assert_empty(shop.plan())


def test_one_that_waits_finds_its_plan_stale_when_it_is_its_turn(shop: Shop) -> None:
    same = shop.plan()
    with _halfway(shop) as (go_on, running), ThreadPoolExecutor(1) as pool:
        second = pool.submit(pipeline.apply, shop.another(), same, lock_timeout_s=30)
        go_on.set()
        running.result()
        with pytest.raises(StalePlanError):
            second.result()
    assert_empty(shop.plan())
    assert shop.one("select count(*) from orchestra.deployment") == 1


def test_one_that_waits_for_another_projects_apply_then_goes_through(shop: Shop) -> None:
    shop.apply(QUEUE, project="first")
    other = shop.plan(QUEUE.replace("import", "export"), project="second")
    with _halfway(shop) as (go_on, running), ThreadPoolExecutor(1) as pool:
        second = pool.submit(pipeline.apply, shop.another(), other, lock_timeout_s=30)
        go_on.set()
        running.result()
        assert second.result().changes > 0
    assert_empty(shop.plan())
    assert_empty(shop.plan(QUEUE.replace("import", "export"), project="second"))


def test_the_lock_is_free_after_a_failure(shop: Shop) -> None:
    plan = shop.plan()
    shop.run("drop table app.orders")
    with pytest.raises(pipeline_error()):
        shop.apply_plan(plan)
    assert shop.one("select count(*) from pg_locks where locktype = 'advisory'") == 0


def pipeline_error() -> type[Exception]:
    from orchestra.errors import ApplyError

    return ApplyError
