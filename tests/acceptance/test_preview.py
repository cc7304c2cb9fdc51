"""A preview environment compiles and is there in full, and nothing of it fires, until it is opened. Real PostgreSQL 17,
pg_cron and Deno."""

from __future__ import annotations

from pathlib import Path

from engines import Engine

from acceptance.cases import Case
from acceptance.live import apply, plan
from acceptance.world import SECRET_KEY, World, running
from orchestra.pipeline import PlanOptions

HERE = Path(__file__).parent / "preview"
SITE = Case("preview", HERE / "orchestra.yaml", HERE / "setup.sql", HERE / "none.sql")
PAUSED = PlanOptions(environment="preview", environment_paused=True)
OPEN = PlanOptions(environment="preview")

# Jobs of a minute's grain do not run within the time of a test; those of seconds do all that could fire.
TICKED_TWICE = """
    select bool_and(runs >= 2) from (
      select j.jobid, count(d.runid) filter (where d.status = 'succeeded') as runs
      from cron.job j left join cron.job_run_details d using (jobid)
      where j.schedule like '%% seconds'
      group by j.jobid
    ) j
"""
CALLS = """
    select (select count(*) from net._http_response) + (select count(*) from net.http_request_queue)
         + (select count(*) from orchestra.wake where last_at is not null)
"""


def test_nothing_of_a_paused_environment_fires_until_it_is_opened(pg17: Engine, tmp_path: Path) -> None:
    with running(SITE, pg17, tmp_path, planned=PAUSED) as world:
        key = {"apikey": SECRET_KEY}
        relayed = world.post("relay", {"n": 1}, **key)
        assert (relayed.status, "paused" in str(relayed.body)) == (503, True)
        assert "retry-after" in {name.lower() for name in relayed.headers}
        assert world.post("intake", {"n": 1}, **key).status == 202
        world.engine.execute("insert into site.page values (1, 'one')")
        world.engine.execute("select orchestra.send('site/digest', '{}')")
        world.becomes(TICKED_TWICE, within=90)
        assert_still(world)

        again = plan(pg17, SITE.spec, PAUSED)
        assert again.is_empty
        assert "environment_paused" in {c.code for c in again.conditions}

        opened = apply(pg17, SITE.spec, OPEN)
        assert [
            (str(c.address), [(f.path, f.before, f.after) for f in c.fields]) for c in opened.changes
        ] == [("project.site", [("gate", "paused", "open")])]
        for what in ("intake", "index", "stamp", "digest", "purge"):
            world.becomes(f"select count(*) > 0 from site.done where what = '{what}'", within=60)
        assert world.post("relay", {"n": 2}, **key).status == 200
        world.becomes("select count(*) = 1 from site.done where what = 'relay'")
        # What fell into the pause is not made up for: one message of each table trigger, and one that was sent by hand.
        assert world.one("select count(*) from site.done where what in ('intake', 'index', 'stamp')") == 3


def assert_still(world: World) -> None:
    """All of it is there, time has come for all of it, and nobody was called."""
    assert world.one("select count(*) from cron.job where active and jobname like 'orchestra:site:%%'") >= 6
    assert world.one("select count(*) from site.done") == 0
    assert world.one("select count(*) from orchestra.call") == 0
    assert world.one(CALLS) == 0
    waiting = {
        name: world.one(f"select count(*) from pgmq.q_{name} where read_ct = 0")
        for name in ("intake", "index", "stamp", "digest")
    }
    assert waiting == dict.fromkeys(waiting, 1)
    fired = world.engine.execute(
        "select workload, outcome, count(*) > 0 from orchestra.fired group by 1, 2 order by 1"
    )
    assert fired == [("digest", "paused", True), ("purge", "paused", True)]
    assert world.one("select count(*) from orchestra.slot where token is not null") == 0
