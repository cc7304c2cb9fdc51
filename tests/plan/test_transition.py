"""The transition: one key for what happens to every database alike, which an offline diff knows beforehand."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from apply.shop import HEAD, NOTHING, QUEUE, SHOP, TABLES, Shop, spec_of
from engines import Engine

from orchestra import pipeline
from orchestra.pipeline import PlanOptions
from orchestra.plan.model import Difference
from orchestra.plan.transition import FORM
from orchestra.spec import parse_spec

LATER = SHOP.replace('"*/15 * * * *"', '"*/20 * * * *"')
NO_QUEUE = "workloads:\n" + SHOP.partition("workloads:\n")[2].partition("  send-receipts:")[0]
DRAINING = QUEUE.replace("trigger: manual", "trigger: manual\n    on_delete: drain")


def with_key(text: str, line: str) -> str:
    return text.replace("poll_interval: 1m", f"poll_interval: 1m\n    {line}")


@pytest.fixture
def second(embedded: Engine) -> Iterator[Shop]:
    """Another server, of another version, with the same tables."""
    embedded.psql(TABLES)
    made = Shop(embedded)
    yield made
    made.close()


def difference(before: str, after: str, project: str = "shop", **options: object) -> Difference:
    wanted = PlanOptions(environment="", **options)  # type: ignore[arg-type]
    return pipeline.difference(spec_of(before), spec_of(after, project), wanted, base="before")


def send(shop: Shop, queue: str, number: int) -> None:
    shop.run("select pgmq.send(%s, '{}') from generate_series(1, %s)", queue, number)


def test_it_is_the_same_on_two_servers_whatever_waits_in_their_queues(shop: Shop, second: Shop) -> None:
    shop.apply(environment="production", protect=False)
    second.apply(environment="preview", environment_paused=True)
    second.run("select cron.schedule('of somebody else', '5 4 * * *', 'select 1')")
    send(shop, "send_receipts", 3)
    send(second, "send_receipts", 1)
    second.run("select msg_id from pgmq.read('send_receipts', 60, 1)")
    for after in (NO_QUEUE, LATER, NOTHING):
        one = shop.plan(after, environment="production", protect=False)
        other = second.plan(after, environment="preview", environment_paused=True)
        assert FORM.fullmatch(one.transition)
        assert one.transition == other.transition == difference(SHOP, after).transition
    messages = [
        {h.message for c in plan.changes for h in c.hazards if h.code == "messages"}
        for plan in (shop.plan(NOTHING), second.plan(NOTHING))
    ]
    assert messages[0] != messages[1]


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (NOTHING, SHOP),
        (QUEUE, QUEUE.replace("select 1", "select 2")),
        (QUEUE, QUEUE.replace("trigger: manual", "trigger: manual\n    queue: {name: elsewhere}")),
        (
            QUEUE,
            QUEUE.replace("  import:", "  intake:").replace("manual", "manual\n    moved: {from: import}"),
        ),
        (DRAINING, NOTHING),
        (QUEUE.replace("manual", "manual\n    on_delete: archive"), NOTHING),
        (QUEUE.replace("manual", "manual\n    on_delete: retain"), NOTHING),
        (
            QUEUE.replace("manual", "manual\n    protect: true"),
            QUEUE.replace("manual", "manual\n    protect: false"),
        ),
        (with_key(QUEUE, "concurrency: {limit: 3}"), QUEUE),
        (with_key(QUEUE, "retry: {max_attempts: 9, backoff: {factor: 3}}"), QUEUE),
        (
            SHOP,
            with_key(SHOP, "dead_letter_queue: failed").replace(
                "app.orders, on: [insert, update]", "app.orders, on: [insert]"
            ),
        ),
    ],
)
def test_a_diff_knows_the_transition_and_the_changes_of_a_plan(shop: Shop, before: str, after: str) -> None:
    shop.apply(before)
    found, plan = difference(before, after), shop.plan(after)
    assert found.transition == plan.transition

    def said(changes: object) -> list[object]:
        return [
            (str(c.address), c.action, c.category, c.moved_from)
            for c in changes  # type: ignore[attr-defined]
            if c.address.kind != "extension" and str(c.address) != "project.shop"
        ]

    assert said(found.changes) == said(plan.changes)
    certain = {"delete", "unprotect", "table_lock", "unlogged"}
    hazards = [
        {(str(c.address), h.code, h.approval) for c in changes for h in c.hazards if h.code in certain}
        for changes in (found.changes, plan.changes)
    ]
    assert hazards[0] == hazards[1]


def test_a_moved_project_has_one_transition_too(shop: Shop) -> None:
    shop.apply(QUEUE)
    moved = "moved: {from: shop}\n" + QUEUE
    found = difference(QUEUE, moved, "store")
    plan = shop.plan(moved, "store")
    assert found.transition == plan.transition
    assert {str(c.moved_from) for c in found.changes if c.moved_from} >= {"project.shop"}


def test_what_drains_has_one_key_whether_or_not_messages_wait(shop: Shop) -> None:
    shop.apply(DRAINING)
    empty = shop.plan(NOTHING)
    send(shop, "import", 2)
    waiting = shop.plan(NOTHING)
    assert [str(c.address) for c in empty.changes] != [str(c.address) for c in waiting.changes]
    assert empty.transition == waiting.transition == difference(DRAINING, NOTHING).transition


OTHERS = [
    QUEUE.replace("max: 5s", "max: 6s"),
    QUEUE.replace("select 1", "select 2"),
    QUEUE.replace("poll_interval: 1m", "poll_interval: 2m"),
    QUEUE.replace("  import:", "  export:"),
    with_key(QUEUE, "summary: Said otherwise"),
    with_key(QUEUE, "queue: {kind: unlogged}"),
    with_key(QUEUE, "access: {enqueue: [clerk]}"),
    QUEUE + "  more: {trigger: manual, duration: {max: 5s}, run: {sql: select 1}}\n",
]


def test_it_is_another_where_any_value_is_another() -> None:
    """Of what is removed, of what is made, and of what it was before it changed."""
    removed = [difference(text, NOTHING).transition for text in [QUEUE, *OTHERS]]
    made = [difference(NOTHING, text).transition for text in [QUEUE, *OTHERS]]
    changed = [difference(QUEUE, text).transition for text in OTHERS]
    assert len({*removed, *made, *changed}) == len([*removed, *made, *changed])
    policies = ["drop", "archive", "retain", "drain"]
    assert len({difference(QUEUE, NOTHING, on_delete=policy).transition for policy in policies}) == 4
    assert difference(QUEUE, QUEUE).transition == ""


def test_another_project_has_other_transitions() -> None:
    keys = {
        pipeline.difference(spec_of(QUEUE, name), spec_of(NOTHING, name), PlanOptions(), base="").transition
        for name in ("shop", "store")
    }
    assert len(keys) == 2


def test_another_project_beside_the_first_is_what_a_plan_says_it_is(shop: Shop) -> None:
    shop.apply(QUEUE)
    renamed = QUEUE.replace("  import:", "  other:")
    found, plan = difference(QUEUE, renamed, "store"), shop.plan(renamed, "store")
    assert found.transition == plan.transition
    blocked = difference(QUEUE, QUEUE, "store"), shop.plan(QUEUE, "store")
    assert [[b.code for b in p.blockers] for p in blocked] == [["other_project"], ["other_project"]]


def test_drift_is_another_transition(shop: Shop) -> None:
    shop.apply(QUEUE)
    expected = difference(QUEUE, NOTHING).transition
    shop.run("update orchestra.workload set concurrency = 7")
    assert shop.plan(NOTHING).transition != expected


def test_a_pause_by_hand_before_a_removal_is_not(shop: Shop) -> None:
    shop.apply(QUEUE)
    expected = difference(QUEUE, NOTHING).transition
    shop.run("select orchestra.pause('shop', 'import')")
    assert shop.plan(NOTHING).transition == expected


def test_a_runtime_that_is_newer_is_not(shop: Shop) -> None:
    shop.apply(QUEUE)
    shop.run("drop function orchestra.pause(text, text)")
    plan = shop.plan(NOTHING)
    assert "runtime.orchestra" in {str(c.address) for c in plan.changes}
    assert plan.transition == difference(QUEUE, NOTHING).transition


def test_the_environments_of_a_spec_are_no_part_of_it(shop: Shop) -> None:
    head = HEAD.format(project="shop")
    assert head
    shop.apply(QUEUE, environment="default", protect=True)
    plan = shop.plan(QUEUE, environment="default", protect=False)
    assert [str(c.address) for c in plan.changes] == ["project.shop"]
    assert plan.transition == ""


EDGE = """\
version: 1
project: shop
platform: {provider: supabase, plan: pro}
workloads:
  relay: {trigger: {http: {auth: secret}}, duration: {typical: 2s, max: 10s}}
  bulk:
    trigger: {http: {auth: jwt}}
    duration: {typical: 400ms, max: 20s, cpu: 7ms}
    fan_out: {typical: 2000, max: 50000}
    batch_size: 50
    concurrency: {limit: 4, per_worker: 5}
    retry: {max_attempts: 7, backoff: {factor: 1.5, max: 20m}}
    rate_limit: {limit: 100, period: 1m}
    idempotency_key: {key: sku, ttl: 1h}
    retention: {completed: 7d, failed: 30d}
    alerts: {max_depth: 1000, max_age: 30m}
    payload_schema: ./product.json
    access: {enqueue: [clerk], progress: [clerk]}
    dead_letter_queue: bulk_failed
  embed:
    trigger: {table: {name: app.orders, on: [insert, update], columns: [total]}}
    duration: {typical: 900ms, max: 30s}
    debounce: {period: 5s, key: key.id}
  report:
    trigger: {schedule: {cron: "0 3 * * *", timezone: Europe/Berlin, overlap: skip}}
    steps:
      collect: {duration: {max: 60s}}
      render: {depends_on: [collect], map: collect, duration: {max: 90s}}
"""


def test_functions_pipelines_and_all_their_keys_are_removed_by_one_key_too(second: Shop) -> None:
    """Everything that a database holds of them is read back as the spec has it."""
    schema = {"./product.json": '{"type": "object", "required": ["sku"], "maxProperties": 9}'}
    made = parse_spec(EDGE, includes=schema)
    assert made.spec is not None
    assert made.ok, made.diagnostics
    plan = pipeline.plan(second.db, made.spec, PlanOptions())
    assert plan.blockers == (), plan.blockers
    second.apply_plan(plan)
    empty = parse_spec(EDGE.partition("workloads:")[0] + "workloads: {}\n").spec
    assert empty is not None
    options = PlanOptions(environment="default")
    expected = pipeline.difference(made.spec, empty, options, base="").transition
    assert pipeline.plan(second.db, empty, options).transition == expected
