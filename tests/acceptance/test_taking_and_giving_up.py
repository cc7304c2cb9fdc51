"""`adopt`, `forget` and `plan --refresh-only` as one types them, against a database with live cron jobs."""

from __future__ import annotations

from pathlib import Path

from engines import Engine

from acceptance.cli import orchestra

SPEC = """\
version: 1
project: shop
platform: {provider: postgres}
workloads:
  import:
    trigger: manual
    duration: {max: 5s}
    paused: true
    run: {sql: "select 1"}
  purge:
    trigger: {schedule: {cron: "7 3 * * *"}}
    duration: {max: 5s}
    run: {sql: "select 2"}
"""


def made_by_hand(engine: Engine, folder: Path) -> Path:
    engine.psql(
        "create extension pg_cron; create extension if not exists pgmq; "
        "select pgmq.create('import'); select pgmq.send('import', '{}'); "
        "select cron.schedule('nightly purge', '7 3 * * *', 'select 2')"
    )
    spec = folder / "orchestra.yaml"
    spec.write_text(SPEC)
    return spec


def test_what_was_made_by_hand_is_adopted_minded_and_given_up(embedded: Engine, tmp_path: Path) -> None:
    spec = made_by_hand(embedded, tmp_path)
    at = {"cwd": tmp_path, "db": embedded.dsn}
    assert orchestra("apply", spec, "--auto-approve", **at).code == 5
    both = ("queue.import", "cron_job.purge=nightly purge")
    done = orchestra("adopt", spec, *both, "--auto-approve", **at)
    assert (done.code, "Adopt complete!" in done.text) == (0, True), done.text
    assert orchestra("plan", spec, "--detailed-exitcode", **at).code == 0
    names = {row[0] for row in embedded.execute("select jobname from cron.job")}
    assert "nightly purge" not in names
    assert "orchestra:shop:purge" in names
    assert embedded.execute("select count(*) from pgmq.q_import") == [(1,)]

    assert orchestra("plan", "--refresh-only", "--detailed-exitcode", **at).code == 0
    embedded.execute(
        "select cron.alter_job(jobid, active := false) from cron.job where jobname like '%:purge'"
    )
    drift = orchestra("plan", "--refresh-only", "--detailed-exitcode", **at)
    assert (drift.code, "1 object paused or resumed by hand" in drift.text) == (2, True), drift.text
    assert orchestra("plan", "--detailed-exitcode", **at).code == 0
    assert orchestra("apply", "--accept", "cron_job.purge", "--auto-approve", **at).code == 0
    assert orchestra("plan", "--refresh-only", "--detailed-exitcode", **at).code == 0

    given_up = orchestra("forget", "queue.import", "--auto-approve", **at)
    assert (given_up.code, "the next apply takes it back" in given_up.text) == (0, True), given_up.text
    spec.write_text(SPEC.partition("  import:")[0] + SPEC[SPEC.index("  purge:") :])
    assert orchestra("apply", "--auto-approve", "--allow-destroy", **at).code == 0
    assert embedded.execute("select count(*) from pgmq.q_import") == [(1,)]
    assert embedded.execute("select distinct changes ->> 'actor' is not null from orchestra.deployment") == [
        (True,)
    ]
