"""What the project did not make is never taken: offered for adoption, or refused where it is another project's."""

from __future__ import annotations

import pytest
from apply.shop import QUEUE, SHOP, Shop, assert_empty, codes, said

from orchestra.errors import BlockedError

THEIRS = [
    ("queue.send-receipts", "select pgmq.create('send_receipts')"),
    ("cron_job.nightly", "select cron.schedule('orchestra:shop:nightly', '5 5 * * *', 'select 5')"),
    (
        "grant.send-receipts",
        "create function public.enqueue_send_receipts(payload jsonb) returns bigint "
        "language sql as 'select 5::bigint'",
    ),
    (
        "table_trigger.send-receipts",
        "create trigger orchestra_shop_send_receipts_insert before insert on app.orders "
        "for each row execute function suppress_redundant_updates_trigger()",
    ),
]


@pytest.mark.parametrize(("address", "make"), THEIRS, ids=[a for a, _ in THEIRS])
def test_an_object_of_the_name_that_nobody_claimed_is_offered_for_adoption(
    shop: Shop, address: str, make: str
) -> None:
    shop.apply(QUEUE, project="first")
    if "suppress" in make:
        make = make.replace("before insert", "before update")
        make = make.replace("_insert", "_update")
    shop.run(make)
    before = shop.state()
    plan = shop.plan()
    assert codes(plan) == {"unowned"}
    (blocker,) = plan.blockers
    assert (str(blocker.address), blocker.exit_code) == (address, 5)
    assert f"--adopt {address}" in blocker.remedy
    with pytest.raises(BlockedError):
        shop.apply_plan(plan)
    assert shop.state() == before

    adopted = shop.apply(adopt=frozenset({address}))
    assert f"adopt {address}" in said(adopted)
    assert_empty(shop.plan())


def test_a_queue_is_not_exchanged_for_an_adopted_one_with_its_messages_left_behind(shop: Shop) -> None:
    shop.apply(QUEUE)
    shop.run("select orchestra.send('import', '{}')")
    shop.run("select pgmq.create('theirs')")
    renamed = QUEUE.replace("trigger: manual", "trigger: manual\n    queue: {name: theirs}")
    plan = shop.plan(renamed, adopt=frozenset({"queue.import"}))
    assert codes(plan) == {"left_behind"}
    assert plan.blockers[0].exit_code == 5
    assert "would leave import behind" in plan.blockers[0].message
    with pytest.raises(BlockedError):
        shop.apply_plan(plan, adopt=frozenset({"queue.import"}))


def test_an_adopted_queue_keeps_its_messages_and_its_read_counts(shop: Shop) -> None:
    shop.apply(QUEUE, project="first")
    shop.run("select pgmq.create('send_receipts')")
    shop.run("select pgmq.send('send_receipts', jsonb_build_object('n', i)) from generate_series(1, 3) i")
    shop.run("select msg_id from pgmq.read('send_receipts', 300, 1)")
    look = "select msg_id, read_ct, enqueued_at, vt, message from pgmq.q_send_receipts order by 1"
    before = shop.run(look)
    shop.apply(adopt=frozenset({"queue.send-receipts"}))
    assert shop.run(look) == before


def test_an_adopted_job_keeps_its_number_and_its_history(shop: Shop) -> None:
    shop.apply(QUEUE, project="first")
    jobid = shop.one("select cron.schedule('orchestra:shop:nightly', '5 5 * * *', 'select 5')")
    shop.apply(adopt=frozenset({"cron_job.nightly"}))
    assert shop.run("select jobid from cron.job where jobname = 'orchestra:shop:nightly'") == [(jobid,)]


def test_a_queue_of_another_project_is_never_taken_over(shop: Shop) -> None:
    shop.apply(QUEUE, project="first")
    plan = shop.plan(QUEUE, project="second")
    assert "other_project" in codes(plan)
    blocker = next(b for b in plan.blockers if b.code == "other_project")
    assert blocker.message == "import belongs to project first of this database"
    # Saying that one adopts it does not help either.
    plan = shop.plan(QUEUE, project="second", adopt=frozenset({"queue.import"}))
    assert "other_project" in codes(plan)
    with pytest.raises(BlockedError, match="belongs to project first") as caught:
        shop.apply_plan(plan)
    assert caught.value.exit_code == 5


def test_compiled_sql_takes_over_nothing_either(shop: Shop) -> None:
    shop.apply(QUEUE, project="first")
    before = shop.state()
    second = shop.compiled(QUEUE, project="second")
    said_by_psql = shop.engine.psql(second, options=["--single-transaction"], check=False)
    assert "queue import belongs to project first" in said_by_psql
    shop.run("select pgmq.create('send_receipts')")
    said_by_psql = shop.engine.psql(shop.compiled(), options=["--single-transaction"], check=False)
    assert "queue send_receipts exists and was not made by orchestra" in said_by_psql
    shop.run("select pgmq.drop_queue('send_receipts')")
    assert shop.state() == before


