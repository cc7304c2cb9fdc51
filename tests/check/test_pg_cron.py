"""The grammar against pg_cron itself: what it accepts, pg_cron accepts; what it claims of pg_cron holds."""

from __future__ import annotations

import psycopg
import pytest
from check.test_cron import EXPRESSIONS
from engines import Engine
from hypothesis import find

from orchestra.check.cron import read_cron
from orchestra.check.intervals import EXACT
from orchestra.ir import cron

ACCEPTED = [
    "* * * * *",
    "0,30 9-17 * * mon-fri",
    "0 9-17/2 * * MON,Wed,fri",
    "0 0 * jan-mar 7",
    "0 0 * * 5-7",
    "00 03 01 01 00",
    "*/45 */5 */2 * *",
]


@pytest.fixture
def jobs(engine: Engine) -> Engine:
    engine.execute("create extension pg_cron")
    return engine


def takes(engine: Engine, schedule: str) -> bool:
    with engine.connect(autocommit=True) as connection:
        try:
            connection.execute("select cron.schedule('probe', %s, 'select 1')", (schedule,))
        except psycopg.Error:
            return False
        return True


@pytest.mark.engines("pg17")
def test_what_the_grammar_accepts_pg_cron_accepts(jobs: Engine) -> None:
    made = [find(EXPRESSIONS, lambda text, n=n: len(text) % 7 == n) for n in range(7)]
    refused = [
        text for text in [*ACCEPTED, "0 0 $ * *", *made] if read_cron(text)[0] and not takes(jobs, text)
    ]
    assert refused == []


@pytest.mark.engines("pg17")
def test_exact_intervals_are_schedules(jobs: Engine) -> None:
    schedules = {cron.every(ms) for ms in EXACT}
    assert [s for s in sorted(filter(None, schedules)) if not takes(jobs, s)] == []


@pytest.mark.engines("pg17")
@pytest.mark.parametrize(
    "nonsense", ["*/30 * * * * *", "10-5 * * * *", "0 0 * * 1#2", "*-5 * * * *", "0 0 30 2 *"]
)
def test_pg_cron_takes_what_the_grammar_refuses(jobs: Engine, nonsense: str) -> None:
    assert takes(jobs, nonsense)
    assert read_cron(nonsense)[0] is None
