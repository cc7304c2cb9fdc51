"""The numbers of the proof: the ceiling against a simulation, and what follows from it."""

from __future__ import annotations

import pytest
import simulation
from by_hand import HTTP, POSTGRES, PRO, SCHEDULE, SQL, TABLE, workload

from orchestra.classify import classify
from orchestra.classify.capacity import retry_span_s
from orchestra.classify.frequency import fires_a_month
from orchestra.classify.invocations import started_per_s
from orchestra.classify.throughput import Workers, ceiling, edge_workers, sql_workers
from orchestra.spec.model import (
    Arrival,
    Backoff,
    Concurrency,
    Durations,
    FanOut,
    Retry,
    ScheduleTrigger,
    Step,
)

TOLERANCE = 0.12
"""What random durations, stragglers and the beat of the ticks may make; most sets stay within 4 %."""


def edge(**fields: float | bool) -> Workers:
    base = {
        "limit": 4,
        "per_worker": 10,
        "batch": 50,
        "item_ms": 400,
        "item_is_typical": True,
        "timeout_ms": 20_000,
    }
    base |= {"cpu_ms": 5, "poll_ms": 5_000, "wall_clock_ms": 400_000}
    return edge_workers(**(base | fields))  # type: ignore[arg-type]


def sql(limit: int, item_ms: int, poll_ms: int) -> Workers:
    return sql_workers(
        limit=limit, item_ms=item_ms, item_is_typical=True, timeout_ms=item_ms, poll_ms=poll_ms
    )


SETS = {
    "the example of the design": edge(),
    "short items, bound by CPU": edge(item_ms=20, cpu_ms=1),
    "four isolates": edge(limit=40),
    "a turn for every item": edge(batch=1, item_ms=50),
    "bound by time": edge(cpu_ms=0),
    "free plan": edge(wall_clock_ms=150_000, cpu_ms=0, item_ms=3_000),
    "one round a run": edge(item_ms=60_000, timeout_ms=60_000, wall_clock_ms=150_000, cpu_ms=0),
    "two rounds a run": edge(item_ms=20_000, timeout_ms=30_000, limit=10, wall_clock_ms=150_000, cpu_ms=0),
    "a tick a minute": edge(poll_ms=60_000),
    "one at a time in three isolates": edge(limit=3, per_worker=1, item_ms=1_500, cpu_ms=20),
    "one item as long as the budget": edge(item_ms=74_000, timeout_ms=74_000, wall_clock_ms=150_000),
    "three consumers in SQL": sql(3, 40, 5_000),
    "a slow statement": sql(1, 9_000, 1_000),
    "a statement longer than the run": sql(1, 110_000, 5_000),
}


@pytest.mark.parametrize("name", SETS)
def test_the_ceiling_agrees_with_a_simulation(name):
    """300 runs of every slot; durations vary by a quarter, and some hours are slower than others."""
    workers = SETS[name]
    simulated = simulation.rate(workers, cycles=300, seed=1)
    assert simulated == pytest.approx(ceiling(workers).ceiling_per_s, rel=TOLERANCE)


@pytest.mark.parametrize("rate", [0.01, 0.2, 0.5, 2.0, 20.0])
def test_workers_started_agree_with_a_simulation(rate):
    """From lonely requests, each of which starts a worker, to a stream that only the CPU's count ends."""
    numbers = ceiling(edge(item_ms=1_000, limit=10))
    simulated = simulation.starts(rate, 1.0, 2.0, numbers.items, numbers.window_s, hours=40, seed=1)
    assert started_per_s(rate, 1, 2.0, numbers) == pytest.approx(simulated, rel=0.3)


def test_the_formula_is_the_one_of_the_design():
    """t = D/p + o/B, J = CPU/cpu, X = N J / (J t + boot + T/2), by hand."""
    a = ceiling(edge())
    t = 0.4 / 4 + 0.025 / 50
    assert (a.items, a.bound, a.slots) == (200, "cpu", 1)
    assert a.item_time_s == pytest.approx(t)
    assert a.ceiling_per_s == pytest.approx(200 / (200 * t + 1 + 2.5))


@pytest.mark.parametrize(("timeout_ms", "window_s"), [(20_000, 60), (70_000, 45), (120_000, 0)])
def test_a_consumer_leaves_before_the_statement_timeout_of_its_whole_run(timeout_ms, window_s):
    """One item at least is done in every run."""
    w = workload(timeout_ms, handler=SQL, triggers=())
    a = classify(w, PRO).capacity.arithmetic
    assert a is not None
    assert a.window_s == window_s
    assert a.items == window_s * 1_000 // (timeout_ms + 5) + 1


def test_slots_are_the_limit_over_what_one_isolate_takes():
    assert [ceiling(edge(limit=n)).slots for n in (1, 10, 11, 40)] == [1, 1, 2, 4]


def test_a_burst_is_drained_by_what_the_arrival_leaves():
    found = classify(workload(typical_ms=400, fan_out=FanOut(9), arrival=Arrival(1.0, 500)), PRO).capacity
    assert found.drain_burst_s == pytest.approx(500 / (found.ceiling_per_s - 1.0))
    assert found.headroom == pytest.approx(found.ceiling_per_s)


