"""What going back does to what is not the spec's alone: messages, adoption, protection, environments, neighbours."""

from __future__ import annotations

import pytest
from apply.shop import NOTHING, QUEUE, SHOP, Shop, assert_empty, change, codes, said
from engines import Engine

from history.back import conditions, go_back, hazards, listed, plan_back
from orchestra import pipeline
from orchestra.errors import ConnectError, OrchestraError, RequirementError, UsageError
from orchestra.history.model import Deployment
from orchestra.live.ledger_rows import VerbRow
from orchestra.pipeline import PlanOptions
from orchestra.spec import parse_spec
from orchestra.spec.model import Spec

TWO = QUEUE + QUEUE.partition("\n")[2].replace("import", "export")
RENAMED = QUEUE.replace("trigger: manual", "trigger: manual\n    queue: {name: elsewhere}")
PROTECTED = QUEUE.replace("trigger: manual", "trigger: manual\n    protect: true")
EDGE = """\
workloads:
  relay:
    trigger: manual
    steps:
      collect: {duration: {max: 5s}}
      render: {depends_on: [collect], duration: {max: 5s}}
"""


def send(shop: Shop, queue: str = "import", number: int = 1) -> None:
    shop.run("select pgmq.send(%s, '{}') from generate_series(1, %s)", queue, number)


def test_the_road_back_says_what_it_does_not_bring_back(shop: Shop) -> None:
    shop.apply(QUEUE)
    send(shop)
    shop.apply(NOTHING, allow_destroy=True, allow=frozenset({"messages:queue.import=1"}))
    plan = go_back(shop, 1)
    assert [h.message for h in change(plan, "queue.import").hazards] == [
        "the messages that it had do not come back with it"
    ]
    (condition,) = plan.conditions
    assert condition.code == "spec_ahead"
    assert "its next plan shows these changes again" in condition.message
    assert shop.one("select count(*) from pgmq.q_import") == 0
    # And so it does.
    assert said(shop.plan(NOTHING)) == [
        "delete cron_job.tick.1m",
        "delete cron_job.import.worker-1",
        "delete cron_job.housekeep.1m",
        "delete workload.import",
        "delete queue.import",
    ]


def test_going_back_before_a_queue_was_made_needs_a_word_for_each_message(shop: Shop) -> None:
    shop.apply(QUEUE)
    shop.apply(TWO)
    send(shop, "export", 3)
    assert codes(plan_back(shop, 1)) == {"delete", "messages"}
    assert codes(plan_back(shop, 1, allow_destroy=True)) == {"messages"}
    words = frozenset({"messages:queue.export=3"})
    assert said(go_back(shop, 1, allow=words)) == [
        "delete cron_job.export.worker-1",
        "delete workload.export",
        "delete queue.export",
    ]
    assert_empty(shop.plan(QUEUE))


def test_a_queue_gets_its_former_name_back_with_its_messages(shop: Shop) -> None:
    shop.apply(QUEUE)
    shop.apply(RENAMED)
    send(shop, "elsewhere")
    plan = go_back(shop, 1)
    assert hazards(plan) == {"move"}
    assert "update queue.import" in said(plan)
    assert shop.run("select queue_name from pgmq.meta") == [("import",)]
    assert shop.one("select count(*) from pgmq.q_import") == 1
    assert_empty(shop.plan(QUEUE))


def test_a_queue_of_another_kind_comes_back_empty(shop: Shop) -> None:
    shop.apply(QUEUE)
    shop.apply(QUEUE.replace("trigger: manual", "trigger: manual\n    queue: {kind: unlogged}"))
    send(shop)
    plan = go_back(shop, 1, allow=frozenset({"messages:queue.import=1"}))
    assert hazards(plan) == {"messages", "empty"}
    assert "replace queue.import" in said(plan)
    assert_empty(shop.plan(QUEUE))


def test_a_renamed_workload_gets_its_former_name_back_with_all_that_is_its_own(shop: Shop) -> None:
    renamed = QUEUE.replace("  import:\n", "  intake:\n    moved: {from: import}\n")
    again = QUEUE.replace("  import:\n", "  inbox:\n    moved: {from: intake}\n")
    shop.apply(QUEUE)
    shop.apply(renamed)
    shop.apply(again)
    send(shop, "inbox", 3)
    plan = go_back(shop, 1)
    assert {str(c.moved_from) for c in plan.changes} == {
        "queue.inbox",
        "workload.inbox",
        "cron_job.inbox.worker-1",
    }
    assert shop.one("select count(*) from pgmq.q_import") == 3
    assert_empty(shop.plan(QUEUE))
    assert said(go_back(shop, 3)) == [
        "update queue.inbox",
        "update workload.inbox",
        "update cron_job.inbox.worker-1",
    ]
    assert_empty(shop.plan(again))


