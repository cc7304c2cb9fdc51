"""Renames keep what is in a queue and what was paused; removals go the way that the spec says; by migration as by
apply."""

from __future__ import annotations

import psycopg
import pytest
from acceptance.live import rows
from apply.shop import HEAD, QUEUE, SHOP, TABLES, Shop, codes, said
from engines.engine import PsqlError
from engines.supabase import install_pgmq
from repo import Repo, run

FORMER = """\
workloads:
  import:
    trigger:
      - manual
      - {table: {name: app.orders, on: [insert]}}
      - {schedule: {cron: "0 3 * * *"}}
      - {schedule: {every: 1h}}
    duration: {max: 5s}
    poll_interval: 1m
    concurrency: {limit: 2}
    dead_letter_queue: lost
    access: {enqueue: [clerk], progress: [clerk]}
    run: {sql: "select 1"}
"""
RENAMED = FORMER.replace("  import:\n", "  take-in:\n    moved: {from: import}\n")
STEP = "select queue_name::text from pgmq.meta order by 1"


def full(body: str, project: str = "shop") -> str:
    return HEAD.format(project=project) + body


@pytest.fixture
def ready(shop: Shop) -> Shop:
    install_pgmq(shop.engine)
    return shop


def left(shop: Shop, body: str, project: str = "shop") -> list[str]:
    """What a plan still finds to do: the gate and the environment of what migrations have built, or nothing."""
    return said(shop.plan(body, project))


@pytest.mark.parametrize(
    "after",
    [
        RENAMED,
        RENAMED.replace("5s", "6s").replace("0 3", "0 4"),
        RENAMED.replace("    access: {enqueue: [clerk], progress: [clerk]}\n", ""),
        RENAMED.replace("limit: 2", "limit: 1").replace("    dead_letter_queue: lost\n", ""),
        RENAMED.replace("      - {schedule: {every: 1h}}\n", ""),
        RENAMED.replace("    run:", "    queue: {name: import}\n    run:"),
        RENAMED.replace("    run:", "    retry: {max_attempts: 2}\n    run:"),
    ],
    ids=[
        "alone",
        "changed",
        "without access",
        "with less",
        "a schedule less",
        "its queue keeps its name",
        "fewer attempts",
    ],
)
def test_a_rename_keeps_messages_and_pauses_and_runs_twice(ready: Shop, repo: Repo, after: str) -> None:
    first = repo.wrote(full(FORMER))
    second = repo.wrote(full(after), "--allow-destroy")
    assert second.name == "20270115080001_shop_rename_take_in.sql"
    run(ready.engine, first)
    ready.run("select orchestra.send('import', '{\"n\": 1}') from generate_series(1, 3)")
    ready.run("select orchestra.pause('shop', 'import')")
    ready.run(
        "select cron.alter_job(jobid, active := false) from cron.job where jobname = 'orchestra:shop:import'"
    )
    messages = ready.run("select msg_id, read_ct, enqueued_at, message from pgmq.q_import order by 1")
    for by in ("psql", "push"):
        run(ready.engine, second, by=by)
        queue = "import" if "{name: import}" in after else "take_in"
        assert (
            ready.run(f"select msg_id, read_ct, enqueued_at, message from pgmq.q_{queue} order by 1")
            == messages
        )
        assert ready.run("select name, paused from orchestra.workload") == [("take-in", True)]
        assert ready.run("select active from cron.job where jobname = 'orchestra:shop:take-in'") == [(False,)]
        assert ready.one("select count(*) from cron.job where jobname like '%:import%'") == 0
        assert left(ready, after) == ["update project.shop"]
    migrated = rows(ready.engine)

    ready.close()
    ready.engine.reset()
    ready.engine.psql(TABLES)
    ready.apply(FORMER)
    ready.run("select orchestra.pause('shop', 'import')")
    ready.run(
        "select cron.alter_job(jobid, active := false) from cron.job where jobname = 'orchestra:shop:import'"
    )
    ready.apply(after, allow_destroy=True)
    assert rows(ready.engine) == migrated


def test_a_part_of_what_is_protected_does_not_go_with_its_rename(ready: Shop, repo: Repo) -> None:
    guarded = FORMER.replace("    run:", "    protect: true\n    run:")
    after = RENAMED.replace("    access: {enqueue: [clerk], progress: [clerk]}\n", "")
    repo.wrote(full(guarded))
    assert repo.migrate(full(after), "--allow-destroy").exit_code == 5
    ready.apply(guarded)
    assert codes(ready.plan(after, allow_destroy=True)) == {"protected"}


