"""What holds for every spec."""

from __future__ import annotations

import random
from collections.abc import Iterable
from typing import Any

import pytest
import yaml
from check.specs import INCLUDES
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from orchestra.check import RULES, check
from orchestra.check.facts import gather
from orchestra.spec import parse_spec

DURATIONS = st.sampled_from(
    ["1ms", "500ms", "1s", "7s", "30s", "90s", "2m", "5m", "7m", "1h", "1d", "7d", "9999999999d"]
)
NAMES = st.sampled_from(["a", "b", "a-b", "c1", "import", "x" * 47])
QUEUES = st.sampled_from(["a", "b", "a_b", "c1", "q" * 47])
# What may stand in a spec: characters that cannot be seen are refused as such (E104).
SEEN = st.characters(
    codec="utf-8", exclude_categories=["Cc", "Cs", "Zl", "Zp"], exclude_characters="\ufeff\ufffe\uffff"
)
SQL = st.sampled_from(
    [
        "delete from app.t",
        "select * from t where a = :payload->>'x'",
        "select :paylod, $9",
        "select * form",
        "begin",
        "vacuum",
        "select 1; select 2",
        " ",
        "-- nothing",
        "call app.f()",
        "select 'é😀' <=> 'x'::citext",
        "select net.http_post('https://u:pw@example.com?k=1')",
        "select dblink('password=hunter2')",
        "update public.t set a = 1 where b",
        "\ud7ff\n\tselect\x7f",
    ]
) | st.text(SEEN, min_size=1, max_size=30)
RUN = st.fixed_dictionaries(
    {"sql": SQL},
    optional={
        "role": st.sampled_from(["postgres", "app", "Public"]),
        "search_path": st.just(["public"]),
    },
)
DURATION = st.fixed_dictionaries({"max": DURATIONS}, optional={"typical": DURATIONS, "cpu": DURATIONS})
CRON = st.sampled_from(
    ["* * * * *", "0 0 30 2 *", "10-5 * * * *", "@hourly", "0 0 13 * 5", "*/7 * * * *", "? ? ?"]
)
SCHEDULE = st.fixed_dictionaries(
    {"cron": CRON | st.text("0123456789*/-,$ @LWH#", min_size=1, max_size=20)},
    optional={
        "timezone": st.sampled_from(["Europe/Berlin", "Nowhere", "utc"]),
        "overlap": st.sampled_from(["skip", "allow", "buffer_one"]),
        "catchup_window": DURATIONS,
    },
) | st.fixed_dictionaries({"every": DURATIONS})
HTTP = st.fixed_dictionaries(
    {
        "auth": st.sampled_from(["jwt", "none", "secret"])
        | st.sampled_from(["s", "t"]).map(
            lambda s: {"hmac": {"header": "X", "secret": s, "scheme": "sha256"}}
        )
    }
)
TABLE = st.fixed_dictionaries(
    {"name": st.sampled_from(["public.t", "auth.users", "cron.job"]), "on": st.just(["insert", "update"])}
)
ONE = (
    st.just("manual")
    | SCHEDULE.map(lambda s: {"schedule": s})
    | HTTP.map(lambda h: {"http": h})
    | TABLE.map(lambda t: {"table": t})
)
STEP = st.fixed_dictionaries(
    {"duration": DURATION},
    optional={"depends_on": st.lists(NAMES, unique=True, max_size=3), "map": NAMES, "run": RUN},
)
COUNT = st.sampled_from([1, 2, 10, 1000])
WORKLOAD = st.fixed_dictionaries(
    {"trigger": ONE | st.lists(ONE, min_size=1, max_size=3), "duration": DURATION},
    optional={
        "run": RUN,
        "steps": st.dictionaries(NAMES, STEP, min_size=1, max_size=4),
        "timeout": DURATIONS,
        "visibility_timeout": DURATIONS,
        "poll_interval": DURATIONS,
        "batch_size": COUNT,
        "concurrency": st.fixed_dictionaries({"limit": COUNT}),
        "fan_out": st.fixed_dictionaries({"max": COUNT}, optional={"typical": COUNT}),
        "arrival": st.fixed_dictionaries(
            {"rate": st.sampled_from(["0/s", "1/h", "999999999/s"]), "burst": COUNT}
        ),
        "retry": st.fixed_dictionaries(
            {"max_attempts": COUNT},
            optional={"backoff": st.fixed_dictionaries({"initial": DURATIONS, "max": DURATIONS})},
        ),
        "rate_limit": st.fixed_dictionaries({"limit": COUNT, "period": DURATIONS}),
        "idempotency_key": st.fixed_dictionaries({"key": st.just("id")}, optional={"ttl": DURATIONS}),
        "alerts": st.fixed_dictionaries({"max_depth": COUNT, "max_age": DURATIONS}),
        "retention": st.fixed_dictionaries({"failed": DURATIONS}),
        "on_failure": NAMES,
        "dead_letter_queue": QUEUES,
        "queue": st.fixed_dictionaries({"name": QUEUES, "kind": st.sampled_from(["standard", "unlogged"])}),
        "access": st.just({"enqueue": ["anon", "app"]}),
        "pattern": st.sampled_from(["scheduled_sql", "wait_until", "queue"]),
        "moved": NAMES.map(lambda n: {"from": n}),
        "payload_schema": st.just("./payloads/product.json"),
    },
)
SPECS = st.fixed_dictionaries(
    {
        "version": st.just(1),
        "project": st.just("shop"),
        "workloads": st.dictionaries(NAMES, WORKLOAD, max_size=4),
    },
    optional={
        "platform": st.sampled_from([{"provider": "postgres"}, {"plan": "pro"}, {"plan": "enterprise"}]),
        "environments": st.just({"prod": {"database": {"env": "A"}}, "preview": {"database": {"env": "A"}}}),
        "secrets": st.just({"s": {"vault": "s"}}),
        "requires": st.lists(SQL.map(lambda s: {"name": "r", "check": {"sql": s}}), max_size=2),
        "composition": st.just({"after": ["shop", "r", "Not a name"], "before": ["shop", "r"]}),
        "defaults": st.fixed_dictionaries({}, optional={"timeout": DURATIONS, "poll_interval": DURATIONS}),
    },
)


