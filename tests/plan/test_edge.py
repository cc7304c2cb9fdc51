"""What a plan says of work in Edge Functions: what the server lacks is refused, what is not deployed is told."""

from __future__ import annotations

from apply.shop import Shop, assert_empty, change, codes, said
from engines import Engine
from engines.supabase import install_pgmq

from orchestra import pipeline
from orchestra.pipeline import PlanOptions
from orchestra.plan.model import Plan
from orchestra.spec import parse_spec

HEAD = "version: 1\nproject: shop\nplatform: {provider: supabase, plan: pro}\nworkloads:\n"
QUEUE = "  mail: {trigger: manual, duration: {max: 5s}, poll_interval: 1m}\n"
PIPELINE = """\
  report:
    trigger: manual
    poll_interval: 1m
    steps:
      collect: {duration: {max: 5s}, run: {sql: "select 1"}}
      publish: {depends_on: [collect], duration: {max: 5s}, run: {sql: "select nothing from app.orders"}}
"""


def plan(shop: Shop, workloads: str, schema: str = "{}") -> Plan:
    result = parse_spec(HEAD + workloads, "orchestra.yaml", {"mail.json": schema})
    assert result.spec is not None, result.diagnostics
    return pipeline.plan(shop.db, result.spec, PlanOptions())


def test_a_pipeline_is_refused_where_messages_carry_no_headers(shop: Shop) -> None:
    """As with pgmq 1.4.4: told by the catalogue, whatever the version says."""
    install_pgmq(shop.engine)
    assert "no_headers" not in codes(plan(shop, PIPELINE))
    shop.run("alter type pgmq.message_record rename attribute headers to former_headers")
    refused = plan(shop, PIPELINE)
    assert "no_headers" in codes(refused)
    (blocker,) = [b for b in refused.blockers if b.code == "no_headers"]
    assert (str(blocker.address), blocker.exit_code) == ("workload.report", 1)
    assert "1.5" in blocker.remedy


def test_the_sql_of_a_step_is_shown_to_the_server(shop: Shop) -> None:
    install_pgmq(shop.engine)
    (blocker,) = [b for b in plan(shop, PIPELINE).blockers if b.code == "sql"]
    assert 'PostgreSQL refuses the SQL of step publish: column "nothing" does not exist' in blocker.message
    assert_applies(shop, PIPELINE.replace("nothing", "total"))


def assert_applies(shop: Shop, workloads: str) -> None:
    made = plan(shop, workloads)
    assert not made.blockers, made.blockers
    shop.apply_plan(made)
    assert_empty(plan(shop, workloads))


def test_a_function_that_was_never_seen_is_a_condition_until_it_is(embedded: Engine) -> None:
    shop = Shop(embedded)
    try:
        first = plan(shop, QUEUE)
        assert [c.code for c in first.conditions] == ["missing_secret", "missing_secret", "not_deployed"]
        shop.apply_plan(first)
        shop.run("select vault.create_secret('http://127.0.0.1:1', 'orchestra_function_url')")
        shop.run("select vault.create_secret('key', 'orchestra_function_key')")
        again = plan(shop, QUEUE)
        assert said(again) == []
        assert [c.code for c in again.conditions] == ["not_deployed"]
        contract = shop.one("select contract from orchestra.workload where name = 'mail'")
        assert shop.one("select verdict from orchestra.enter_v1('shop', 'mail', %s)", contract) == "go"
        assert plan(shop, QUEUE).conditions == ()

        changed = (
            PIPELINE.replace("report", "mail")
            .replace(', run: {sql: "select 1"}', "")
            .replace(', run: {sql: "select nothing from app.orders"}', "")
        )
        later = plan(shop, changed)
        assert change(later, "workload.mail").category.value == "contract"
        (told,) = later.conditions
        assert told.code == "not_deployed"
        assert contract in told.message
        assert "supabase functions deploy mail" in told.remedy
    finally:
        shop.close()


def test_another_payload_schema_waits_for_the_deploy_of_its_function(embedded: Engine) -> None:
    """A larger batch does not."""
    shop = Shop(embedded)
    mail = QUEUE.replace("mail: {", "mail: {payload_schema: ./mail.json, concurrency: {limit: 40}, ")
    try:
        shop.apply_plan(plan(shop, mail, '{"type": "string"}'))
        wanted = "select contract from orchestra.workload where name = 'mail'"
        enter = "select verdict from orchestra.enter_v1('shop', 'mail', %s)"
        deployed = shop.one(wanted)
        assert shop.one(enter, deployed) == "go"

        larger = plan(shop, mail.replace("mail: {", "mail: {batch_size: 20, "), '{"type": "string"}')
        assert change(larger, "workload.mail").category.value != "contract"
        assert "not_deployed" not in [c.code for c in larger.conditions]
        shop.apply_plan(larger)
        assert shop.one(wanted) == deployed

        other = plan(shop, mail, '{"type": "integer"}')
        assert change(other, "workload.mail").category.value == "contract"
        assert "not_deployed" in [c.code for c in other.conditions]
        shop.apply_plan(other)
        assert shop.one(wanted) != deployed
        assert shop.one(enter, deployed) == "go"
        assert shop.one(enter, shop.one(wanted)) == "go"
        assert shop.one(enter, deployed) == "drain"
    finally:
        shop.close()


def test_wakes_need_pg_net_where_work_runs_in_functions_and_only_there(pg15: Engine) -> None:
    shop = Shop(pg15)
    try:
        assert {"no_pg_net", "no_supabase_vault"} <= codes(plan(shop, QUEUE))
        sql = "  mail: {trigger: manual, duration: {max: 5s}, poll_interval: 1m, run: {sql: select 1}}\n"
        assert not codes(plan(shop, sql)) & {"no_pg_net", "no_supabase_vault"}
    finally:
        shop.close()
