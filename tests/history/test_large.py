"""A thousand deployments are listed, shown and gone back over in a constant number of round trips."""

from __future__ import annotations

from apply.shop import QUEUE, Shop, assert_empty, said

from history.back import go_back, listed, numbers, plan_back
from orchestra import rollback
from orchestra.history.model import Deployment

LONGER = QUEUE.replace("max: 5s", "max: 6s")
# The same change there and back, a thousand times: each row as an apply writes it.
MANY = """
    insert into orchestra.deployment (project, environment, tool_version, plan_hash, changes)
    select d.project, d.environment, d.tool_version, d.plan_hash || n, d.changes
    from generate_series(1, 500) n
    cross join (select * from orchestra.deployment where id in (3, 4) order by id) d
    order by n, d.id
"""


def cost(shop: Shop, look: object) -> int:
    before = shop.db.round_trips
    look()  # type: ignore[operator]
    return shop.db.round_trips - before


def test_a_thousand_deployments(shop: Shop) -> None:
    shop.apply(QUEUE)
    shop.apply(LONGER)
    shop.apply(QUEUE)
    shop.apply(LONGER)
    looks = (
        lambda: listed(shop, limit=20),
        lambda: listed(shop, limit=20, workload="import"),
        lambda: rollback.deployment(shop.db, "shop", 2),
        lambda: plan_back(shop, 1),
    )
    few = [cost(shop, look) for look in looks]
    shop.run(MANY)
    assert [cost(shop, look) for look in looks] == few
    assert max(few[:3]) <= 5

    assert len(numbers(shop, limit=2_000)) == 1_004
    assert numbers(shop, limit=3) == [1_004, 1_003, 1_002]
    newest = listed(shop, limit=3)
    assert newest.more
    assert all(not t.row.changes for e in newest.entries if isinstance(e, Deployment) for t in e.transactions)
    assert said(go_back(shop, 1)) == ["update workload.import"]
    assert_empty(shop.plan(QUEUE))


def test_one_deployment_is_looked_up_by_its_number(shop: Shop) -> None:
    """The ledger of the project is not read through, and no other row's changes are."""
    shop.apply(QUEUE)
    shop.apply(LONGER)
    shop.apply(QUEUE)
    shop.apply(LONGER)
    shop.run(MANY)
    shop.run("vacuum analyze orchestra.deployment")
    shop.run("update orchestra.deployment set changes = '{\"form\": 2}' where id not in (2)")
    assert [str(c.address) for c in rollback.deployment(shop.db, "shop", 2).changes] == ["workload.import"]
