"""Two hundred databases in one go, on one server, a few of them failing.

pg_cron works in one database of a server only, so this runs with the stand-ins of the embedded engine: there, every
database says that it is that one.
"""

from __future__ import annotations

import psycopg
import pytest
from fleet_world import Fleet

from orchestra.apply.lock import KEY

NAMES = [f"n{n:03}" for n in range(200)]


@pytest.fixture
def many(fleet: Fleet) -> Fleet:
    fleet.make(NAMES)
    return fleet


def test_two_hundred_databases_of_which_a_few_fail(many: Fleet) -> None:
    many.urls["n010"] = many.engine.url(database="nowhere")
    many.urls["n150"] = "postgresql://app:s3cret-of-n150@127.0.0.1:9/n150"
    for name in ("n020", "n021"):
        many.do(name, "drop table app.products")
    many.do("n030", "select orchestra.register_project('shop', 'production', 'open')")
    many.do("n040", "select pgmq.create('bulk_import')")
    with psycopg.connect(many.engine.url(database="n199")) as holder:
        holder.execute("select pg_advisory_xact_lock(%s)", [KEY])
        ended = many.apply()
    bad = {
        **dict.fromkeys(["n010", "n020", "n021", "n150"], "failed"),
        **dict.fromkeys(["n030", "n040"], "blocked"),
        "n199": "locked",
    }
    assert ended.outcomes == {f"tenant-{n}": bad.get(n, "done") for n in NAMES}
    assert ended.code == 1
    assert "s3cret" not in ended.out + ended.err
    # The same plan is there once; others are apart.
    sizes = [len(group["environments"]) for group in ended.document["plans"]]
    assert sizes == [194, 2, 1, 1]
    for name in set(NAMES) - {"n010", "n030", "n040", "n150"}:
        assert many.has_shop(name) is (name not in bad), name
    assert many.rows("n030", "select environment from orchestra.project where project = 'shop'") == [
        ("production",)
    ]
    assert many.rows("n040", "select count(*) from orchestra.deployment where project = 'shop'") == [(0,)]

    # What failed is mended, and one more run brings all to the same state.
    many.urls |= {"n010": many.engine.url(database="n010"), "n150": many.engine.url(database="n150")}
    for name in ("n020", "n021"):
        many.do(name, "create table app.products (body jsonb)")
    many.do("n030", "delete from orchestra.project where project = 'shop'")
    many.do("n040", "select pgmq.drop_queue('bulk_import')")
    again = many.apply()
    assert again.code == 0
    assert again.outcomes == {f"tenant-{n}": "done" if n in bad else "no_changes" for n in NAMES}
    assert all(many.has_shop(name) for name in NAMES)