def test_there_is_no_way_back_across_another_name_of_the_project(shop: Shop) -> None:
    shop.apply(QUEUE)
    shop.apply("moved: {from: shop}\n" + QUEUE, project="store")
    with pytest.raises(OrchestraError, match="the project was called shop at deployment 1, and is store now"):
        plan_back(shop, 1, project="store")


def test_before_an_adoption_is_a_queue_that_is_given_up_with_its_messages(shop: Shop) -> None:
    shop.apply(NOTHING)
    shop.run("create extension if not exists pg_cron")
    shop.apply(QUEUE.replace("import", "other"))
    shop.run("select pgmq.create('import')")
    send(shop, number=4)
    shop.apply(TWO.replace("export", "other"), adopt=frozenset({"queue.import"}))
    plan = plan_back(shop, 2)
    assert codes(plan) == {"delete"}
    forgotten = change(plan, "queue.import")
    assert (forgotten.action.value, forgotten.hazards, forgotten.fields) == ("forget", (), ())
    assert forgotten.reasons == (
        "it was there after deployment 2 and not ours: it is given up, with all that is in it",
    )
    go_back(shop, 2)
    assert shop.one("select count(*) from pgmq.q_import") == 4
    assert_empty(shop.plan(QUEUE.replace("import", "other")))
    # It was ours, so forward again needs no second adoption.
    go_back(shop, 3)
    assert shop.one("select count(*) from pgmq.q_import") == 4
    assert_empty(shop.plan(TWO.replace("export", "other")))


def test_what_was_adopted_and_made_anew_since_is_ours_to_remove(shop: Shop) -> None:
    shop.apply(NOTHING)
    shop.apply(QUEUE.replace("import", "other"))
    shop.run("select pgmq.create('import')")
    shop.apply(TWO.replace("export", "other"), adopt=frozenset({"queue.import"}))
    shop.run("select pgmq.drop_queue('import')")
    shop.apply(TWO.replace("export", "other"))
    assert change(plan_back(shop, 2), "queue.import").action.value == "delete"


def test_a_job_that_its_adoption_changed_is_given_up_as_it_is(shop: Shop) -> None:
    shop.apply(NOTHING)
    shop.apply(QUEUE)
    job = "orchestra:shop:nightly"
    shop.run("select cron.schedule(%s, '5 5 * * *', 'select 5')", job)
    shop.apply(SHOP, allow_destroy=True, adopt=frozenset({"cron_job.nightly"}))
    plan = go_back(shop, 2)
    assert change(plan, "cron_job.nightly").action.value == "forget"
    (condition,) = [c for c in plan.conditions if c.code == "adoption_changed"]
    assert 'schedule "5 5 * * *"' in condition.message
    assert shop.one("select count(*) from cron.job where jobname = %s", job) == 1


def test_no_protection_is_lifted_and_what_is_protected_stays(shop: Shop) -> None:
    shop.apply(NOTHING)
    shop.apply(QUEUE)
    shop.apply(PROTECTED.replace("max: 5s", "max: 6s"))
    plan = go_back(shop, 2)
    assert "protect_kept" in conditions(plan)
    assert shop.one("select protect from orchestra.registry where address = 'workload.import'") is True
    assert codes(plan_back(shop, 1, allow_destroy=True)) == {"protected"}
    shop.apply(PROTECTED.replace("protect: true", "protect: false"))
    # Back to where it was protected, it is so again.
    go_back(shop, 3)
    assert shop.one("select protect from orchestra.registry where address = 'workload.import'") is True


def test_a_protected_environment_keeps_what_going_back_would_remove(shop: Shop) -> None:
    shop.apply(NOTHING, protect=True)
    shop.apply(QUEUE, protect=True)
    assert codes(plan_back(shop, 1, protect=True, allow_destroy=True)) == {"protected"}


def test_gate_and_environment_are_those_of_today(shop: Shop) -> None:
    shop.apply(QUEUE, environment="preview", environment_paused=True)
    shop.apply(TWO, environment="preview")
    shop.apply(TWO.replace("max: 5s", "max: 6s"), environment="preview", environment_paused=True)
    gate = "select environment, gate from orchestra.project"
    go_back(shop, 2, as_recorded=True)
    assert shop.run(gate) == [("preview", "paused")]
    go_back(shop, 1, environment="preview")
    assert shop.run(gate) == [("preview", "open")]
    assert codes(plan_back(shop, 2, environment="production")) == {"environment"}


