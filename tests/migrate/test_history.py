"""What migrations did stands in the history as what applies did, and can be gone back over."""

from __future__ import annotations

import pytest
from apply.shop import HEAD, QUEUE, SHOP, Shop, said
from engines.supabase import install_pgmq
from history.back import go_back, listed
from repo import Repo, run

from orchestra.history.model import Deployment
from orchestra.report import history_text

LONGER = SHOP.replace("duration: {max: 5s}", "duration: {max: 7s}")
RENAMED = QUEUE.replace("  import:\n", "  take-in:\n    moved: {from: import}\n")


def full(body: str) -> str:
    return HEAD.format(project="shop") + body


@pytest.fixture
def ready(shop: Shop) -> Shop:
    install_pgmq(shop.engine)
    return shop


def test_the_history_names_the_migrations(ready: Shop, repo: Repo) -> None:
    for spec in (SHOP, LONGER):
        run(ready.engine, repo.wrote(full(spec)))
    text = history_text.render(listed(ready))
    assert "0 added, 3 changed, 0 destroyed" in text
    assert "migration 20270115080001_shop_change_3_workloads" in text
    assert "no way back" not in text


@pytest.mark.parametrize("by", ["psql", "push"])
def test_one_can_go_back_over_migrations_and_applies_alike(ready: Shop, repo: Repo, by: str) -> None:
    first, second = repo.wrote(full(SHOP)), repo.wrote(full(LONGER))
    run(ready.engine, first, by=by)
    ready.apply(SHOP)
    ready.apply(SHOP.replace("5s", "9s", 1))
    ready.apply(SHOP)
    run(ready.engine, second, by=by)
    states = {
        "SHOP": ready.steady_state() if ready.apply(SHOP) else [],
        "LONGER": ready.steady_state() if ready.apply(LONGER) else [],
    }
    deployments = [e for e in listed(ready).entries if isinstance(e, Deployment)]
    assert [d.number for d in deployments] == [7, 6, 5, 4, 3, 2, 1]
    for number, name in ((1, "SHOP"), (5, "LONGER"), (2, "SHOP"), (7, "LONGER"), (4, "SHOP")):
        go_back(ready, number)
        assert ready.steady_state() == states[name], number


def test_one_can_go_back_over_a_rename_and_a_removal(ready: Shop, repo: Repo) -> None:
    for spec in (QUEUE, RENAMED, "workloads: {}\n"):
        file = repo.wrote(full(spec), "--allow-destroy") if spec.endswith("{}\n") else repo.wrote(full(spec))
        run(ready.engine, file)
    go_back(ready, 2)
    assert said(ready.plan(RENAMED)) == []
    go_back(ready, 1)
    assert said(ready.plan(QUEUE)) == []
    go_back(ready, 3)
    assert ready.run("select queue_name from pgmq.meta") == []