def test_a_burst_over_an_arrival_above_the_ceiling_is_never_drained():
    found = classify(workload(20_000, fan_out=FanOut(9), arrival=Arrival(50.0, 500)), PRO).capacity
    assert found.drain_burst_s is None
    assert found.headroom is not None
    assert found.headroom < 1


def test_the_worst_latency_is_tick_boot_position_and_the_longest_item():
    w = workload(10_000, typical_ms=400, triggers=(TABLE,), arrival=Arrival(None, 100))
    found = classify(w, PRO).capacity
    assert found.latency_worst_s == pytest.approx(5 + 1 + 100 / found.ceiling_per_s + 10)


def test_a_pipeline_pays_a_tick_at_every_level_of_its_longest_chain():
    steps = (
        Step("collect", Durations(60_000)),
        Step("render", Durations(90_000), depends_on=("collect",), map="collect"),
        Step("aside", Durations(1_000), depends_on=("collect",)),
        Step("publish", Durations(10_000), depends_on=("render", "aside")),
    )
    assert classify(workload(steps=steps), PRO).capacity.latency_worst_s == pytest.approx(3 * (5 + 1) + 160)


def test_a_pipeline_with_a_cycle_still_gets_an_answer():
    steps = (
        Step("a", Durations(1_000), depends_on=("b",)),
        Step("b", Durations(1_000), depends_on=("a", "gone")),
    )
    assert classify(workload(steps=steps), PRO).pattern == "queue"


def test_the_lease_is_held_against_the_longest_batch():
    w = workload(20_000, batch_size=50, written="batch_size", concurrency=Concurrency(4))
    found = classify(w, PRO).capacity
    assert (found.lease_s, found.batch_span_s) == (50, 13 * 20)


def test_retry_waits_are_capped_and_one_fewer_than_attempts():
    assert retry_span_s(Retry(5)) == 5 + 10 + 20 + 40
    assert retry_span_s(Retry(1)) == 0
    assert retry_span_s(Retry(12, Backoff(5_000, 2, 60_000))) == 5 + 10 + 20 + 40 + 7 * 60
    assert retry_span_s(Retry(2_000, Backoff(1_000, 10, 60_000))) == 1 + 10 + 1_997 * 60


def test_an_item_may_declare_no_time_at_all():
    """Total: zero durations divide nothing by zero."""
    found = classify(workload(0, triggers=(TABLE,), poll_interval_ms=1), PRO).capacity
    assert found.ceiling_per_s is not None
    assert found.ceiling_per_s > 0


def test_wait_until_costs_one_invocation_a_request():
    found = classify(workload(arrival=Arrival(2.0)), PRO).capacity
    assert (found.invocations_month, found.invocations_included) == (2 * 2_592_000, 2_000_000)


def test_cron_jobs_of_sql_cost_no_invocations():
    for written, pattern in (("", "scheduled_sql"), ("queue.name", "queue")):
        found = classify(workload(handler=SQL, triggers=(SCHEDULE,), written=written), PRO)
        assert (found.pattern, found.capacity.invocations_month) == (pattern, 0)
    assert classify(workload(handler=SQL, triggers=()), POSTGRES).capacity.invocations_included is None


def test_sql_behind_http_costs_its_door():
    found = classify(workload(handler=SQL, arrival=Arrival(1.0)), PRO).capacity
    assert found.invocations_month == pytest.approx(2_592_000)


def test_a_schedule_counts_its_due_times_where_no_arrival_is_declared():
    found = classify(workload(triggers=(SCHEDULE,)), PRO).capacity
    assert found.invocations_month == pytest.approx(4 * 24 * 30, rel=0.02)
    assert classify(workload(triggers=(HTTP, SCHEDULE)), PRO).capacity.invocations_month is None


def test_items_of_one_request_share_its_invocation():
    one = classify(workload(typical_ms=50, fan_out=FanOut(500, 100), arrival=Arrival(0.1)), PRO).capacity
    assert one.invocations_month == pytest.approx(2 * 0.001 * 2_592_000, rel=0.05)


@pytest.mark.parametrize(
    ("cron", "times"),
    [
        ("* * * * *", 43_200),
        ("*/15 * * * *", 2_880),
        ("0 3 * * *", 30),
        ("30 9 * * mon-fri", 30 * 5 / 7),
        ("0 0 * * 0,7", 30 / 7),
        ("0 0 1 * *", 30 * 12 / 365.25),
        ("0 0 $ * *", 30 * 12 / 365.25),
        ("0 0 1 jan *", 30 / 365.25),
        ("0 8-18/2 * * *", 180),
        ("@hourly", 720),
    ],
)
def test_due_times_in_a_month(cron, times):
    assert fires_a_month(ScheduleTrigger(cron=cron)) == pytest.approx(times, rel=1e-6)


def test_every_counts_due_times_too():
    assert fires_a_month(ScheduleTrigger(every_ms=60_000)) == 43_200


@pytest.mark.parametrize("cron", ["", "nonsense", "x * * * *", "*/0 * * * *", "* * * *", "1,,2 * * * *"])
def test_a_schedule_that_cannot_be_read_counts_nothing(cron):
    """E4xx reports it; the classifier stays total."""
    assert fires_a_month(ScheduleTrigger(cron=cron)) is None