def text_of(spec: Any) -> str:
    return yaml.safe_dump(spec, allow_unicode=True, sort_keys=False)


def without_place(text: str) -> list[tuple[str, str]]:
    result = parse_spec(text, includes=INCLUDES)
    assert result.spec is not None
    return sorted((d.code, d.message) for d in check(result.spec))


@settings(suppress_health_check=[HealthCheck.too_slow], deadline=None)
@given(SPECS)
def test_never_raises_and_says_each_thing_once(spec: dict[str, Any]) -> None:
    result = parse_spec(text_of(spec), includes=INCLUDES)
    assert result.spec is not None
    found = check(result.spec)
    assert len(found) == len(set(found))
    assert list(found) == sorted(found, key=lambda d: (d.span, d.code, d.message))
    for d in found:
        assert d.span.line >= 1
        assert (d.span.line, d.span.column) <= (d.span.end_line, d.span.end_column)


@settings(suppress_health_check=[HealthCheck.too_slow], deadline=None)
@given(SPECS, st.randoms(use_true_random=False))
def test_the_order_of_workloads_does_not_matter(spec: dict[str, Any], shuffle: random.Random) -> None:
    names = list(spec["workloads"])
    shuffle.shuffle(names)
    other = {**spec, "workloads": {name: spec["workloads"][name] for name in names}}
    # Which of two equals is called the second depends on where they stand, so the place is left out.
    assert [c for c, _ in without_place(text_of(spec))] == [c for c, _ in without_place(text_of(other))]


def many(count: int) -> str:
    kinds = (
        "trigger: {{schedule: {{cron: '{m} 3 * * *'}}}}, run: {{sql: 'delete from app.t where a < {n}'}}",
        "trigger: {{http: {{auth: jwt}}}}, fan_out: {{max: 100}}",
        "trigger: {{table: {{name: public.t{n}, on: [insert]}}}}",
        "trigger: manual, steps: {{a: {{duration: {{max: 1s}}}}, b: {{depends_on: [a], duration: {{max: 1s}}}}}}",
    )
    lines = (
        f"  w-{n}: {{duration: {{max: 5s}}, {kinds[n % 4].format(n=n, m=n % 60)}}}\n" for n in range(count)
    )
    return f"version: 1\nproject: shop\nworkloads:\n{''.join(lines)}"


def calls(text: str, monkeypatch: pytest.MonkeyPatch) -> int:
    """How many Python functions a check calls."""
    import sys

    result = parse_spec(text)
    assert result.spec is not None
    count = 0

    def profile(frame: object, event: str, arg: object) -> None:
        nonlocal count
        count += event == "call"

    sys.setprofile(profile)
    try:
        check(result.spec)
    finally:
        sys.setprofile(None)
    return count


def test_the_work_is_linear_in_the_number_of_workloads(monkeypatch: pytest.MonkeyPatch) -> None:
    few, lots = calls(many(500), monkeypatch), calls(many(10_000), monkeypatch)
    assert lots < few * 20 * 1.1


def test_a_statement_is_read_once_however_many_rules_look_at_it() -> None:
    from orchestra.sql import inspect

    result = parse_spec(many(200))
    assert result.spec is not None
    before = inspect.cache_info()
    check(result.spec)
    after = inspect.cache_info()
    assert after.hits + after.misses - before.hits - before.misses <= 50


def test_a_long_pipeline_is_no_deep_recursion() -> None:
    steps = "".join(
        f"      s{n}: {{duration: {{max: 1s}}, depends_on: [{f's{n - 1}' if n else ''}]}}\n"
        for n in range(999)
    )
    result = parse_spec(
        f"version: 1\nproject: shop\nworkloads:\n  w:\n    trigger: manual\n    steps:\n{steps}"
    )
    assert result.spec is not None
    assert "E202" not in {d.code for d in check(result.spec)}


def test_rules_see_the_spec_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """No clock, no environment, no disk while rules run (time zones are read once, before)."""
    import builtins
    import os
    import time

    from orchestra.check.timezones import known

    known()
    result = parse_spec(many(20))
    assert result.spec is not None
    check(result.spec)

    def forbidden(*_: object, **__: object) -> None:
        raise AssertionError("a rule left the pure room")

    for owner, name in ((builtins, "open"), (os, "getenv"), (time, "time"), (time, "monotonic")):
        monkeypatch.setattr(owner, name, forbidden)
    check(result.spec)


def test_every_rule_gets_the_same_facts() -> None:
    result = parse_spec(many(4))
    assert result.spec is not None
    facts = gather(result.spec)
    findings: Iterable[object] = [f for rule in RULES for f in rule.run(facts)]
    assert list(findings) == [f for rule in RULES for f in rule.run(facts)]
