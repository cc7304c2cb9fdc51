"""What is refused before it is live."""

from __future__ import annotations

import pytest
from engines import Engine

from acceptance.cases import BY_NAME, EXAMPLES
from acceptance.cli import orchestra
from acceptance.live import apply, assert_settled, plan
from orchestra.spec import parse_spec
from orchestra.spec.model import Spec

PAGE = EXAMPLES / "background-orchestration"
MISSING = """
version: 1
project: shop
platform: {provider: postgres}
workloads:
  purge:
    trigger: {schedule: {every: 1m}}
    duration: {max: 5s}
    run: {sql: delete from app.gone where old}
"""


def spec_of(text: str) -> Spec:
    result = parse_spec(text)
    assert result.spec is not None
    assert not result.diagnostics
    return result.spec


def test_the_sample_of_the_page_is_accepted_by_pg_cron_and_fails(pg17: Engine) -> None:
    BY_NAME["background-orchestration"].prepare(pg17)
    pg17.psql("create extension pg_cron; select pgmq.create('my_tasks');")
    sample = "SELECT pgmq.delete('my_tasks', msg_id) FROM pgmq.read('my_tasks', 30, 5) WHERE processed = true"
    assert pg17.execute("select cron.schedule('consume-my-tasks', '30 seconds', %s) > 0", [sample]) == [
        (True,)
    ]
    assert 'column "processed" does not exist' in pg17.psql(f"{sample};", check=False)


def test_the_sample_of_the_page_does_not_pass_check() -> None:
    done = orchestra("check", PAGE / "broken.yaml")
    assert done.code == 1
    assert "E313" in done.text
    assert "`pgmq.read` belongs to the machinery" in done.text


@pytest.mark.engines("embedded", "pg17")
def test_the_same_mistake_on_a_table_passes_check_and_is_refused_by_the_plan(engine: Engine) -> None:
    BY_NAME["background-orchestration"].prepare(engine)
    assert orchestra("check", "--strict", PAGE / "broken-table.yaml").code == 0
    done = orchestra("apply", PAGE / "broken-table.yaml", "--auto-approve", db=engine.dsn)
    assert done.code == 1
    assert "workload.forget-processed-tasks" in done.text
    assert 'column "processed" does not exist' in done.text
    assert engine.execute("select to_regnamespace('orchestra') is null") == [(True,)]


def test_a_handler_that_misses_a_table_is_refused_and_says_so(engine: Engine) -> None:
    refused = plan(engine, spec_of(MISSING)).blockers
    assert [(str(b.address), b.exit_code) for b in refused] == [("workload.purge", 1)]
    assert 'relation "app.gone" does not exist' in refused[0].message


def test_a_handler_that_misses_a_table_is_accepted_once_it_is_there(engine: Engine) -> None:
    engine.psql("create schema app; create table app.gone (old boolean);")
    apply(engine, spec_of(MISSING))
    assert_settled(engine, spec_of(MISSING))


def test_a_handler_may_use_what_only_its_plan_makes(engine: Engine) -> None:
    case = BY_NAME["calls_its_own"]
    case.prepare(engine)
    assert not plan(engine, case.spec).blockers


def test_a_handler_that_sends_with_a_wrong_type_is_refused_at_the_latest_before_the_commit(
    embedded: Engine,
) -> None:
    """What only the plan makes cannot be looked at before; a mistake in its use must not get through with it."""
    wrong = MISSING.replace("delete from app.gone where old", "select orchestra.send(workload => true)")
    done = apply_by_library(embedded, spec_of(wrong))
    assert "orchestra.send" in done
    assert embedded.execute("select to_regnamespace('orchestra') is null") == [(True,)]


def apply_by_library(engine: Engine, spec: Spec) -> str:
    from orchestra.errors import OrchestraError

    with pytest.raises(OrchestraError) as caught:
        apply(engine, spec)
    return str(caught.value)


@pytest.mark.parametrize(
    "name", ["Select", "a b", "a'b", 'a"b', "a$b", "ünï", "🚀", "a-", "a--b", "1a", "a_b", "x" * 48]
)
def test_a_workload_name_that_a_queue_could_not_have_is_refused_by_the_schema(name: str) -> None:
    result = parse_spec(
        f"version: 1\nproject: shop\nworkloads:\n  {name!r}: {{trigger: manual, duration: {{max: 5s}}}}\n"
    )
    assert any(d.code.startswith("E1") and d.is_error for d in result.diagnostics)


def test_a_nul_character_is_refused_before_it_is_compiled() -> None:
    text = MISSING.replace("  purge:\n", '  purge:\n    summary: "a\\0b"\n')
    assert any(d.is_error for d in parse_spec(text).diagnostics)