def test_what_an_operator_paused_stays_paused_on_the_way_back(shop: Shop) -> None:
    shop.apply(QUEUE)
    shop.apply(QUEUE.replace("max: 5s", "max: 6s"))
    shop.run("select orchestra.pause('shop', 'import')")
    plan = go_back(shop, 1)
    assert shop.one("select paused from orchestra.workload") is True
    (paused,) = [c for c in plan.conditions if c.code == "paused_by_hand"]
    assert paused.remedy.startswith(
        "undo it with: orchestra rollback 1 --revert workload.import; keep it with:"
    )
    assert said(go_back(shop, 1, resume_paused=True)) == ["update workload.import"]
    assert shop.one("select paused from orchestra.workload") is False


def test_a_destroyed_project_comes_back_and_goes_again(shop: Shop) -> None:
    shop.apply(SHOP, environment="preview", environment_paused=True)
    wanted = shop.steady_state()
    shop.destroy(environment="preview")
    gone = shop.steady_state()
    assert said(plan_back(shop, 2, as_recorded=True)) == []
    go_back(shop, 1, as_recorded=True)
    assert shop.steady_state() == wanted
    plan = go_back(shop, 2, as_recorded=True)
    assert plan.destroying
    assert shop.steady_state() == gone


def test_another_project_is_not_touched(shop: Shop) -> None:
    other = QUEUE.replace("import", "export")
    shop.apply(QUEUE)
    shop.apply(other, project="other")
    shop.apply(NOTHING, allow_destroy=True)
    shop.apply(other.replace("max: 5s", "max: 6s"), project="other")
    assert all("export" not in text for text in said(go_back(shop, 1)))
    assert_empty(shop.plan(other.replace("max: 5s", "max: 6s"), project="other"))
    with pytest.raises(UsageError, match="deployment 2 is one of project other, not of shop"):
        plan_back(shop, 2)


def test_one_workload_goes_back_alone(shop: Shop) -> None:
    shop.apply(TWO)
    shop.apply(TWO.replace("max: 5s", "max: 6s"))
    assert said(go_back(shop, 1, workload="export")) == ["update workload.export"]
    assert shop.run("select name, timeout_ms from orchestra.workload order by 1") == [
        ("export", 5000),
        ("import", 6000),
    ]
    # That is not the state of the first deployment, so it is not said to be.
    newest = listed(shop).entries[0]
    assert isinstance(newest, Deployment)
    assert newest.last.back_to is None
    with pytest.raises(UsageError, match="there is no workload 'imprt', neither now nor after deployment 1"):
        plan_back(shop, 1, workload="imprt")


def test_requires_is_the_specs_and_keeps_nobody_from_going_back(shop: Shop) -> None:
    shop.apply(SHOP)
    shop.apply(SHOP.replace("30 2 * * *", "30 3 * * *"))
    shop.run("alter table app.orders rename to former_orders")
    with pytest.raises(RequirementError):
        shop.plan(SHOP)
    assert codes(plan_back(shop, 1)) == {"table"}


def test_functions_keep_their_code_and_their_contract_is_named(embedded: Engine) -> None:
    shop = Shop(embedded)

    def apply(text: str) -> str:
        spec = edge_spec(text)
        plan = pipeline.plan(shop.db, spec, PlanOptions(allow_destroy=True))
        pipeline.apply(shop.db, plan, git_commit="a" * 40)
        found = shop.run("select contract from orchestra.workload where name = 'relay'")
        return str(found[0][0]) if found else ""

    first = apply(EDGE)
    second = apply(EDGE + "      publish: {depends_on: [render], duration: {max: 5s}}\n")
    assert first != second
    plan = plan_back(shop, 1)
    found = {c.code: c for c in plan.conditions}
    contract = found["function_contract"]
    assert str(contract.address) == "edge_function.relay"
    assert contract.message == (
        f"its code is not rolled back: after deployment 1 it has contract {first}, at present it has {second}"
    )
    assert contract.remedy == (
        "git checkout aaaaaaaaaaaa && orchestra compile --out supabase && supabase functions deploy relay"
    )
    assert not {"not_deployed", "functions_kept"} & found.keys()
    apply(EDGE.replace("5s", "6s"))
    apply(EDGE)
    (kept,) = [c for c in plan_back(shop, 3).conditions if c.code.startswith("function")]
    assert kept.message == "the code of Edge Functions is not rolled back, their contract is the same (relay)"
    apply("workloads: {}\n")
    apply(EDGE)
    assert "supabase functions delete relay" in {c.remedy for c in plan_back(shop, 5).conditions}
    shop.close()


