"""What holds of every spec: order never matters, nothing differs from itself, and there and back is back."""

from __future__ import annotations

import random
from typing import Any

import yaml
from apply.shop import Shop, assert_empty, codes, said, spec_of
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from orchestra import pipeline
from orchestra.ir.program import Program
from orchestra.live.model import Live
from orchestra.pipeline import PlanOptions
from orchestra.plan.compare import compare

SECONDS = st.sampled_from(["1s", "5s", "9s"])
QUEUE = st.fixed_dictionaries(
    {
        "trigger": st.just(["manual"]),
        "duration": st.fixed_dictionaries({"max": SECONDS}),
        "poll_interval": st.sampled_from(["1m", "5m"]),
        "run": st.sampled_from([{"sql": "select 1"}, {"sql": "select :attempt"}]),
    },
    optional={
        "concurrency": st.sampled_from([{"limit": 1}, {"limit": 3}]),
        "retry": st.sampled_from([{"max_attempts": 2}, {"backoff": {"initial": "3s", "factor": 1.5}}]),
        "delay": st.sampled_from(["1s", "2m"]),
        "paused": st.booleans(),
        "summary": st.sampled_from(["it's", 'a "b" \\ $$', "größer"]),
        "retention": st.sampled_from([{"completed": "1d"}, {"failed": "7d"}]),
        "access": st.just({"enqueue": ["clerk"]}),
        "queue": st.sampled_from([{"kind": "unlogged"}, {"kind": "standard"}]),
    },
)
TABLE = st.builds(
    lambda queue, trigger: {**queue, "trigger": ["manual", {"table": trigger}]},
    QUEUE,
    st.sampled_from(
        [
            {"name": "app.orders", "on": ["insert"]},
            {"name": "app.orders", "on": ["update", "delete"], "columns": ["total"]},
            {"name": "app.sessions", "on": ["delete", "insert"], "payload": "key"},
            {"name": "app.sessions", "on": ["insert"], "payload": "new"},
        ]
    ),
)
SCHEDULE = st.builds(
    lambda schedules, seconds: {
        "trigger": [{"schedule": s} for s in schedules],
        "duration": {"max": seconds},
        "run": {"sql": "delete from app.sessions"},
    },
    st.lists(
        st.sampled_from(
            [
                {"cron": "*/15 * * * *"},
                {"cron": "30 2 * * *", "timezone": "Europe/Berlin"},
                {"cron": "0 3 * * 1", "timezone": "America/New_York", "overlap": "skip"},
                {"every": "10m"},
            ]
        ),
        min_size=1,
        max_size=2,
        unique_by=str,
    ),
    SECONDS,
)
SPECS = st.dictionaries(st.sampled_from(["a", "b", "c-d"]), st.one_of(QUEUE, TABLE, SCHEDULE), max_size=3)


def _text(workloads: dict[str, Any]) -> str:
    return yaml.safe_dump({"workloads": workloads}, allow_unicode=True)


def _program(workloads: dict[str, Any]) -> Program:
    return pipeline.compile_spec(spec_of(_text(workloads)))


def _shuffled(program: Program, seed: int) -> Program:
    resources = list(program)
    random.Random(seed).shuffle(resources)
    return Program.of(program.project, resources)


@settings(max_examples=20, deadline=None)
@given(SPECS, SPECS, st.integers(0, 99))
def test_order_does_not_matter_and_nothing_differs_from_itself(
    a: dict[str, Any], b: dict[str, Any], seed: int
) -> None:
    before, after = _program(a), _program(b)
    assert pipeline.diff(before, before) == ()
    assert pipeline.diff(before, _shuffled(before, seed)) == ()
    assert _program(dict(reversed(a.items()))) == before
    there = pipeline.diff(before, after)
    shuffled = pipeline.diff(_shuffled(before, seed), _shuffled(after, seed))
    assert sorted(map(str, there)) == sorted(map(str, shuffled))
    back = pipeline.diff(after, before)
    # As in a database, extensions are made where they are missing and never removed.
    ours, theirs = ({c.address for c in d if c.address.kind != "extension"} for d in (there, back))
    assert ours == theirs


@settings(max_examples=8, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(SPECS, SPECS, st.integers(0, 99))
def test_there_and_back_is_back(shop: Shop, a: dict[str, Any], b: dict[str, Any], seed: int) -> None:
    first, second = _text(a), _text(b)
    everything = {"allow_destroy": True}
    shop.apply(**everything)
    shop.apply(first, **everything)
    state = shop.steady_state()
    shop.apply(second, **everything)
    assert_empty(shop.plan(second))
    _compares_in_any_order(shop, a, seed)
    shop.apply(first, **everything)
    assert_empty(shop.plan(first))
    assert shop.steady_state() == state


def _compares_in_any_order(shop: Shop, workloads: dict[str, Any], seed: int) -> None:
    plan = shop.plan(_text(workloads), allow_destroy=True)
    options = PlanOptions(allow_destroy=True)
    assert codes(plan) == set()
    program = _program(workloads)
    drafts = []
    for desired in (program, _shuffled(program, seed)):
        live = _live(shop, desired)
        found, _ = compare(desired, live, options)
        drafts.append(sorted(str((str(d.address), d.action.value, d.before, d.fields)) for d in found))
    assert drafts[0] == drafts[1]
    assert len(drafts[0]) >= len([s for s in said(plan) if "project." not in s])


def _live(shop: Shop, program: Program) -> Live:
    from orchestra.live.read import read
    from orchestra.live.server import probe

    with shop.db.transaction("begin read only"):
        return read(shop.db, probe(shop.db), program.project, program)