def test_a_rename_that_was_applied_directly_is_left_as_it_is(ready: Shop, repo: Repo) -> None:
    first, second = repo.wrote(full(FORMER)), repo.wrote(full(RENAMED))
    run(ready.engine, first)
    ready.apply(RENAMED)
    before = ready.steady_state()
    run(ready.engine, second)
    assert ready.steady_state() == before


def test_a_rename_of_what_was_renamed_and_is_there_again_is_refused(ready: Shop, repo: Repo) -> None:
    first, second = repo.wrote(full(FORMER)), repo.wrote(full(RENAMED))
    run(ready.engine, first)
    ready.run(
        "insert into orchestra.registry (project, address, kind, name, applied) "
        "values ('shop', 'workload.take-in', 'workload', 'take-in', '{}')"
    )
    before = ready.state()
    with pytest.raises(PsqlError, match=r"workload\.take-in"):
        run(ready.engine, second)
    assert ready.state() == before


def test_a_queue_of_another_name_keeps_its_messages(ready: Shop, repo: Repo) -> None:
    after = QUEUE.replace("    run:", "    queue: {name: imports}\n    retry: {max_attempts: 2}\n    run:")
    first, second = repo.wrote(full(QUEUE)), repo.wrote(full(after))
    run(ready.engine, first)
    ready.run("select pgmq.send('import', '{}')")
    ready.run("update pgmq.q_import set read_ct = 2")
    with pytest.raises(
        PsqlError, match=r"queue imports holds messages \(1\) that have had 2 attempts or more"
    ):
        run(ready.engine, second)
    ready.run("update pgmq.q_import set read_ct = 1")
    for _ in range(2):
        run(ready.engine, second)
        assert ready.run("select msg_id, read_ct from pgmq.q_imports") == [(1, 1)]
    assert ready.run(STEP) == [("imports",)]
    assert left(ready, after) == ["update project.shop"]


def test_a_project_of_another_name_takes_all_that_is_its_own(ready: Shop, repo: Repo) -> None:
    first = repo.wrote(full(SHOP))
    renamed = full(SHOP, "store").replace("project: store\n", "project: store\nmoved: {from: shop}\n")
    second = repo.wrote(renamed)
    assert repo.lock.name == "orchestra.store.lock.json"
    assert repo.migrate(None, "--check").exit_code == 0
    third = repo.wrote(full(SHOP, "store").replace("5s", "6s"))
    run(ready.engine, first)
    ready.run("select orchestra.send('send-receipts', '{}')")
    for _ in range(2):
        run(ready.engine, second)
    run(ready.engine, third, by="push")
    run(ready.engine, third)
    assert ready.run("select project from orchestra.project") == [("store",)]
    assert ready.one("select count(*) from pgmq.q_send_receipts") == 1
    assert ready.one("select count(*) from cron.job where jobname like 'orchestra:shop:%'") == 0
    assert left(ready, SHOP.replace("5s", "6s"), "store") == ["update project.store"]
    assert ready.run("select distinct project from orchestra.deployment") == [("store",)]
    with pytest.raises(PsqlError):
        run(ready.engine, first)


@pytest.mark.parametrize("said_in", ["spec", "flag"])
@pytest.mark.parametrize("policy", ["archive", "drain", "retain", "drop"])
def test_a_removal_goes_the_way_that_was_said(ready: Shop, repo: Repo, policy: str, said_in: str) -> None:
    body = QUEUE if said_in == "flag" else QUEUE.replace("    run:", f"    on_delete: {policy}\n    run:")
    first = repo.wrote(full(body))
    flags = ["--on-delete", policy] if said_in == "flag" else []
    second = repo.wrote(full("workloads: {}\n"), "--allow-destroy", *flags)
    run(ready.engine, first)
    ready.run("select pgmq.send('import', '{\"n\": 7}')")
    if policy in ("drain", "drop"):
        before = ready.state()
        with pytest.raises(PsqlError, match="queue import holds messages"):
            run(ready.engine, second)
        with pytest.raises(psycopg.Error):
            run(ready.engine, second, by="push")
        assert ready.state() == before
        ready.run("delete from pgmq.q_import")
    for by in ("push", "psql"):
        run(ready.engine, second, by=by)
    assert ready.run(STEP) == ([("import",)] if policy == "retain" else [])
    assert ready.run("select payload from orchestra.archive") == (
        [({"n": 7},)] if policy == "archive" else []
    )
    assert left(ready, "workloads: {}\n") == ["update project.shop"]


def test_a_policy_of_nothing_is_refused(repo: Repo) -> None:
    repo.wrote(full(QUEUE))
    assert repo.migrate(full(QUEUE.replace("5s", "6s")), "--on-delete", "drain").exit_code == 64
