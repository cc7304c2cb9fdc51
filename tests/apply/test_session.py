"""Behind a transaction pooler the connection is somebody else's next: nothing may stay on it."""

from __future__ import annotations

import pytest

from apply.shop import SHOP, Shop, assert_empty
from orchestra import pipeline
from orchestra.errors import ApplyError
from orchestra.live.connect import Database

# Everything that a session can carry from one transaction into the next.
TRACES = """
    select 'setting ' || name || ' ' || setting as trace from pg_settings
      where source = 'session' or name in ('role', 'search_path', 'statement_timeout', 'lock_timeout', 'jit')
    union all select 'prepared ' || name from pg_prepared_statements
    union all select 'cursor ' || name from pg_cursors
    union all select 'channel ' || c from pg_listening_channels() c
    union all select 'lock ' || locktype || ' ' || mode from pg_locks
      where pid = pg_backend_pid() and locktype = 'advisory'
    union all select 'temporary ' || relname from pg_class where relnamespace = pg_my_temp_schema()
    order by 1
"""


def _traces(database: Database) -> list[str]:
    return [r["trace"] for r in database.rows(TRACES)]


def test_plan_apply_and_destroy_leave_no_trace_on_their_connection(shop: Shop) -> None:
    before = _traces(shop.db)
    shop.apply()
    shop.apply(SHOP.replace("5s", "6s"))
    assert_empty(shop.plan(SHOP.replace("5s", "6s")))
    shop.destroy()
    assert _traces(shop.db) == before


def test_a_failure_leaves_no_trace_either(shop: Shop) -> None:
    before = _traces(shop.db)
    plan = shop.plan()
    shop.run("drop table app.orders")
    with pytest.raises(ApplyError):
        shop.apply_plan(plan)
    assert _traces(shop.db) == before
    assert shop.db.connection.info.transaction_status.name == "IDLE"


def test_each_transaction_may_run_on_another_backend(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    """What a transaction pooler does: a new backend for every transaction."""
    script = Database.script

    def pooled(self: Database, sql: str) -> None:
        if sql.startswith("begin"):
            self.connection.close()
            self.connection = shop.another().connection
        script(self, sql)

    monkeypatch.setattr(Database, "script", pooled)
    shop.apply()
    assert_empty(shop.plan())
    shop.destroy()
    assert pipeline.destroy_plan(shop.db, "shop", pipeline.PlanOptions()).is_empty
