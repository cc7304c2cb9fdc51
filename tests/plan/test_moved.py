"""`moved:`: a workload or a project of another name keeps its messages, its history and what was done to it by hand."""

from __future__ import annotations

from typing import Any

import pytest
from apply.shop import NOTHING, QUEUE, SHOP, Shop, assert_empty, change, codes, said

from orchestra.errors import StalePlanError, UsageError
from orchestra.plan import batches
from orchestra.report import plan_json

RENAMED = QUEUE.replace("  import:\n", "  intake:\n    moved: {from: import}\n")
NAMED = QUEUE.replace("trigger: manual", "trigger: manual\n    queue: {name: elsewhere}")
RECEIPTS = SHOP.replace("  send-receipts:\n", "  mail-receipts:\n    moved: {from: send-receipts}\n")
PURGE = SHOP.replace("  purge-sessions:\n", "  sweep:\n    moved: {from: purge-sessions}\n")


def _messages(shop: Shop, queue: str) -> list[Any]:
    columns = "msg_id, read_ct, enqueued_at, vt, message, headers"
    waiting = shop.run(f"select {columns} from pgmq.q_{queue} order by 1")
    return waiting + shop.run(f"select {columns}, archived_at from pgmq.a_{queue} order by 1")


def _fill(shop: Shop, queue: str = "import") -> list[Any]:
    shop.run("select pgmq.send(%s, jsonb_build_object('n', n)) from generate_series(1, 5) n", queue)
    shop.run("select pgmq.read(%s, 300, 2)", queue)
    shop.run("select pgmq.archive(%s, 1)", queue)
    return _messages(shop, queue)


def test_a_renamed_workload_takes_its_messages_and_history_along(shop: Shop) -> None:
    shop.apply(QUEUE)
    shop.run("select orchestra.pause('shop', 'import')")
    before = _fill(shop)
    shop.run(
        "insert into orchestra.dead_letter (project, workload, queue_name, msg_id, attempts, reason, error) "
        "values ('shop', 'import', 'import', 99, 5, 'exhausted', 'x')"
    )
    plan = shop.plan(RENAMED)
    assert said(plan) == [
        "update queue.intake",
        "update workload.intake",
        "update cron_job.intake.worker-1",
    ]
    assert [str(c.moved_from) for c in plan.changes] == [
        "queue.import",
        "workload.import",
        "cron_job.import.worker-1",
    ]
    assert [h.code for h in change(plan, "queue.intake").hazards] == ["move"]
    assert plan.blockers == ()
    shop.apply_plan(plan_json.load(plan_json.dump(plan)))

    assert _messages(shop, "intake") == before
    assert shop.one("select to_regclass('pgmq.q_import') is null")
    assert shop.one("select pgmq.send('intake', '{}')") == 6
    assert shop.one("select workload from orchestra.dead_letter") == "intake"
    assert shop.one("select paused from orchestra.workload where name = 'intake'") is True
    assert shop.run("select jobname from cron.job where jobname like '%%import%%'") == []
    after = shop.plan(RENAMED)
    assert_empty(after)
    assert [c.code for c in after.conditions] == ["paused_by_hand"]
    assert_empty(shop.plan(RENAMED.replace("    moved: {from: import}\n", "")))


def test_after_a_move_the_database_is_as_a_fresh_build_of_the_new_spec(shop: Shop) -> None:
    shop.apply(RECEIPTS)
    fresh = shop.steady_state()
    shop.destroy()
    shop.apply(SHOP)
    plan = shop.apply(RECEIPTS, allow_destroy=True)
    assert {c.action.value for c in plan.changes} == {"update", "replace"}
    assert all(c.moved_from for c in plan.changes)
    assert_empty(shop.plan(RECEIPTS))
    assert shop.steady_state() == fresh
    shop.run("insert into app.orders values (1, 1)")
    assert shop.one("select count(*) from pgmq.q_mail_receipts") == 1