def edge_spec(text: str) -> Spec:
    head = "version: 1\nproject: shop\nplatform: {provider: supabase, plan: pro}\n"
    result = parse_spec(head + text)
    assert not any(d.is_error for d in result.diagnostics), result.diagnostics
    assert result.spec is not None
    return result.spec


def test_verbs_of_operators_stand_between_deployments(shop: Shop) -> None:
    shop.apply(QUEUE)
    shop.run("select orchestra.pause('shop', 'import')")
    shop.run("select orchestra.resume('shop', 'import')")
    shop.run("select orchestra.pause('shop')")
    shop.apply(TWO)
    shop.run("select orchestra.pause('shop', 'export')")
    found = [
        f"#{e.number}" if isinstance(e, Deployment) else f"{e.verb} {e.workload}"
        for e in listed(shop).entries
    ]
    assert found == ["pause export", "#2", "pause None", "resume import", "pause import", "#1"]
    # A workload's history is that of its own objects, and what was done to the whole project.
    own = listed(shop, workload="export").entries
    assert [e.verb if isinstance(e, VerbRow) else e.number for e in own] == ["pause", 2, "pause"]
    assert own[1].counts == {"added": 3, "changed": 0, "destroyed": 0}  # type: ignore[union-attr]
    # With a limit, only what was done since the oldest that is shown.
    short = listed(shop, limit=1)
    assert short.more
    assert [e.verb if isinstance(e, VerbRow) else e.number for e in short.entries] == ["pause", 2]


def test_what_an_apply_does_to_adopt_a_queue_is_nobodys_verb(shop: Shop) -> None:
    shop.apply(NOTHING)
    shop.apply(QUEUE.replace("import", "other"))
    shop.run("select pgmq.create('import')")
    shop.apply(TWO.replace("export", "other"), adopt=frozenset({"queue.import"}))
    assert shop.run("select verb from orchestra.operator_log") == [("refund",)]
    assert all(isinstance(e, Deployment) for e in listed(shop).entries)


@pytest.mark.engines("pg17")
def test_a_role_that_may_not_read_the_ledger_is_told_so(hosted: Shop) -> None:
    hosted.apply(QUEUE)
    hosted.run("create role visitor login")
    visitor = Shop(hosted.engine, hosted.engine.url(user="visitor"))
    for look in (lambda: listed(visitor), lambda: plan_back(visitor, 1)):
        with pytest.raises(ConnectError, match="role visitor may not use the schema"):
            look()
    hosted.run("grant usage on schema orchestra, pgmq, cron to visitor")
    hosted.run("grant select on all tables in schema orchestra, pgmq, cron to visitor")
    with pytest.raises(ConnectError, match="role visitor cannot see what is in orchestra"):
        listed(visitor)
    visitor.close()


@pytest.mark.engines("pg17")
def test_history_and_going_back_work_without_superuser(hosted: Shop) -> None:
    hosted.apply(QUEUE)
    hosted.apply(TWO)
    go_back(hosted, 1)
    assert [e.last.role for e in listed(hosted).entries if isinstance(e, Deployment)] == ["postgres_like"] * 3


def test_messages_are_not_handed_to_another_workload_on_the_way_back(shop: Shop) -> None:
    """Then there were two, and the one that is left has the name of the other now."""
    two = QUEUE + QUEUE.partition("\n")[2].replace("import", "export")
    shop.apply(two)
    shop.apply(QUEUE, allow_destroy=True)
    shop.apply(QUEUE.replace("  import:\n", "  export:\n    moved: {from: import}\n"))
    send(shop, "export")
    with pytest.raises(
        OrchestraError, match="was called import at deployment 1, and export was another one then"
    ):
        plan_back(shop, 1)


def test_a_new_workload_of_a_name_that_was_renamed_to_is_not_taken_for_the_old_one(shop: Shop) -> None:
    shop.apply(QUEUE)
    shop.apply(QUEUE.replace("  import:\n", "  export:\n    moved: {from: import}\n"))
    shop.apply(NOTHING, allow_destroy=True)
    shop.apply(QUEUE.replace("  import:\n", "  export:\n"))
    plan = plan_back(shop, 1, allow_destroy=True)
    assert {c.moved_from for c in plan.changes} == {None}
    assert {"create queue.import", "delete queue.export"} <= set(said(plan))
