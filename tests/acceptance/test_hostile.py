"""Texts and names that break what is glued together arrive in the database as they were written."""

from __future__ import annotations

from typing import Any

import pytest
from engines import Engine

from acceptance.cases import BY_NAME, Case
from acceptance.live import apply


def drained(engine: Engine, case: Case, workload: str) -> None:
    """Send one message and run the worker's job as pg_cron would."""
    engine.execute("select orchestra.send(%s, '{\"n\": 1}')", [workload])
    [(command,)] = engine.execute(
        "select command from cron.job where jobname = %s",
        [f"orchestra:{case.spec.project}:{workload}.worker-1"],
    )
    engine.execute(command)


@pytest.fixture
def texts(engine: Engine) -> Engine:
    case = BY_NAME["hostile_texts"]
    case.prepare(engine)
    apply(engine, case.spec)
    return engine


def _column(engine: Engine, column: str) -> dict[str, Any]:
    return dict(engine.execute(f"select name, {column} from orchestra.workload"))


def test_summaries_and_statements_survive_apply_and_psql_unchanged(texts: Engine) -> None:
    spec, sql = BY_NAME["hostile_texts"].spec, BY_NAME["hostile_texts"].sql
    for _ in range(2):
        assert _column(texts, "summary") == {w.name: w.summary for w in spec.workloads}
        stored = _column(texts, "sql")
        assert stored["quotes"] == spec.workloads[-1].handler.sql  # type: ignore[union-attr]
        assert stored["lines"].count("\r\n") == 2
        texts.psql(sql)


def test_statements_say_what_they_were_written_to_say(texts: Engine) -> None:
    case = BY_NAME["hostile_texts"]
    for workload in case.spec.workloads:
        drained(texts, case, workload.name)
    assert texts.execute("select workload, error from orchestra.dead_letter") == []
    assert dict(texts.execute("select name, words from app.said")) == {
        "quotes": "it's \\ ' \ndollar 'quoted' :payload inner $orchestra$ $migration$ -- ; /*",
        "emoji": "🚀 '日本語' é \u202e",
        "lines": "one\r\n\ttwo",
        "ends-in-dollar": '{"n": 1}',
    }


@pytest.mark.engines("embedded", "pg17")
def test_a_trigger_on_an_oddly_named_table_wakes_a_handler_of_an_odd_role(engine: Engine) -> None:
    case = BY_NAME["hostile_names"]
    case.prepare(engine)
    apply(engine, case.spec)
    engine.execute("""insert into "Odd Schema"."Order ""Lines""\" values (7, 1, 'x')""")
    engine.execute("call orchestra.drain_sql('n-m', 'select', 1)")
    assert engine.execute("select workload, error from orchestra.dead_letter") == []
    assert engine.execute('select key from "Odd Schema"."Took"') == [('{"I d": 7}',)]


@pytest.mark.engines("embedded", "pg17")
def test_an_odd_role_may_enqueue_by_rpc_and_nobody_else(engine: Engine) -> None:
    case = BY_NAME["hostile_names"]
    case.prepare(engine)
    apply(engine, case.spec)
    call = "select public.enqueue_select('{}')"
    engine.psql(f'set role "Odd Role"; {call};')
    assert "permission denied" in engine.psql(f"create role other; set role other; {call};", check=False)
