"""`pattern:` in the spec: what is feasible, and the price that is named."""

from __future__ import annotations

import pytest
from by_hand import HTTP, MANUAL, PRO, SCHEDULE, SQL, TABLE, workload

from orchestra.classify import classify
from orchestra.spec.model import Durations, FanOut, Step


def test_an_override_that_changes_nothing_gives_up_nothing():
    found = classify(workload(pattern="wait_until"), PRO)
    assert (found.pattern, found.given_up) == ("wait_until", ())


def test_wait_until_for_a_longer_call_gives_up_retries_dead_letters_and_survival():
    found = classify(workload(40_000, pattern="wait_until"), PRO)
    assert found.pattern == "wait_until"
    text = " ".join(found.given_up)
    assert all(
        word in text for word in ("retries", "dead letters", "killed", "leaves 160 s of the guaranteed 200 s")
    )
    assert found.reasons[0].text == "`pattern: wait_until` is written, where the table would choose queue."


@pytest.mark.parametrize(
    ("fields", "why"),
    [
        ({"triggers": (TABLE,)}, "a change in public.documents"),
        ({"triggers": (HTTP, SCHEDULE)}, "no HTTP request"),
        ({"triggers": (MANUAL,)}, "no HTTP request"),
        ({"triggers": ()}, "no HTTP trigger"),
        ({"handler": SQL}, "the handler is SQL"),
        ({"fan_out": FanOut(2)}, "up to 2 items"),
        ({"max_ms": 200_000}, "does not fit under the 200 s"),
        ({"steps": (Step("a", Durations(1_000)),)}, "a pipeline"),
    ],
)
def test_wait_until_is_refused_where_it_cannot_be(fields, why):
    found = classify(workload(pattern="wait_until", **fields), PRO)
    assert found.pattern is None
    assert why in (found.problem or "")


def test_wait_until_just_under_the_budget_is_feasible():
    assert classify(workload(199_999, pattern="wait_until"), PRO).pattern == "wait_until"


@pytest.mark.parametrize(
    ("fields", "why"),
    [
        ({"triggers": (SCHEDULE,)}, "pg_cron runs SQL only"),
        ({"handler": SQL, "triggers": (TABLE,)}, "one schedule"),
        ({"handler": SQL, "triggers": (SCHEDULE, MANUAL)}, "one schedule"),
        (
            {"handler": SQL, "triggers": (SCHEDULE,), "steps": (Step("a", Durations(1), handler=SQL),)},
            "a pipeline",
        ),
    ],
)
def test_scheduled_sql_is_refused_where_it_cannot_be(fields, why):
    found = classify(workload(pattern="scheduled_sql", **fields), PRO)
    assert found.pattern is None
    assert why in (found.problem or "")


def test_scheduled_sql_over_queue_keys_gives_them_up():
    found = classify(
        workload(
            handler=SQL, triggers=(SCHEDULE,), written="concurrency.limit batch_size", pattern="scheduled_sql"
        ),
        PRO,
    )
    assert found.pattern == "scheduled_sql"
    assert found.given_up == ("the queue: `batch_size` and `concurrency` have no effect",)
    assert found.ignored == ("batch_size", "concurrency")


def test_a_queue_instead_of_wait_until_costs_latency_and_invocations():
    found = classify(workload(pattern="queue"), PRO)
    assert found.pattern == "queue"
    assert [g.split(":")[0] for g in found.given_up] == ["latency", "invocations"]


def test_a_queue_instead_of_scheduled_sql_costs_latency_and_a_job():
    found = classify(workload(handler=SQL, triggers=(SCHEDULE,), pattern="queue"), PRO)
    assert [g.split(":")[0] for g in found.given_up] == ["latency", "a consumer job"]


def test_no_override_helps_an_item_that_outlasts_the_budget():
    for pattern in ("queue", "wait_until"):
        assert "split it" in (classify(workload(201_000, pattern=pattern), PRO).problem or "")