def test_a_renamed_schedule_hands_on_its_runs_and_that_it_was_made_inactive(shop: Shop) -> None:
    shop.apply()
    old = shop.one("select jobid from cron.job where jobname = 'orchestra:shop:purge-sessions'")
    shop.run("select cron.alter_job(%s, active := false)", old)
    shop.run(
        "insert into cron.job_run_details (jobid, runid, database, username, command, status, start_time) "
        "values (%s, 1, 'postgres', 'postgres', 'x', 'succeeded', now())",
        old,
    )
    shop.run(
        "insert into orchestra.fired (project, workload, scheduled_for, position, outcome) "
        "values ('shop', 'purge-sessions', '2026-01-01', 1, 'run')"
    )
    shop.apply(PURGE)
    assert shop.run(
        "select jobid <> %s, active from cron.job where jobname = 'orchestra:shop:sweep'", old
    ) == [(True, False)]
    assert shop.one(
        "select d.jobid = j.jobid from cron.job_run_details d, cron.job j "
        "where d.runid = 1 and j.jobname = 'orchestra:shop:sweep'"
    )
    assert shop.one("select workload from orchestra.fired") == "sweep"
    assert shop.one("select count(*) from cron.job where jobname = 'orchestra:shop:purge-sessions'") == 0
    plan = shop.plan(PURGE)
    assert_empty(plan)
    assert [(c.code, str(c.address)) for c in plan.conditions] == [("paused_by_hand", "cron_job.sweep")]


def test_a_queue_of_another_name_keeps_its_messages(shop: Shop) -> None:
    shop.apply(QUEUE)
    before = _fill(shop)
    plan = shop.plan(NAMED)
    assert said(plan) == ["update queue.import", "update workload.import"]
    assert plan.blockers == ()
    shop.apply_plan(plan)
    assert _messages(shop, "elsewhere") == before
    assert_empty(shop.plan(NAMED))
    shop.apply(QUEUE)
    assert _messages(shop, "import") == before


def test_a_move_that_was_made_or_never_applied_means_nothing(shop: Shop) -> None:
    shop.apply(RENAMED)
    assert_empty(shop.plan(RENAMED))
    shop.destroy()
    shop.apply(QUEUE)
    shop.apply(RENAMED)
    assert_empty(shop.plan(RENAMED))


def test_two_of_one_are_not_made_one(shop: Shop) -> None:
    shop.apply(QUEUE + QUEUE.removeprefix("workloads:\n").replace("import", "intake"))
    plan = shop.plan(RENAMED, allow_destroy=True)
    assert codes(plan) == {"both_there"}


def test_a_message_between_plan_and_apply_moves_too(shop: Shop) -> None:
    shop.apply(QUEUE)
    plan = shop.plan(RENAMED)
    shop.run("select pgmq.send('import', '{}')")
    shop.apply_plan(plan)
    assert shop.one("select count(*) from pgmq.q_intake") == 1


def test_a_move_that_somebody_made_first_is_stale(shop: Shop) -> None:
    shop.apply(QUEUE)
    plan = shop.plan(RENAMED)
    shop.apply(RENAMED)
    with pytest.raises(StalePlanError):
        shop.apply_plan(plan)


def test_a_name_that_somebody_has_is_not_taken(shop: Shop) -> None:
    shop.apply(QUEUE)
    shop.run("select pgmq.create('intake')")
    plan = shop.plan(RENAMED)
    assert codes(plan) >= {"unowned"}


def test_a_renamed_project_keeps_everything(shop: Shop) -> None:
    shop.apply(SHOP, project="store")
    fresh = shop.steady_state()
    shop.destroy("store")
    shop.apply(SHOP)
    shop.run("select cron.alter_job(jobid, active := false) from cron.job where jobname like '%%:nightly'")
    shop.run("select orchestra.send('send-receipts', '{\"n\": 1}')")
    moved = "moved: {from: shop}\n" + SHOP
    plan = shop.plan(moved, project="store")
    assert plan.blockers == ()
    assert said(plan)[0] == "update project.store"
    assert str(plan.changes[0].moved_from) == "project.shop"
    assert not [c for c in plan.changes if c.action.value in ("create", "delete")]
    shop.apply_plan(plan_json.load(plan_json.dump(plan)))
    after = shop.plan(moved, project="store")
    assert_empty(after)
    assert [str(c.address) for c in after.conditions] == ["cron_job.nightly"]
    shop.run("select cron.alter_job(jobid, active := true) from cron.job where jobname like '%%:nightly'")
    assert shop.steady_state() == fresh
    assert shop.one("select count(*) from pgmq.q_send_receipts") == 1
    assert (
        shop.run("select project, count(*) from orchestra.deployment where project = 'shop' group by 1") == []
    )
    assert shop.run("select project from orchestra.project") == [("store",)]
    assert_empty(shop.plan(SHOP, project="store"))
    assert_empty(shop.plan(moved, project="store"))


