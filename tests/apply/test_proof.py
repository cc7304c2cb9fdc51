"""A batch commits only if it brought about what it said and nothing else; whoever meddles makes it roll back."""

from __future__ import annotations

import pytest

from apply.shop import QUEUE, SHOP, Shop, assert_empty, spec_of
from orchestra import pipeline
from orchestra.errors import ApplyError, ProofError

MORE = SHOP.replace("{max: 5s}", "{max: 6s}")

MEDDLERS = {
    "a trigger changes what is written": (
        """create function app.meddle() returns trigger language plpgsql as
             $$ begin new.max_attempts := 77; return new; end $$;
           create trigger meddle before insert or update on orchestra.workload
             for each row execute function app.meddle()""",
        r"after the changes workload\.\S+ is still not what the plan says \(max_attempts\)",
    ),
    "a trigger swallows what is written": (
        """create function app.meddle() returns trigger language plpgsql as $$ begin return null; end $$;
           create trigger meddle before insert or update on orchestra.workload
             for each row execute function app.meddle()""",
        r"after the changes workload\.\S+ is still not what the plan says",
    ),
    "a trigger writes to another workload": (
        """create function app.meddle() returns trigger language plpgsql as
             $$ begin update orchestra.workload set delay_ms = 7 where name = 'bystander'; return null; end $$;
           create trigger meddle after insert or update on orchestra.registry
             for each statement execute function app.meddle()""",
        r"the changes also touched the row of workload\.bystander",
    ),
    "a trigger drops another queue": (
        """create function app.meddle() returns trigger language plpgsql as
             $$ begin perform pgmq.drop_queue('bystander'); return null; end $$;
           create trigger meddle after insert or update on orchestra.registry
             for each statement execute function app.meddle()""",
        r"the changes also touched queue\.bystander, which is gone",
    ),
    "an event trigger undoes what is made": (
        """create function app.meddle() returns event_trigger language plpgsql as
             $$ begin alter table app.orders disable trigger all; end $$;
           create event trigger meddle on ddl_command_end when tag in ('CREATE TRIGGER')
             execute function app.meddle()""",
        r"after the changes table_trigger\.send-receipts is still not what the plan says \(enabled\)",
    ),
}
WITH_BYSTANDER = SHOP + QUEUE.partition("\n")[2].replace("import", "bystander")


@pytest.mark.parametrize("name", MEDDLERS)
def test_whoever_meddles_makes_the_apply_roll_back(shop: Shop, name: str) -> None:
    meddle, says = MEDDLERS[name]
    shop.apply(WITH_BYSTANDER)
    changed = WITH_BYSTANDER.replace('app.sessions"', 'app.sessions where true"').replace(
        "columns: [total]", "columns: [id]"
    )
    plan = shop.plan(changed)
    shop.engine.psql(meddle)
    before = shop.state()
    with pytest.raises(ProofError, match=says) as caught:
        shop.apply_plan(plan)
    assert "rolled back" in caught.value.remedy
    assert shop.state() == before


def test_another_session_that_changes_the_same_object_meanwhile_is_found(shop: Shop) -> None:
    shop.apply()
    plan = shop.plan(SHOP.replace('"*/15 * * * *"', '"*/20 * * * *"'))

    def meddle(*_: object) -> None:
        shop.run("select cron.unschedule('orchestra:shop:nightly')")

    with pytest.raises(ProofError, match=r"cron_job\.nightly"):
        pipeline.apply(shop.db, plan, on_progress=meddle)
    assert shop.one("select schedule from cron.job where jobname like '%%purge-sessions'") == "*/15 * * * *"


def test_a_table_that_a_handler_needs_and_that_is_gone_since_the_plan_is_found_before_the_commit(
    shop: Shop,
) -> None:
    shop.apply()
    plan = shop.plan(MORE)
    shop.run("drop table app.receipts")
    before = shop.state()
    with pytest.raises(
        ApplyError, match=r'workload\.send-receipts: .*relation "app.receipts" does not exist'
    ):
        shop.apply_plan(plan)
    assert shop.state() == before


def test_a_table_that_a_trigger_needs_and_that_is_gone_since_the_plan_fails_by_name(shop: Shop) -> None:
    plan = shop.plan()
    shop.run("drop table app.orders")
    before = shop.state()
    with pytest.raises(
        ApplyError, match=r'table_trigger\.send-receipts: relation "app.orders" does not exist'
    ) as caught:
        shop.apply_plan(plan)
    assert "everything was rolled back" in caught.value.remedy
    assert shop.state() == before


def test_a_handler_may_speak_of_what_only_the_plan_makes(shop: Shop) -> None:
    spec = QUEUE.replace("select 1", "select orchestra.send('shop/import', '{}') from pgmq.q_import limit 0")
    shop.apply(spec)
    assert_empty(shop.plan(spec))
    wrong = QUEUE.replace("select 1", "select orchestra.no_such('x')")
    assert [b.code for b in shop.plan(wrong).blockers] == ["sql"]


def test_a_handler_that_misnames_what_the_plan_makes_fails_before_the_commit(shop: Shop) -> None:
    before = shop.state()
    plan = pipeline.plan(
        shop.db, spec_of(QUEUE.replace("select 1", "select orchestra.no_such('x')")), pipeline.PlanOptions()
    )
    with pytest.raises(ApplyError, match=r"workload\.import: .*no_such"):
        shop.apply_plan(plan)
    assert shop.state() == before
