"""Data becomes frozen values with every default filled in."""

from __future__ import annotations

from orchestra.spec.model import (
    Backoff,
    Concurrency,
    Durations,
    EdgeHandler,
    Hmac,
    HttpTrigger,
    ManualTrigger,
    QueueOptions,
    Retention,
    Retry,
    ScheduleTrigger,
    SqlHandler,
    TableTrigger,
)  # fmt: skip
from spec.helpers import TOP, spec_of, the, workload

PLAIN = "trigger: manual\nduration: {max: 20s}\n"


def test_what_is_not_written_has_its_default() -> None:
    one = workload(PLAIN)
    assert one.durations == Durations(20_000, None, 5)
    assert one.timeout_ms == 20_000
    assert one.visibility_timeout_ms == 50_000
    assert one.retry == Retry(5, Backoff(5_000, 2.0, 900_000, "full"))
    assert one.concurrency == Concurrency(1, 10)
    assert one.poll_interval_ms == 5_000
    assert one.batch_size == 10
    assert one.handler == EdgeHandler()
    assert one.queue == QueueOptions("work", "standard")
    assert one.protect is None
    assert one.written == {"trigger", "duration", "duration.max"}


def test_the_lease_follows_the_timeout_that_is_written() -> None:
    assert workload(PLAIN + "timeout: 1m").visibility_timeout_ms == 90_000
    assert workload(PLAIN + "timeout: 1m\nvisibility_timeout: 2m").visibility_timeout_ms == 120_000


def test_durations_and_rates_become_numbers() -> None:
    one = workload(
        PLAIN
        + "delay: 250ms\nlinger: 0s\nalerts: {max_age: 2h}\narrival: {rate: 90/m}\nretention: {failed: 7d}"
    )
    assert (one.delay_ms, one.linger_ms, one.alerts.max_age_ms) == (250, 0, 7_200_000)
    assert one.arrival.rate == 1.5
    assert one.retention == Retention(None, 604_800_000)


def test_defaults_are_merged_key_by_key() -> None:
    defaults = """
defaults:
  retry: {max_attempts: 7, backoff: {initial: 1s, max: 1m}}
  concurrency: {limit: 8}
  timeout: 40s
  visibility_timeout: 3m
  poll_interval: 1m
  batch_size: 3
  linger: 2s
  retention: {completed: 1h}
  run: {role: app, search_path: [app]}
"""
    one = workload(
        PLAIN + "retry: {backoff: {initial: 2s}}\nretention: {failed: 1d}\nrun: {sql: select 1}",
        TOP + defaults,
    )
    assert one.retry == Retry(7, Backoff(2_000, 2.0, 60_000, "full"))
    assert one.concurrency == Concurrency(8, 10)
    assert (one.timeout_ms, one.visibility_timeout_ms, one.poll_interval_ms) == (40_000, 180_000, 60_000)
    assert (one.batch_size, one.linger_ms) == (3, 2_000)
    assert one.retention == Retention(3_600_000, 86_400_000)
    assert one.handler == SqlHandler("select 1", "app", ("app",))
    assert "retry.max_attempts" not in one.written
    assert "retry.backoff.initial" in one.written


def test_an_empty_search_path_overrides_the_default() -> None:
    defaults = "defaults: {run: {search_path: [app]}}\n"
    one = workload(PLAIN + "run: {sql: select 1, search_path: []}", TOP + defaults)
    assert one.handler == SqlHandler("select 1")


def test_triggers_may_be_one_or_several() -> None:
    one = workload(
        """
duration: {max: 5s}
trigger:
  - manual
  - manual: {}
  - http: {auth: jwt}
  - http: {auth: {hmac: {header: X-Sig, secret: hook, scheme: github}}}
  - schedule: {every: 90s, catchup_window: 1h}
  - schedule: {cron: "0 3 * * *", timezone: Europe/Berlin, overlap: buffer_one}
  - table: {name: public.Documents, on: [insert, delete]}
  - table: {name: [public, "Order Lines"], on: [update], columns: [a, b], payload: new}
"""
    )
    assert one.triggers == (
        ManualTrigger("trigger.0"),
        ManualTrigger("trigger.1.manual"),
        HttpTrigger("jwt", "trigger.2.http"),
        HttpTrigger(Hmac("X-Sig", "hook", "github"), "trigger.3.http"),
        ScheduleTrigger(None, 90_000, None, "skip", 3_600_000, "trigger.4.schedule"),
        ScheduleTrigger("0 3 * * *", None, "Europe/Berlin", "buffer_one", None, "trigger.5.schedule"),
        TableTrigger("public", "Documents", ("insert", "delete"), (), "key", "trigger.6.table"),
        TableTrigger("public", "Order Lines", ("update",), ("a", "b"), "new", "trigger.7.table"),
    )
    assert one.at("trigger.4.schedule.every").line == 11
    assert "trigger.4.schedule.every" in one.written


