"""Going back is refused where the ledger does not tell the state for certain, and nowhere else."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest
from apply.shop import NOTHING, QUEUE, SHOP, Shop, assert_empty, change, said
from engines.supabase import install_pgmq

from history.back import go_back, listed, plan_back
from orchestra.apply import batch
from orchestra.errors import ApplyError, OrchestraError, UsageError
from orchestra.history.model import Deployment
from orchestra.history.state import backwards
from orchestra.live import ledger
from orchestra.plan import batches

LONGER = QUEUE.replace("max: 5s", "max: 6s")
TWO = QUEUE + QUEUE.partition("\n")[2].replace("import", "export")
OLD_FORM = """
    update orchestra.deployment d set changes = (
      select jsonb_agg(c - '{was,is,hazards,drift}'::text[]) from jsonb_array_elements(d.changes -> 'changes') c)
    where d.id = any (%s)
"""


def refused(shop: Shop, number: int) -> OrchestraError:
    with pytest.raises(OrchestraError) as caught:
        plan_back(shop, number)
    return caught.value


def older(shop: Shop, *ids: int) -> None:
    """As an orchestra of before recorded them."""
    shop.run(OLD_FORM, list(ids))


def timeouts(shop: Shop) -> dict[str, int]:
    return dict(shop.run("select name, timeout_ms from orchestra.workload"))


def test_what_an_older_orchestra_recorded_is_shown_and_not_gone_back_to(shop: Shop) -> None:
    shop.apply(QUEUE)
    shop.apply(LONGER)
    older(shop, 1, 2)
    for entry in listed(shop).entries:
        assert isinstance(entry, Deployment)
        assert (entry.last.form, entry.last.actor, entry.last.rest) == (1, None, None)
    assert [e.counts["added"] for e in listed(shop).entries if isinstance(e, Deployment)] == [0, 9]
    error = refused(shop, 1)
    assert "recorded by an older orchestra (0.1.0)" in error.message
    assert error.remedy == "check out the spec of that time, and apply it: orchestra apply"


def test_older_rows_keep_nobody_from_a_newer_one(shop: Shop) -> None:
    shop.apply(QUEUE)
    shop.apply(LONGER)
    shop.apply(TWO)
    older(shop, 1)
    shop.apply(NOTHING, allow_destroy=True)
    go_back(shop, 2)
    assert timeouts(shop) == {"import": 6000}
    assert_empty(shop.plan(LONGER))
    go_back(shop, 3)
    assert_empty(shop.plan(TWO))


def test_a_row_of_an_older_orchestra_between_newer_ones_is_no_gap_either(shop: Shop) -> None:
    shop.apply(QUEUE)
    shop.apply(LONGER)
    older(shop, 2)
    go_back(shop, 1)
    assert_empty(shop.plan(QUEUE))


@pytest.mark.parametrize("last", [LONGER, QUEUE], ids=["still so", "changed since"])
def test_compiled_sql_between_two_deployments_is_known_for_what_it_is(shop: Shop, last: str) -> None:
    shop.apply(QUEUE)
    shop.engine.psql(shop.compiled(LONGER))
    shop.apply(TWO.replace("max: 5s", "max: 7s") if last == QUEUE else TWO.replace("max: 5s", "max: 6s", 1))
    assert timeouts(shop)["import"] == (7000 if last == QUEUE else 6000)
    go_back(shop, 1)
    assert timeouts(shop) == {"import": 5000}
    assert_empty(shop.plan(QUEUE))


def test_a_database_that_compiled_sql_built_is_there_after_its_first_apply(shop: Shop) -> None:
    shop.run("create extension pg_cron")
    install_pgmq(shop.engine)
    shop.engine.psql(shop.compiled(SHOP))
    assert said(shop.apply(SHOP)) == ["update project.shop"]
    wanted = shop.steady_state()
    shop.apply(QUEUE, allow_destroy=True)
    go_back(shop, 1)
    assert_empty(shop.plan(SHOP))
    assert shop.steady_state() == wanted


def test_a_registry_that_was_written_to_by_hand_is_refused(shop: Shop) -> None:
    shop.apply(TWO)
    by_hand = (
        'update orchestra.registry set applied = applied || \'{"summary": "%s"}\' '
        "where address = 'workload.export'"
    )
    shop.run(by_hand % "one")
    # An apply of all would put the record right.
    shop.apply(TWO.replace("max: 5s", "max: 6s", 1), workload="import")
    shop.run(by_hand % "two")
    before = shop.state()
    error = refused(shop, 2)
    assert "does not tell for certain what deployment 2 left behind" in error.message
    assert shop.state() == before
    # The first deployment noted itself what it left.
    assert plan_back(shop, 1).changes


def test_a_ledger_with_a_row_missing_is_refused_where_that_row_counts(shop: Shop) -> None:
    shop.apply(QUEUE)
    shop.apply(TWO)
    shop.apply(TWO.replace("max: 5s", "max: 6s"))
    shop.run("delete from orchestra.deployment where id = 3")
    shop.run(
        "update orchestra.registry set applied = applied - 'timeout_ms' where address = 'workload.export'"
    )
    assert "for certain" in refused(shop, 2).message
    with pytest.raises(UsageError, match="has no deployment 3"):
        plan_back(shop, 3)


def test_numbers_that_other_projects_and_failed_applies_took_leave_no_gap(shop: Shop) -> None:
    shop.apply(QUEUE)
    shop.apply(QUEUE.replace("import", "export"), project="other")
    shop.run("select nextval('orchestra.deployment_id_seq')")
    shop.apply(LONGER)
    assert [e.number for e in listed(shop).entries if isinstance(e, Deployment)] == [4, 1]
    go_back(shop, 1)
    assert_empty(shop.plan(QUEUE))
    assert_empty(shop.plan(QUEUE.replace("import", "export"), project="other"))


EDITS: dict[str, tuple[str, Callable[[dict[str, object]], object], str]] = {
    "an unknown field": ("workload.import", lambda r: r.update(lease=5), "workload.import with lease"),
    "a field that is missing": ("workload.import", lambda r: r.pop("pattern"), "workload.import without all"),
}


@pytest.mark.parametrize("name", EDITS)
def test_words_of_another_version_are_refused_and_not_dropped(shop: Shop, name: str) -> None:
    """The row as another version would have written it: consistent, and in other words."""
    address, edit, words = EDITS[name]
    shop.apply(QUEUE)
    changes = shop.one("select changes from orchestra.deployment where id = 1")
    (item,) = [c for c in changes["changes"] if c["address"] == address]
    record = dict(item.get("is") or item["after"])
    edit(record)
    item["is"] = record
    shop.run("update orchestra.deployment set changes = %s where id = 1", json.dumps(changes))
    shop.run("update orchestra.registry set applied = %s where address = %s", json.dumps(record), address)
    error = refused(shop, 1)
    assert f"0.1.0 recorded {words}" in error.message


@pytest.fixture
def small_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    """As if the lock table had room for next to nothing: a transaction for each queue."""
    monkeypatch.setattr(batches, "SHARE", 0.0)
    monkeypatch.setattr(batches, "BASE", -10)


def test_an_apply_of_several_transactions_is_one_deployment(shop: Shop, small_batches: None) -> None:
    shop.apply(QUEUE)
    first = listed(shop).entries[0]
    assert isinstance(first, Deployment)
    shop.apply(TWO)
    second = listed(shop).entries[0]
    assert isinstance(second, Deployment)
    assert len(first.transactions) > 1
    assert first.is_whole
    assert list(listed(shop).entries) == [second, first]
    assert second.number == shop.one("select max(id) from orchestra.deployment")
    # Any of its numbers means all of it.
    for transaction in first.transactions:
        assert said(plan_back(shop, transaction.row.id)) == [
            "delete cron_job.export.worker-1",
            "delete workload.export",
            "delete queue.export",
        ]
    go_back(shop, first.number)
    assert_empty(shop.plan(QUEUE))
    go_back(shop, second.number)
    assert_empty(shop.plan(TWO))


def test_an_apply_that_stopped_halfway_is_said_and_is_no_place_to_go(
    shop: Shop, small_batches: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    shop.apply(QUEUE)
    original = batch.Batch.execute

    def execute(self: batch.Batch, *more: object) -> int:
        if self.number == 2:
            raise ApplyError("the lights went out", "")
        return original(self, *more)  # type: ignore[arg-type]

    with monkeypatch.context() as patch:
        patch.setattr(batch.Batch, "execute", execute)
        with pytest.raises(ApplyError, match="the lights went out"):
            shop.apply(TWO)
    stopped, whole = [e for e in listed(shop).entries if isinstance(e, Deployment)]
    assert (stopped.is_whole, whole.is_whole) == (False, True)
    total = stopped.last.batches
    assert f"stopped after 1 of its {total} transactions" in refused(shop, stopped.number).message
    go_back(shop, whole.number)
    assert_empty(shop.plan(QUEUE))
    shop.apply(TWO)
    go_back(shop, whole.number)
    assert_empty(shop.plan(QUEUE))


def test_the_same_plan_hash_again_is_another_deployment(shop: Shop, small_batches: None) -> None:
    """Two rows of one batch cannot be of one apply."""
    shop.apply(QUEUE)
    shop.run(
        "insert into orchestra.deployment (project, plan_hash, batch, batches, changes) "
        "select project, plan_hash, batch, batches, changes from orchestra.deployment order by id"
    )
    found = [e for e in listed(shop).entries if isinstance(e, Deployment)]
    assert [e.is_whole for e in found] == [True, True]


def test_drift_at_the_time_is_no_part_of_a_deployment(shop: Shop) -> None:
    """What somebody changed by hand is put right when going back, as by every apply."""
    shop.apply(QUEUE)
    shop.apply(LONGER)
    shop.run("update orchestra.workload set max_attempts = 2")
    plan = go_back(shop, 1)
    fields = {f.path for f in change(plan, "workload.import").fields}
    assert {"timeout_ms", "max_attempts"} <= fields
    assert_empty(shop.plan(QUEUE))


def test_a_change_by_hand_that_the_spec_takes_over_is_recorded(shop: Shop) -> None:
    """Mended by hand first and in the spec afterwards: going back to that spec must not undo it."""
    eight = QUEUE.replace("trigger: manual", "trigger: manual\n    retry: {max_attempts: 8}")
    shop.apply(QUEUE)
    shop.run("update orchestra.workload set max_attempts = 8")
    plan = shop.apply(eight)
    (recorded,) = plan.changes
    assert (str(recorded.address), recorded.category.value, recorded.fields) == (
        "workload.import",
        "metadata",
        (),
    )
    assert recorded.reasons == (
        "the database has it already as the spec says; what is recorded follows: max_attempts",
    )
    assert_empty(shop.plan(eight))
    shop.apply(LONGER)
    go_back(shop, 2)
    assert_empty(shop.plan(eight))
    back = plan_back(shop, 1)
    assert [f.path for f in change(back, "workload.import").fields] == ["max_attempts"]
    assert not change(back, "workload.import").drift


def test_a_move_is_noted_at_both_of_its_addresses(shop: Shop) -> None:
    """As a plan with a move records it; what makes such a plan is not looked at here."""
    shop.apply(QUEUE)
    shop.apply(LONGER)
    changes = shop.one("select changes from orchestra.deployment where id = 2")
    (item,) = changes["changes"]
    former = {**item, "address": "workload.import", "is": item["is"], "was": item["was"]}
    moved = {
        **item,
        "address": "workload.intake",
        "moved_from": "workload.import",
        "moved_was": former["was"],
    }
    del moved["was"]
    changes["changes"] = [moved]
    shop.run("update orchestra.deployment set changes = %s where id = 2", json.dumps(changes))
    shop.run("update orchestra.registry set address = 'workload.intake' where address = 'workload.import'")
    with shop.db.reading("begin"):
        now = ledger.recorded_now(shop.db, "shop")
        found = ledger.traces(shop.db, "shop", 1, later=True)
        left = ledger.traces(shop.db, "shop", 2, later=False)
    assert found["workload.import"] == former["was"]
    assert found["workload.intake"] is None
    assert left["workload.import"] is None
    assert left["workload.intake"] == item["is"]
    first = backwards(now, found)
    assert (first["workload.import"], "workload.intake" in first) == (former["was"], False)
