"""What people do by hand in an incident, and what an apply, or a migration that is run again, then does."""

from __future__ import annotations

from pathlib import Path

import pytest
from engines import Engine

from acceptance.cases import BY_NAME, GOLDEN
from acceptance.cli import orchestra
from acceptance.live import apply, plan

SHOP = BY_NAME["minutes-only"]


@pytest.fixture
def shop(embedded: Engine) -> Engine:
    SHOP.prepare(embedded)
    apply(embedded, SHOP.spec)
    return embedded


def test_a_project_that_was_paused_by_hand_stays_paused(shop: Engine) -> None:
    shop.execute("select orchestra.pause('minutes-only')")
    found = plan(shop, SHOP.spec)
    assert [c.code for c in found.conditions] == ["paused_by_hand"]
    assert not found.changes


def test_a_project_that_was_paused_by_hand_stays_paused_when_the_compiled_sql_is_run_again(
    shop: Engine,
) -> None:
    shop.execute("select orchestra.pause('minutes-only')")
    shop.psql(SHOP.sql)
    assert [str(c.address) for c in plan(shop, SHOP.spec).changes] == []


@pytest.mark.parametrize("workload", ["check-link", "count-visits"])
def test_a_workload_that_was_paused_by_hand_stays_paused(workload: str, shop: Engine) -> None:
    shop.execute("select orchestra.pause('minutes-only', %s)", [workload])
    found = plan(shop, SHOP.spec)
    assert [c.code for c in found.conditions] == ["paused_by_hand"]
    assert not found.changes


def test_a_workload_that_was_paused_by_hand_stays_paused_when_the_compiled_sql_is_run_again(
    shop: Engine,
) -> None:
    shop.execute("select orchestra.pause('minutes-only', 'check-link')")
    shop.psql(SHOP.sql)
    assert shop.execute("select paused from orchestra.workload where name = 'check-link'") == [(True,)]


def test_a_queue_that_was_dropped_by_hand_comes_back(shop: Engine) -> None:
    shop.execute("select pgmq.drop_queue('check_link')")
    assert [str(c.address) for c in apply(shop, SHOP.spec).changes] == ["queue.check-link"]
    assert not plan(shop, SHOP.spec).changes


def test_a_job_that_was_changed_by_hand_is_changed_back(shop: Engine) -> None:
    shop.execute("select cron.alter_job(jobid, '0 0 * * *') from cron.job where jobname ~ 'tick'")
    found = apply(shop, SHOP.spec)
    assert [(str(c.address), c.reasons) for c in found.changes] == [
        ("cron_job.tick.1m", ("changed outside orchestra since the last apply: schedule",))
    ]


def test_what_compile_has_written_is_what_check_expects(tmp_path: Path) -> None:
    spec = GOLDEN / "hostile_texts.yaml"
    assert orchestra("compile", spec, "--out", tmp_path).code == 0
    assert orchestra("compile", spec, "--out", tmp_path, "--check").code == 0
