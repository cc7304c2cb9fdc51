"""A newer orchestra writes the upgrade of the runtime as the next migration, and reads older locks."""

from __future__ import annotations

import json

from apply.shop import HEAD, QUEUE, Shop, said
from plan.test_runtime import version_1
from repo import Repo, run

from orchestra import runtime
from orchestra.ir.program import Address
from orchestra.kinds import BY_NAME
from orchestra.migrate.lock import state_hash

FIRST = HEAD.format(project="shop") + QUEUE


def older(repo: Repo) -> None:
    """Makes the lock what an orchestra with version 1 of the runtime has written."""
    document = json.loads(repo.lock.read_text())
    document["resources"]["runtime.orchestra"] = {"version": 1, "fingerprint": "of then"}
    # A field that this orchestra does not know any more.
    document["resources"]["workload.import"]["gone_since"] = True
    addresses = {Address.parse(text): values for text, values in document["resources"].items()}
    resources = [BY_NAME[a.kind].resource.of(a.name, values) for a, values in addresses.items()]
    document["migrations"][0]["state"] = state_hash(resources)
    repo.lock.write_text(json.dumps(document))


def test_the_upgrade_of_the_runtime_is_a_migration(shop: Shop, repo: Repo) -> None:
    repo.wrote(FIRST)
    older(repo)
    version_1(shop, QUEUE)
    shop.run("select orchestra.send('import', '{}')")
    upgrade = repo.wrote(FIRST)
    assert upgrade.name == "20270115080001_shop_runtime.sql"
    run(shop.engine, upgrade)
    assert shop.one("select version from orchestra.version") == runtime.VERSION
    assert shop.one("select count(*) from pgmq.q_import") == 1
    assert said(shop.plan(QUEUE)) == []
    run(shop.engine, upgrade, by="push")
    assert said(shop.plan(QUEUE)) == []
    (changes,) = shop.run(
        "select changes -> 'changes' from orchestra.deployment where plan_hash like 'migration:%'"
    )[0]
    assert [c["address"] for c in changes] == ["runtime.orchestra"]


def test_an_older_runtime_does_not_come_back_with_an_earlier_migration(shop: Shop, repo: Repo) -> None:
    first = repo.wrote(FIRST)
    older(repo)
    version_1(shop, QUEUE)
    run(shop.engine, repo.wrote(FIRST))
    before = shop.state()
    output = shop.engine.psql(first, options=["--single-transaction"], check=False)
    assert "brings an older runtime than a later migration, which has run here" in output
    assert shop.state() == before
