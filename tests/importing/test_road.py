"""The whole road, with the words that an import prints: import, check, plan, apply, and a plan that is empty."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest
from acceptance.cli import Ended
from engines import Engine
from engines.waiting import eventually
from hand_made import SEED, job, made_by_hand

ROOT = Path(__file__).parents[2]
APP = """
    create schema app;
    create table app.sessions (id int primary key, expires_at timestamptz);
    create table app.tick (at timestamptz not null default clock_timestamp());
    create table app.orders (id int primary key);
    select pgmq.create('emails');
    select pgmq.create_unlogged('hits');
    select pgmq.send('emails', jsonb_build_object('n', n)) from generate_series(1, 25) n;
    select pgmq.archive('emails', 1::bigint);
    create function app.mail() returns trigger language plpgsql security definer as $$
      begin perform pgmq.send('emails', to_jsonb(new)); return new; end $$;
    create trigger mail after insert on app.orders for each row execute function app.mail();
"""
MESSAGES = "select msg_id, read_ct, message from pgmq.q_emails order by msg_id"


@dataclass(frozen=True)
class Shell:
    """A shell in a directory of its own, in which `orchestra` is this one."""

    home: Path
    url: str

    def __call__(self, line: str) -> Ended:
        done = subprocess.run(
            ["sh", "-c", f'orchestra() {{ "{sys.executable}" -m orchestra "$@"; }}\n{line}'],
            cwd=self.home,
            env={
                "PATH": os.environ["PATH"],
                "PYTHONPATH": str(ROOT),
                "NO_COLOR": "1",
                "HOME": str(self.home),
                "DATABASE_URL": self.url,
            },
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
        )
        return Ended(done.returncode, done.stdout, done.stderr)


@pytest.fixture
def by_hand(engine: Engine, tmp_path: Path) -> Shell:
    made_by_hand(engine, SEED + APP)
    job(engine, "Purge Sessions", "*/15 * * * *", "delete from app.sessions where expires_at < now();")
    job(engine, 'it\'s $(hers) "now"', "0 3 * * *", "select count(*) from app.sessions")
    asleep = job(engine, "asleep", "0 4 * * *", "select 1")
    engine.execute("select cron.alter_job(%s, active => false)", [asleep])
    job(engine, None, "@hourly", "select 2")
    job(engine, "vacuum", "0 5 * * *", "vacuum app.sessions")
    return Shell(tmp_path, engine.dsn)


def adopted(shell: Shell) -> None:
    """Import, look, and do what was printed."""
    found = shell('orchestra import --db "$DATABASE_URL" --project shop --out orchestra.yaml')
    assert found.code == 0, found.text
    command = found.err[found.err.index("orchestra plan") :]
    assert shell("orchestra check").code == 0
    planned = shell(command)
    assert planned.code == 0, planned.text
    assert "cannot be applied" not in planned.text
    done = shell(command.replace("orchestra plan", "orchestra apply --auto-approve", 1))
    assert done.code == 0, done.text


def test_what_was_made_by_hand_is_taken_over_and_plans_empty(engine: Engine, by_hand: Shell) -> None:
    before = engine.execute(MESSAGES), engine.execute("select * from pgmq.a_emails")
    adopted(by_hand)
    again = by_hand('orchestra plan --db "$DATABASE_URL" --detailed-exitcode')
    assert again.code == 0, again.text
    assert (engine.execute(MESSAGES), engine.execute("select * from pgmq.a_emails")) == before
    jobs = dict(engine.execute("select coalesce(jobname, '-'), active from cron.job"))
    mine = {name for name in jobs if not name.startswith("orchestra:")}
    assert mine == {"consume-my-tasks", "vacuum", "-"}
    assert {name for name, active in jobs.items() if not active} == {"orchestra:shop:asleep"}
    schedules = dict(
        engine.execute("select jobname, schedule from cron.job where jobname like 'orchestra:shop:%'")
    )
    assert schedules["orchestra:shop:purge-sessions"] == "*/15 * * * *"
    assert schedules["orchestra:shop:it-s-hers-now"] == "0 3 * * *"
    engine.execute("insert into app.orders values (1)")
    assert len(engine.execute(MESSAGES)) == len(before[0]) + 1


@pytest.mark.engines("embedded", "pg17")
def test_an_adopted_job_goes_on_once_and_no_message_is_taken(engine: Engine, by_hand: Shell) -> None:
    job(engine, "tick", "1 second", "insert into app.tick default values")
    engine.fresh_launcher()
    with engine.run_ticker():
        eventually(
            lambda: engine.execute("select count(*) > 0 from app.tick") == [(True,)], within=30, what="a tick"
        )
        adopted(by_hand)
        engine.execute("delete from app.tick")
        fired = "select count(*) from orchestra.fired where workload = 'tick' and outcome = 'run'"
        eventually(lambda: engine.execute(fired)[0][0] > 2, within=30, what="three runs")
        assert engine.execute("select jobname from cron.job where jobname like '%tick'") == [
            ("orchestra:shop:tick",)
        ]
    # Each run is of another second: the job of old runs no more.
    assert (
        engine.execute("select count(*) from app.tick group by date_trunc('second', at) having count(*) > 2")
        == []
    )
    assert {read_ct for _, read_ct, _ in engine.execute(MESSAGES)} == {0}


def test_a_second_import_leaves_out_what_was_adopted(engine: Engine, by_hand: Shell) -> None:
    adopted(by_hand)
    again = by_hand('orchestra import --db "$DATABASE_URL" --project more')
    assert again.code == 0, again.text
    assert "of project shop, which orchestra has already" in again.text
    assert "--adopt" not in again.text
    assert "consume-my-tasks" in again.out
    assert "unscheduled" not in again.out


def test_a_file_that_exists_is_kept(by_hand: Shell) -> None:
    spec = by_hand.home / "orchestra.yaml"
    spec.write_text("mine")
    refused = by_hand('orchestra import --db "$DATABASE_URL" --out orchestra.yaml')
    assert refused.code == 64
    assert "orchestra.yaml exists" in refused.text
    assert "--overwrite" in refused.text
    assert spec.read_text() == "mine"
    assert by_hand('orchestra import --db "$DATABASE_URL" --out orchestra.yaml --overwrite').code == 0
    assert spec.read_text().startswith("# Written by orchestra")
