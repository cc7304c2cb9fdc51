"""A plan waits for the server a constant number of times, however long the spec is."""

from __future__ import annotations

from apply.shop import Shop, assert_empty

KINDS = """\
  queue-{n}:
    trigger: [manual, {{table: {{name: app.orders, on: [insert]}}}}]
    duration: {{max: 5s}}
    poll_interval: 1m
    access: {{enqueue: [clerk]}}
    run: {{sql: "insert into app.receipts values ({n})"}}
  schedule-{n}:
    trigger: {{schedule: {{cron: "30 2 * * *", timezone: Europe/Berlin}}}}
    duration: {{max: 5s}}
    run: {{sql: "delete from app.sessions"}}
"""


def _spec(number: int) -> str:
    return "workloads:\n" + "".join(KINDS.format(n=n) for n in range(number))


def test_round_trips_do_not_grow_with_the_spec(shop: Shop) -> None:
    small, large = _spec(5), _spec(100)
    first = {n: shop.plan(spec).round_trips for n, spec in ((5, small), (100, large))}
    assert first[5] == first[100]

    shop.apply(small)
    applied_small = shop.plan(small)
    changed_small = shop.plan(small.replace("{max: 5s}", "{max: 6s}").replace("30 2", "30 3"))
    gone_small = shop.destroy_plan(allow_destroy=True)
    shop.apply(large)
    applied_large = shop.plan(large)
    changed_large = shop.plan(large.replace("{max: 5s}", "{max: 6s}").replace("30 2", "30 3"))
    gone_large = shop.destroy_plan(allow_destroy=True)
    assert_empty(applied_large)
    assert len(changed_large.changes) > 200

    assert applied_small.round_trips == applied_large.round_trips
    assert changed_small.round_trips == changed_large.round_trips
    assert gone_small.round_trips == gone_large.round_trips
    assert max(changed_large.round_trips, applied_large.round_trips, first[100]) <= 24
