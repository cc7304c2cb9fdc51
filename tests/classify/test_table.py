"""The table of patterns, row by row and at each boundary: the first match wins."""

from __future__ import annotations

import pytest
from by_hand import FREE, HTTP, MANUAL, POSTGRES, PRO, SCHEDULE, SQL, TABLE, workload

from orchestra.classify import classify, pattern_of
from orchestra.spec.model import Access, Concurrency, FanOut, Retry, Step
from orchestra.spec.model import Durations as D


@pytest.mark.parametrize(("platform", "budget_ms"), [(FREE, 75_000), (PRO, 200_000)])
def test_an_edge_item_may_take_the_guaranteed_budget_and_not_a_second_more(platform, budget_ms):
    """Free and paid: one second under, exactly at, and one over half the wall clock."""
    for max_ms in (budget_ms - 1_000, budget_ms):
        found = classify(workload(max_ms), platform)
        assert (found.pattern, found.budget_ms, found.problem) == ("queue", budget_ms, None)
    over = classify(workload(budget_ms + 1_000), platform)
    assert over.pattern is None
    assert "1 s more" in (over.problem or "")


@pytest.mark.parametrize(("max_ms", "fits"), [(119_000, True), (120_000, True), (121_000, False)])
def test_sql_is_bound_by_the_statement_timeout_of_supabase(max_ms, fits):
    found = classify(workload(max_ms, handler=SQL, triggers=(SCHEDULE,)), PRO)
    assert (found.pattern == "scheduled_sql") is fits
    assert found.budget_ms == 120_000


def test_sql_on_plain_postgres_has_no_budget_and_says_so():
    found = classify(workload(7_200_000, handler=SQL, triggers=(SCHEDULE,)), POSTGRES)
    assert (found.pattern, found.budget_ms) == ("scheduled_sql", 0)
    assert any("no `statement_timeout` by default" in r.text for r in found.reasons)


def test_an_edge_handler_on_plain_postgres_is_a_problem():
    assert "no Edge Functions" in (classify(workload(), POSTGRES).problem or "")


@pytest.mark.parametrize(("max_ms", "pattern"), [(29_999, "wait_until"), (30_000, "queue")])
def test_thirty_seconds_is_the_line_between_wait_until_and_a_queue(max_ms, pattern):
    found = classify(workload(max_ms), PRO)
    assert found.pattern == pattern
    numbers = [dict(r.numbers) for r in found.reasons]
    assert {"max_ms": max_ms, "limit_ms": 30_000} in numbers


@pytest.mark.parametrize(("most", "pattern"), [(1, "wait_until"), (2, "queue")])
def test_a_fan_out_of_two_needs_a_queue(most, pattern):
    assert classify(workload(fan_out=FanOut(most), written="fan_out fan_out.max"), PRO).pattern == pattern


def test_a_batch_size_that_is_written_needs_a_queue_and_its_default_does_not():
    assert classify(workload(batch_size=50, written="batch_size"), PRO).pattern == "queue"
    assert classify(workload(batch_size=1, written="batch_size"), PRO).pattern == "wait_until"
    assert classify(workload(batch_size=50), PRO).pattern == "wait_until"


@pytest.mark.parametrize("triggers", [(TABLE,), (MANUAL,), (), (SCHEDULE,), (HTTP, SCHEDULE), (HTTP, TABLE)])
def test_edge_work_that_is_not_http_alone_is_a_queue(triggers):
    assert classify(workload(triggers=triggers), PRO).pattern == "queue"


@pytest.mark.parametrize(
    "triggers", [(HTTP,), (TABLE,), (MANUAL,), (), (SCHEDULE, HTTP), (SCHEDULE, SCHEDULE)]
)
def test_sql_with_any_trigger_but_one_schedule_is_a_queue(triggers):
    assert classify(workload(handler=SQL, triggers=triggers), PRO).pattern == "queue"


@pytest.mark.parametrize(
    "key",
    [
        *(
            "batch_size",
            "concurrency.limit",
            "fan_out.max",
            "queue.name",
            "visibility_timeout",
            "poll_interval",
        ),
        *("dead_letter_queue", "arrival.rate", "rate_limit.limit", "idempotency_key.key", "debounce.period"),
        *("delay", "access.enqueue", "alerts.max_depth", "on_failure"),
    ],
)
def test_scheduled_sql_that_writes_a_queue_key_is_a_queue(key):
    """Every such key asks for something that only a queue can keep."""
    found = classify(workload(handler=SQL, triggers=(SCHEDULE,), written=key), PRO)
    assert found.pattern == "queue"
    assert any(f"`{key.split('.')[0]}`" in r.text for r in found.reasons)


@pytest.mark.parametrize(
    "key", ["retry.max_attempts", "timeout", "summary", "paused", "protect", "retention.failed"]
)
def test_scheduled_sql_may_write_what_needs_no_queue(key):
    found = classify(workload(handler=SQL, triggers=(SCHEDULE,), written=key), PRO)
    assert (found.pattern, found.ignored) == ("scheduled_sql", ())


def test_scheduled_sql_retries_only_with_a_retry_of_its_own():
    """`defaults.retry` does not count, whatever it says."""
    silent = classify(workload(handler=SQL, triggers=(SCHEDULE,), retry=Retry(9)), PRO)
    own = classify(
        workload(handler=SQL, triggers=(SCHEDULE,), retry=Retry(3), written="retry.max_attempts"), PRO
    )
    assert silent.capacity.retry_span_s is None
    assert own.capacity.retry_span_s == 15
    assert any("up to 3 attempts" in r.text for r in own.reasons)


def test_a_retry_on_wait_until_is_ignored_when_written_and_not_applicable_as_a_default():
    default, written = classify(workload(), PRO), classify(workload(written="retry.max_attempts"), PRO)
    assert (default.pattern, default.ignored) == ("wait_until", ())
    assert any("does not apply" in r.text for r in default.reasons)
    assert (written.pattern, written.ignored) == ("wait_until", ("retry",))


def test_keys_that_wait_until_cannot_keep_are_named():
    found = classify(
        workload(
            concurrency=Concurrency(3),
            access=Access(("authenticated",)),
            written="concurrency.limit access.enqueue",
        ),
        PRO,
    )
    assert (found.pattern, found.ignored) == ("wait_until", ("access", "concurrency"))


def test_a_pipeline_is_a_queue_whatever_its_steps_take():
    steps = (Step("collect", D(1_000)), Step("publish", D(1_000), depends_on=("collect",)))
    assert classify(workload(steps=steps), PRO).pattern == "queue"


def test_a_step_that_outlasts_its_own_budget_is_named():
    """A pipeline may hold steps of both kinds: each is held against the budget of its kind."""
    steps = (Step("a", D(190_000)), Step("b", D(121_000), handler=SQL))
    problem = classify(workload(steps=steps), PRO).problem or ""
    assert problem.startswith("step `b` takes up to 121 s, 1 s more")
    assert classify(workload(steps=steps), POSTGRES).pattern is None


@pytest.mark.parametrize("wanted", [None, "queue", "wait_until", "scheduled_sql"])
@pytest.mark.parametrize("trigger", [HTTP, TABLE, MANUAL, SCHEDULE])
@pytest.mark.parametrize("max_ms", [1_000, 45_000, 300_000])
def test_the_pattern_alone_is_the_same_pattern(wanted, trigger, max_ms):
    for platform in (FREE, PRO, POSTGRES):
        for fields in ({}, {"handler": SQL}):
            w = workload(max_ms, triggers=(trigger,), pattern=wanted, **fields)
            assert pattern_of(w, platform) == classify(w, platform).pattern