def test_a_pipeline_lasts_as_long_as_its_longest_step() -> None:
    one = workload(
        "trigger: manual\nsteps:\n  a: {duration: {max: 60s, typical: 1s}}\n"
        "  b: {depends_on: [a], map: a, duration: {max: 90s, cpu: 40ms}, run: {sql: select 1}}"
    )
    assert one.durations == Durations(90_000, None, 40)
    assert (one.timeout_ms, one.visibility_timeout_ms) == (90_000, 120_000)
    assert [s.name for s in one.steps] == ["a", "b"]
    assert one.steps[1].depends_on == ("a",)
    assert one.steps[1].map == "a"
    assert one.steps[1].handler == SqlHandler("select 1")


def test_all_the_other_keys_arrive() -> None:
    one = workload(
        PLAIN
        + """
idempotency_key: {key: order.id}
rate_limit: {limit: 5, period: 1m, key: customer, on_excess: drop}
debounce: {period: 10s, key: id}
dead_letter_queue: failed
on_failure: notify
pattern: queue
paused: true
protect: false
access: {enqueue: [authenticated]}
queue: {name: q1, kind: unlogged}
moved: {from: old-name}
fan_out: {typical: 5, max: 10}
"""
    )
    assert (one.idempotency_key and one.idempotency_key.ttl_ms) == 86_400_000
    assert one.rate_limit is not None
    assert (one.rate_limit.period_ms, one.rate_limit.on_excess) == (60_000, "drop")
    assert (one.debounce and one.debounce.key) == "id"
    assert (one.dead_letter_queue, one.on_failure, one.pattern) == ("failed", "notify", "queue")
    assert (one.paused, one.protect, one.access.enqueue) == (True, False, ("authenticated",))
    assert (one.queue, one.moved) == (QueueOptions("q1", "unlogged"), "old-name")
    assert (one.fan_out and one.fan_out.max) == 10


def test_the_sections_beside_the_workloads_arrive() -> None:
    spec = spec_of(
        TOP
        + """
platform: {provider: postgres}
environments:
  prod: {database: {env: URL}, protect: true, approvals: required}
  dev: {paused: true}
  t: {databases: {env: URLS}}
requires:
  - {name: orders, check: {relation: public.orders}}
  - {extension: pgmq, version: ">=1.4.4"}
composition: {stage: s, priority: high, after: [a], before: [b]}
secrets: {key: {vault: the_key}}
moved: {from: old-shop}
"""
    )
    assert spec.platform.provider == "postgres"
    assert [(e.name, e.database_env, e.protect, e.paused, e.databases_env) for e in spec.environments] == [
        ("dev", None, None, True, None),
        ("prod", "URL", True, False, None),
        ("t", None, None, False, "URLS"),
    ]
    assert [(r.name, r.relation, r.extension, r.version) for r in spec.requires] == [
        ("orders", "public.orders", None, None),
        ("pgmq", None, "pgmq", ">=1.4.4"),
    ]
    assert [e.name for e in spec.environments if e.approvals_required] == ["prod"]
    assert spec.requires[1].source.at("version").line == 11
    assert (spec.composition.after, spec.composition.before) == (("a",), ("b",))
    assert (spec.secrets[0].vault, spec.moved) == ("the_key", "old-shop")


def test_workloads_stand_in_the_order_of_their_names() -> None:
    spec = spec_of(
        TOP + "workloads:\n" + "".join(f"  {n}: {{trigger: manual, duration: {{max: 5s}}}}\n" for n in "cab")
    )
    assert [w.name for w in spec.workloads] == ["a", "b", "c"]


def test_names_that_are_too_long_together_are_found() -> None:
    project, name = "p" * 30, "w" * 23
    text = (
        f"version: 1\nproject: {project}\nworkloads:\n  {name}: {{trigger: manual, duration: {{max: 5s}}}}\n"
    )
    assert the(text).code == "E132"
    spec_of(text.replace(name, name[:-1]))
