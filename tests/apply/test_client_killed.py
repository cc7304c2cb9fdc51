"""The client is killed at some moment of an apply: the server is as before or as it shall be, and the lock is free."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from engines.waiting import eventually

from apply.shop import HEAD, SHOP, Shop, assert_empty
from orchestra.dev.binaries import clean_environment

COMMAND = [
    sys.executable,
    "-m",
    "orchestra",
    "apply",
    "--auto-approve",
    "--allow-destroy",
    "--format",
    "json",
]
MORE = SHOP.replace("{max: 5s}", "{max: 6s}").replace('"*/15 * * * *"', '"*/20 * * * *"')


def _start(shop: Shop, folder: Path, text: str) -> subprocess.Popen[str]:
    (folder / "orchestra.yaml").write_text(HEAD.format(project="shop") + text, encoding="utf-8")
    return subprocess.Popen(
        [*COMMAND, "--db", shop.dsn],
        cwd=folder,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**clean_environment(), "PYTHONPATH": ""},
    )


def _ours(shop: Shop) -> int:
    return int(shop.one("select count(*) from pg_stat_activity where application_name = 'orchestra'"))


def _wait_for_backend(shop: Shop, process: subprocess.Popen[str]) -> None:
    eventually(lambda: _ours(shop) > 0 or process.poll() is not None, what="the connection", within=20)


def test_a_killed_client_leaves_all_or_nothing_and_no_lock(shop: Shop, tmp_path: Path) -> None:
    shop.apply()
    texts = [MORE, SHOP]
    outcomes = set()
    for attempt in range(8):
        text = texts[attempt % 2]
        before = shop.state()
        wanted = len(shop.plan(text).changes)
        shop.close()
        process = _start(shop, tmp_path, text)
        _wait_for_backend(shop, process)
        time.sleep(0.02 * attempt)
        process.kill()
        process.communicate(timeout=20)
        eventually(lambda: _ours(shop) == 0, what="the end of its backend")
        left = len(shop.plan(text).changes)
        assert left in (0, wanted)
        if left:
            assert shop.state() == before
        outcomes.add(left > 0)
        assert shop.one("select count(*) from pg_locks where locktype = 'advisory'") == 0
        shop.apply(text)
        assert_empty(shop.plan(text))


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT])
def test_a_client_that_dies_in_the_middle_of_its_statements_changes_nothing(
    shop: Shop, tmp_path: Path, number: signal.Signals
) -> None:
    """It is stopped where it waits for the app's table, the last of its statements."""
    shop.apply(SHOP.replace(", columns: [total]", ", columns: [id]"))
    before = shop.state()
    holder = shop.engine.connect()
    holder.execute("lock table app.orders in access exclusive mode")
    shop.close()
    process = _start(shop, tmp_path, SHOP)
    waiting = "select count(*) from pg_stat_activity where application_name = 'orchestra' and wait_event_type = 'Lock'"
    eventually(lambda: shop.one(waiting) == 1, what="the wait for the lock", within=20)
    process.send_signal(number)
    _, errors = process.communicate(timeout=20)
    assert "Traceback" not in errors
    assert process.returncode != 0
    if number is signal.SIGINT:
        assert process.returncode == 130
    # The server notices at its next word to the client, so let it go on.
    holder.rollback()
    eventually(lambda: _ours(shop) == 0, what="the end of its backend")
    assert shop.state() == before
    assert shop.one("select count(*) from pg_locks where locktype = 'advisory'") == 0
    shop.apply()
    assert_empty(shop.plan())