def test_compiled_sql_does_not_make_a_second_one_beside_the_former(shop: Shop) -> None:
    shop.apply(QUEUE)
    told = shop.engine.psql(shop.compiled(RENAMED), check=False)
    assert "workload import is called intake now" in told
    assert shop.one("select to_regclass('pgmq.q_intake') is null")
    shop.apply(RENAMED)
    shop.engine.psql(shop.compiled(RENAMED))
    assert_empty(shop.plan(RENAMED))


def test_every_table_that_speaks_of_a_workload_is_moved(shop: Shop) -> None:
    """A table that is added later and forgotten in the moves would keep rows of a name that is gone."""
    shop.apply(NOTHING)
    following = (
        "select conrelid::regclass::text from pg_constraint "
        "where confrelid = 'orchestra.workload'::regclass and contype = 'f' and confupdtype = 'c'"
    )
    for column, function in (("workload", "move_workload"), ("project", "move_project")):
        told = shop.one("select prosrc from pg_proc where proname = %s", function)
        tables = shop.run(
            "select c.relname from pg_class c join pg_attribute a on a.attrelid = c.oid and a.attname = %s "
            "where c.relnamespace = 'orchestra'::regnamespace and c.relkind = 'r' "
            f"and c.oid::regclass::text not in ({following})",
            column,
        )
        assert tables
        assert [name for (name,) in tables if f"'{name}'" not in told] == []


def test_a_project_moves_as_a_whole_or_not_at_all(shop: Shop) -> None:
    shop.apply()
    with pytest.raises(UsageError, match="project shop becomes store as a whole"):
        shop.plan("moved: {from: shop}\n" + SHOP, project="store", workload="purge-sessions")


def test_a_rename_of_the_project_too_large_for_one_transaction_leaves_no_trigger_behind(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Under the former name it would send nothing, and say nothing."""
    shop.apply()
    monkeypatch.setattr(batches, "SHARE", 0.04)
    plan = shop.plan("moved: {from: shop}\n" + SHOP, project="store")
    together = plan.changes[: plan.batches[0]]
    assert "table_trigger" in {c.address.kind for c in together}


def test_what_an_earlier_workload_of_the_name_left_is_not_taken_for_this_ones(shop: Shop) -> None:
    shop.apply()
    fired = (
        "insert into orchestra.fired (project, workload, scheduled_for, position, outcome) "
        "values ('shop', %s, %s, 1, 'run')"
    )
    shop.run(fired, "sweep", "2026-01-01")
    shop.run(fired, "purge-sessions", "2026-01-01")
    shop.run(fired, "purge-sessions", "2026-01-02")
    shop.apply(PURGE)
    assert shop.run("select workload, count(*) from orchestra.fired group by 1") == [("sweep", 2)]


def test_a_part_that_goes_with_a_rename_goes_with_a_narrowed_plan_too(shop: Shop) -> None:
    two = QUEUE.replace("    duration:", "    concurrency: {limit: 2}\n    duration:")
    shop.apply(two)
    shop.apply(RENAMED, workload="intake")
    assert shop.run("select jobname from cron.job where jobname like '%%import%%'") == []
    assert_empty(shop.plan(RENAMED))


def test_a_protected_workload_may_have_another_name(shop: Shop) -> None:
    protected = SHOP.replace("    access:", "    protect: true\n    access:")
    shop.apply(protected)
    renamed = protected.replace("  send-receipts:\n", "  mail-receipts:\n    moved: {from: send-receipts}\n")
    assert codes(shop.plan(renamed)) == set()
    shop.apply(renamed)
    assert_empty(shop.plan(renamed))