def test_two_projects_share_a_database(shop: Shop) -> None:
    shop.apply(QUEUE, project="first")
    shop.apply()
    assert_empty(shop.plan())
    assert_empty(shop.plan(QUEUE, project="first"))
    shop.destroy()
    assert_empty(shop.plan(QUEUE, project="first"))


def test_what_lost_its_row_in_the_registry_is_adopted_again(shop: Shop) -> None:
    shop.apply()
    before = shop.state()
    shop.run("delete from orchestra.registry where project = 'shop'")
    plan = shop.plan()
    assert codes(plan) == {"unowned"}
    everything = frozenset(str(b.address) for b in plan.blockers)
    assert len(everything) == 13
    shop.apply(adopt=everything)
    assert_empty(shop.plan())
    rows = [x for x in shop.state() if not x.startswith(("entry", "deployment"))]
    assert rows == [x for x in before if not x.startswith(("entry", "deployment"))]


def test_a_workload_that_was_removed_comes_back_as_its_own(shop: Shop) -> None:
    shop.apply(QUEUE)
    shop.destroy(workload="import")
    plan = shop.apply(QUEUE)
    assert said(plan) == ["create queue.import", "create workload.import", "create cron_job.import.worker-1"]
    assert plan.changes[0].reasons == ("it comes back after an earlier removal",)
    assert_empty(shop.plan(QUEUE))


def test_a_tombstone_gives_no_right_to_what_somebody_made_since(shop: Shop) -> None:
    shop.apply(QUEUE)
    shop.destroy(workload="import")
    shop.run("select pgmq.create('import')")
    shop.run("select pgmq.send('import', '{}')")
    assert codes(shop.plan(QUEUE)) == {"unowned"}
    psql = shop.engine.psql(shop.compiled(QUEUE), options=["--single-transaction"], check=False)
    assert "queue import exists and was not made by orchestra" in psql
    shop.apply(QUEUE, adopt=frozenset({"queue.import"}))
    assert shop.one("select count(*) from pgmq.q_import") == 1


def test_what_another_project_took_after_a_removal_is_its_own(shop: Shop) -> None:
    shop.apply(QUEUE)
    shop.destroy(workload="import")
    shop.apply(QUEUE, project="second")
    assert "other_project" in codes(shop.plan(QUEUE))


def test_a_workload_may_be_called_like_the_project_or_a_shared_job(shop: Shop) -> None:
    named = "".join(
        QUEUE.partition("\n")[2].replace("  import:", f"  {name}:", 1)
        for name in ("shop", "tick", "housekeep", "keep")
    )
    spec = f"workloads:\n{named}"
    shop.apply(spec)
    assert_empty(shop.plan(spec))
    for name in ("shop", "tick", "housekeep"):
        gone = shop.destroy_plan(workload=name)
        assert set(said(gone)) == {
            f"delete cron_job.{name}.worker-1",
            f"delete workload.{name}",
            f"delete queue.{name}",
        }


def test_a_job_of_the_name_under_another_role_is_refused_and_not_doubled(shop: Shop) -> None:
    shop.apply()
    shop.run("create role other superuser")
    shop.run("update cron.job set username = 'other' where jobname = 'orchestra:shop:nightly'")
    plan = shop.plan(SHOP.replace('"30 2 * * *"', '"30 3 * * *"'))
    assert codes(plan) == {"cron_owner"}


def test_a_job_that_another_role_has_too_is_told(shop: Shop) -> None:
    shop.apply()
    shop.run("create role other superuser login")
    shop.engine.execute(
        "select cron.schedule('orchestra:shop:nightly', '1 1 1 1 *', 'select 1')", user="other"
    )
    plan = shop.plan()
    assert_empty(plan)
    assert [(c.code, c.message) for c in plan.conditions] == [
        ("foreign_job", "role other has a job orchestra:shop:nightly too")
    ]


def test_a_job_that_was_handed_to_another_role_is_told(shop: Shop) -> None:
    shop.apply()
    shop.run("create role other superuser login")
    shop.run("update cron.job set username = 'other' where jobname = 'orchestra:shop:nightly'")
    assert [c.message for c in shop.plan().conditions] == ["job orchestra:shop:nightly runs as other"]


def _named(name: str, queue: str) -> str:
    body = QUEUE.partition("\n")[2].replace("import:", f"{name}:")
    return body.replace("trigger: manual", f"trigger: manual\n    queue: {{name: {queue}}}")


@pytest.mark.parametrize(
    "after",
    [_named("a", "qb") + _named("b", "qa"), _named("c", "qa") + _named("b", "qb")],
    ids=["swapped", "handed on"],
)
def test_a_queue_of_another_workload_is_not_offered_as_if_it_were_nobodys(shop: Shop, after: str) -> None:
    shop.apply("workloads:\n" + _named("a", "qa") + _named("b", "qb"))
    shop.run("select pgmq.send('qa', '{}')")
    adopt = frozenset({"queue.a", "queue.b", "queue.c"})
    plan = shop.plan("workloads:\n" + after, allow_destroy=True, adopt=adopt)
    assert "other_address" in codes(plan)
    assert any("qa belongs to queue.a of this project" in b.message for b in plan.blockers)
