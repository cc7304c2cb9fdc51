"""A migration meets a database that is in another state than it was written for: it converges, or refuses and changes
nothing."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import psycopg
import pytest
from apply.shop import HEAD, QUEUE, SHOP, Shop, said
from engines.engine import PsqlError
from engines.supabase import install_pgmq
from repo import Repo, run

LONGER = SHOP.replace("duration: {max: 5s}", "duration: {max: 7s}")
NO_PURGE = SHOP.replace(SHOP[SHOP.index("  purge-sessions:") : SHOP.index("  nightly:")], "")
JOB = "orchestra:shop:purge-sessions"


def full(body: str, project: str = "shop") -> str:
    return HEAD.format(project=project) + body


@pytest.fixture
def ready(shop: Shop) -> Shop:
    install_pgmq(shop.engine)
    return shop


def wrote(repo: Repo, *bodies: str) -> list[Path]:
    return [
        repo.wrote(full(body), "--allow-destroy") if n else repo.wrote(full(body))
        for n, body in enumerate(bodies)
    ]


def refused(shop: Shop, file: Path, *words: str) -> None:
    """It says these words, and nothing is other than before, however it is run."""
    before = shop.state()
    with pytest.raises(PsqlError) as stopped:
        run(shop.engine, file)
    with pytest.raises(psycopg.Error):
        run(shop.engine, file, by="push")
    for word in words:
        assert word in str(stopped.value)
    assert shop.state() == before


def ledger(shop: Shop) -> list[tuple[str, int]]:
    return shop.run(
        "select plan_hash, jsonb_array_length(changes -> 'changes') from orchestra.deployment "
        "where plan_hash like 'migration:%' order by id"
    )


def test_each_runs_twice_and_the_ledger_tells_it_once(ready: Shop, repo: Repo) -> None:
    for file in wrote(repo, SHOP, LONGER, NO_PURGE):
        run(ready.engine, file)
        before = ready.state()
        run(ready.engine, file, by="push")
        assert ready.state() == before
    assert [n for _, n in ledger(ready)] == [16, 3, 4]


def test_the_whole_of_it_runs_again_from_the_first_as_long_as_nothing_was_changed_back(
    ready: Shop, repo: Repo
) -> None:
    first, second = wrote(repo, SHOP, LONGER)
    run(ready.engine, first)
    run(ready.engine, second)
    refused(ready, first, "not in the state", "workload.nightly (already there, and different)")


def test_one_that_was_left_out_is_missed(ready: Shop, repo: Repo) -> None:
    first, _, third = wrote(repo, SHOP, LONGER, SHOP.replace("duration: {max: 5s}", "duration: {max: 8s}"))
    run(ready.engine, first)
    refused(ready, third, "not in the state", "workload.purge-sessions (different)")


def test_the_first_cannot_be_left_out(ready: Shop, repo: Repo) -> None:
    _, second = wrote(repo, SHOP, LONGER)
    refused(ready, second, "goes on from earlier ones, and this database has run none")


def test_what_was_applied_directly_already_is_left_as_it_is(ready: Shop, repo: Repo) -> None:
    first, second = wrote(repo, SHOP, LONGER)
    ready.apply(SHOP)
    before = ready.steady_state()
    run(ready.engine, first)
    assert ready.steady_state() == before
    ready.apply(LONGER)
    before = ready.steady_state()
    run(ready.engine, second)
    assert ready.steady_state() == before
    assert said(ready.plan(LONGER)) == []
    assert [n for _, n in ledger(ready)] == [0, 0]


def test_half_of_it_applied_directly_is_completed(ready: Shop, repo: Repo) -> None:
    first, second = wrote(repo, SHOP, LONGER)
    run(ready.engine, first)
    ready.apply(SHOP.replace("duration: {max: 5s}", "duration: {max: 7s}", 1))
    run(ready.engine, second)
    assert said(ready.plan(LONGER)) == []
    assert [n for _, n in ledger(ready)] == [16, 2]


def test_another_spec_applied_directly_is_refused_by_name(ready: Shop, repo: Repo) -> None:
    first, second = wrote(repo, SHOP, LONGER)
    run(ready.engine, first)
    ready.apply(SHOP.replace("duration: {max: 5s}", "duration: {max: 9s}", 1))
    refused(ready, second, "not in the state", "workload.purge-sessions (different)", "orchestra apply")
    ready.apply(LONGER)
    run(ready.engine, second)
    assert said(ready.plan(LONGER)) == []


def test_what_another_project_has_is_refused(ready: Shop, repo: Repo) -> None:
    ready.apply(QUEUE, project="other")
    (first,) = wrote(repo, QUEUE)
    refused(ready, first, "queue import belongs to project other")


def test_what_nobody_owns_is_refused_until_it_is_adopted(ready: Shop, repo: Repo) -> None:
    ready.run("select pgmq.create('import')")
    (first,) = wrote(repo, QUEUE)
    refused(ready, first, "queue import exists and was not made by orchestra")
    ready.apply(QUEUE, adopt=frozenset({"queue.import"}))
    run(ready.engine, first)
    assert said(ready.plan(QUEUE)) == []


@pytest.mark.parametrize("table", ["q_import", "a_import"])
def test_a_queue_that_holds_messages_is_not_dropped(ready: Shop, repo: Repo, table: str) -> None:
    first, second = wrote(repo, QUEUE, "workloads: {}\n")
    run(ready.engine, first)
    ready.run("select pgmq.send('import', '{}')")
    if table == "a_import":
        ready.run("select pgmq.archive('import', 1)")
    refused(
        ready, second, "queue import holds messages, which would be lost", "--allow messages:queue.import"
    )
    ready.run(f"delete from pgmq.{table}")
    run(ready.engine, second)
    assert said(ready.plan("workloads: {}\n")) == ["update project.shop"]


@pytest.mark.parametrize(
    ("flag", "lost"), [("messages:queue.import", True), ("messages:queue.import=1", False)]
)
def test_what_may_be_lost_was_said_when_it_was_written(
    ready: Shop, repo: Repo, flag: str, lost: bool
) -> None:
    first = repo.wrote(full(QUEUE))
    second = repo.wrote(full("workloads: {}\n"), "--allow-destroy", "--allow", flag)
    run(ready.engine, first)
    ready.run("select pgmq.send('import', '{}') from generate_series(1, 2)")
    if not lost:
        refused(ready, second, "queue import holds")
        ready.run("select pgmq.delete('import', 1::bigint)")
    run(ready.engine, second)
    assert ready.one("select to_regclass('pgmq.q_import')") is None


def test_fewer_attempts_give_nothing_up_unless_it_was_said(ready: Shop, repo: Repo) -> None:
    fewer = QUEUE.replace("    run:", "    retry: {max_attempts: 2}\n    run:")
    first, second = wrote(repo, QUEUE, fewer)
    run(ready.engine, first)
    ready.run("select pgmq.send('import', '{}')")
    ready.run("update pgmq.q_import set read_ct = 2")
    refused(
        ready,
        second,
        "queue import holds messages (1) that have had 2 attempts or more",
        "--allow fewer_attempts:workload",
    )
    ready.run("update pgmq.q_import set read_ct = 1")
    run(ready.engine, second)
    ready.run("update pgmq.q_import set read_ct = 2")
    run(ready.engine, second)
    repo.wrote(full(QUEUE))
    approved = repo.wrote(full(fewer), "--allow", "fewer_attempts:workload.import")
    run(ready.engine, repo.files[2])
    run(ready.engine, approved)


def test_what_is_protected_in_the_database_is_not_removed(ready: Shop, repo: Repo) -> None:
    first, second = wrote(repo, SHOP, NO_PURGE)
    run(ready.engine, first)
    ready.run("update orchestra.registry set protect = true where address = 'workload.purge-sessions'")
    refused(ready, second, "protected in this database: purge-sessions;")
    ready.run("update orchestra.registry set protect = false")
    ready.run("update orchestra.project set protect = true")
    refused(ready, second, "protected in this database: all of shop;")


def test_a_queue_of_what_is_protected_is_not_replaced(ready: Shop, repo: Repo) -> None:
    first, second = wrote(repo, QUEUE, QUEUE.replace("    run:", "    queue: {kind: unlogged}\n    run:"))
    run(ready.engine, first)
    ready.run("update orchestra.registry set protect = true where address = 'workload.import'")
    refused(ready, second, "protected in this database: import;")


def test_what_an_operator_paused_stays_paused(ready: Shop, repo: Repo) -> None:
    """The gate, a workload, a job: a migration of it that is new, or that runs again, resumes none of them."""
    first, second = wrote(repo, SHOP, LONGER.replace('"*/15 * * * *"', '"*/20 * * * *"'))
    run(ready.engine, first)
    look = (
        "select (select gate from orchestra.project), (select paused from orchestra.workload "
        f"where name = 'send-receipts'), (select active from cron.job where jobname = '{JOB}')"
    )
    assert ready.run(look) == [("paused", False, True)]
    ready.run("select orchestra.pause('shop', 'send-receipts')")
    ready.run(f"select cron.alter_job(jobid, active := false) from cron.job where jobname = '{JOB}'")
    for file in (first, second, second):
        run(ready.engine, file)
        assert ready.run(look) == [("paused", True, False)]
    assert ready.one(f"select schedule from cron.job where jobname = '{JOB}'") == "*/20 * * * *"


def test_a_job_that_comes_back_is_active(ready: Shop, repo: Repo) -> None:
    """What was paused before it was removed is new when it comes back, and is what its file says."""
    for number, file in enumerate(wrote(repo, SHOP, NO_PURGE, SHOP)):
        run(ready.engine, file)
        if number == 0:
            ready.run(f"select cron.alter_job(jobid, active := false) from cron.job where jobname = '{JOB}'")
    assert ready.one(f"select active from cron.job where jobname = '{JOB}'") is True


def test_a_workload_is_paused_and_resumed_where_the_spec_changes_its_mind(ready: Shop, repo: Repo) -> None:
    paused = QUEUE.replace("    run:", "    paused: true\n    run:")
    first, second, third = wrote(repo, QUEUE, paused, QUEUE)
    look = "select paused from orchestra.workload"
    for file, expected in ((first, False), (second, True), (third, False)):
        run(ready.engine, file)
        assert ready.one(look) is expected
    ready.run("select orchestra.pause('shop', 'import')")
    run(ready.engine, third)
    assert ready.one(look) is True


def test_what_was_removed_by_hand_is_only_given_up(ready: Shop, repo: Repo) -> None:
    first, second = wrote(repo, SHOP, "workloads: {}\n")
    run(ready.engine, first)
    ready.run("select cron.unschedule(jobid) from cron.job")
    ready.run("select pgmq.drop_queue('send_receipts')")
    ready.run("drop table app.orders cascade")
    run(ready.engine, second)
    assert (
        ready.one("select count(*) from orchestra.registry where tombstoned_at is null and kind <> 'project'")
        == 0
    )
    assert ready.one("select count(*) from orchestra.workload") == 0


def test_another_role_is_refused(ready: Shop, repo: Repo) -> None:
    first, second = wrote(repo, SHOP, LONGER)
    run(ready.engine, first)
    ready.run("create role deployer login superuser")
    before = ready.state()
    with pytest.raises(PsqlError, match="project shop belongs to role postgres"):
        run(ready.engine, second, user="deployer")
    assert ready.state() == before


def test_a_newer_runtime_is_not_touched(ready: Shop, repo: Repo) -> None:
    first, second = wrote(repo, SHOP, LONGER)
    run(ready.engine, first)
    ready.run("update orchestra.version set version = 99")
    refused(ready, first, "the runtime here has version 99")
    run(ready.engine, second)


def test_a_requirement_that_does_not_hold_is_said_before_anything_is_made(ready: Shop, repo: Repo) -> None:
    ready.run("drop table app.orders")
    (first,) = wrote(repo, SHOP)
    refused(ready, first, "requirement orders-table does not hold")


def test_an_apply_that_goes_on_is_waited_for(ready: Shop, repo: Repo) -> None:
    first, second = wrote(repo, SHOP, LONGER)
    run(ready.engine, first)
    with ready.engine.connect() as other:
        other.execute("select pg_advisory_xact_lock(x'6F72636865737472'::bigint)")
        waiting = f"set lock_timeout = '200ms';\n{second.read_text()}"
        output = ready.engine.psql(waiting, check=False)
    assert "lock timeout" in output
    run(ready.engine, second)


def test_the_ledger_says_what_a_migration_changed(ready: Shop, repo: Repo) -> None:
    first, second = wrote(repo, QUEUE, QUEUE.replace("5s", "6s"))
    run(ready.engine, first)
    run(ready.engine, second)
    (row,) = ready.run(
        "select role_name, tool_version, environment, plan_hash, changes -> 'changes' from orchestra.deployment "
        "order by id desc limit 1"
    )
    role, tool, environment, name, changes = row
    assert (role, tool, environment, name) == ("postgres", "0.1.0", None, f"migration:{second.stem}")
    (change,) = changes
    assert (change["address"], change["action"]) == ("workload.import", "update")
    assert change["before"]["timeout_ms"] == 5000
    assert change["after"]["timeout_ms"] == 6000


@pytest.mark.parametrize("by", ["psql", "push"])
def test_it_runs_as_the_role_of_a_hosted_project(hosted: Shop, repo: Repo, by: str) -> None:
    spec = SHOP.replace("access: {enqueue: [clerk]}", "access: {enqueue: [clerk], progress: [clerk]}")
    for file in wrote(repo, spec, LONGER, "workloads: {}\n", SHOP):
        run(hosted.engine, file, user="postgres_like", by=by)
    assert said(hosted.plan(SHOP)) == ["update project.shop"]
    hosted.apply(SHOP)
    assert said(hosted.plan(SHOP)) == []


def test_two_pushes_at_once_are_one_after_the_other(ready: Shop, repo: Repo) -> None:
    for file in wrote(repo, SHOP, LONGER):
        with ThreadPoolExecutor(2) as pool:
            for done in [pool.submit(run, ready.engine, file, by=by) for by in ("push", "psql")]:
                done.result()
    assert said(ready.plan(LONGER)) == ["update project.shop"]
    assert [n for _, n in ledger(ready)] == [16, 3]


def test_without_a_transaction_it_still_does_no_harm(ready: Shop, repo: Repo) -> None:
    """Statement by statement, and twice: people forget the flag."""
    for file in wrote(repo, SHOP, LONGER, NO_PURGE):
        ready.engine.psql(file)
        before = ready.state()
        ready.engine.psql(file)
        assert ready.state() == before
    assert said(ready.plan(NO_PURGE)) == ["update project.shop"]
