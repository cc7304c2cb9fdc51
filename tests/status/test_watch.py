"""`orchestra status --watch`: on a terminal in place, into a pipe one block after the other, and how it ends."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from apply.shop import QUEUE, SHOP, Shop
from terminal import ROOT, Terminal

WATCH = ("status", "--project", "shop", "--watch", "--interval", "500ms")


@pytest.fixture
def watched(shop: Shop) -> Shop:
    shop.apply(SHOP)
    return shop


@contextmanager
def watching(
    shop: Shop, home: Path, *more: str, size: tuple[int, int] = (30, 100), **environment: str
) -> Iterator[Terminal]:
    with Terminal(*WATCH, "--db", shop.dsn, *more, cwd=home, size=size, **environment) as terminal:
        yield terminal


def send(shop: Shop, count: int) -> None:
    shop.run(
        "select orchestra.send_many('send-receipts', array(select to_jsonb(i) from generate_series(1, %s) i))",
        count,
    )


def test_it_is_drawn_in_place_and_ends_well_with_ctrl_c(watched: Shop, tmp_path: Path) -> None:
    with watching(watched, tmp_path) as terminal:
        terminal.until(r"send-receipts +0 ")
        send(watched, 7)
        terminal.until(r"send-receipts +7 +7 ")
        terminal.until(r"Rates of the last .*from the looks of this command")
        terminal.press(b"\x03")
        assert terminal.ended() == 0
        before, _, drawn = terminal.written.partition("\x1b[?1049h")
        assert "Database: --db" in before
        picture, _, after = drawn.rpartition("\x1b[?1049l")
        assert "\n" not in picture.replace("\r\n", "").replace("\x1b[K", ""), (
            "lines are drawn, and nothing scrolls"
        )
        assert "\x1b[2J" not in picture, "clearing all of it would flicker"

        assert "send-receipts" in after, "the last picture stays"
        assert "Traceback" not in terminal.written


def test_ctrl_c_while_an_alert_fires_is_for_monitors_too(watched: Shop, tmp_path: Path) -> None:
    watched.run(
        "select cron.alter_job(jobid, active => false) from cron.job where jobname like '%%housekeep%%'"
    )
    with watching(watched, tmp_path, "--detailed-exitcode") as terminal:
        terminal.until("job_inactive")
        terminal.press(b"\x03")
        assert terminal.ended() == 2


def test_another_size_of_the_window_is_followed_at_once(watched: Shop, tmp_path: Path) -> None:
    with watching(watched, tmp_path, "--interval", "60s") as terminal:
        wide = terminal.until("WORKLOAD +DEPTH")
        assert max(map(len, wide.splitlines())) <= 100
        terminal.resize(40, 45)
        narrow = terminal.until(r"0 in the queue")
        assert max(map(len, narrow.splitlines())) <= 45
        terminal.resize(6, 100)
        short = terminal.until("more lines")
        assert len(short.splitlines()) == 6


def test_a_lost_connection_is_shown_and_made_again(watched: Shop, tmp_path: Path) -> None:
    send(watched, 5)
    with watching(watched, tmp_path) as terminal:
        terminal.until(r"send-receipts +5 ")
        watched.run(
            "select pg_terminate_backend(pid) from pg_stat_activity "
            "where application_name = 'orchestra' and pid <> pg_backend_pid()"
        )
        lost = terminal.until("trying again in")
        assert "Below is what was seen at" in lost.replace("\r\n", " ")
        assert "send-receipts" in lost
        send(watched, 1)
        terminal.until(r"send-receipts +6 ")
        terminal.press(b"\x03")
        assert terminal.ended() == 0


def test_what_is_wrong_from_the_start_is_told_as_by_any_other_command(watched: Shop, tmp_path: Path) -> None:
    with Terminal(*WATCH, "--db", "postgresql://me:hunter2@127.0.0.1:1/x", cwd=tmp_path) as terminal:
        assert terminal.ended() == 1
        assert "error:" in terminal.written
        assert "\x1b[?1049h" not in terminal.written
        assert "hunter2" not in terminal.written


def test_a_terminal_that_was_closed_ends_it_without_a_word(watched: Shop, tmp_path: Path) -> None:
    with watching(watched, tmp_path) as terminal:
        terminal.until("All is well")
        terminal.hang_up()
        assert terminal.ended() in (-signal.SIGHUP, 129)


def test_whoever_was_started_to_outlive_its_terminal_ends_with_it_all_the_same(
    watched: Shop, tmp_path: Path
) -> None:
    """Under nohup no signal comes: it finds out by writing."""
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        with watching(watched, tmp_path) as terminal:
            terminal.until("All is well")
            terminal.hang_up()
            assert terminal.ended() == 129
    finally:
        signal.signal(signal.SIGHUP, before)


def test_a_signal_gives_the_terminal_back(watched: Shop, tmp_path: Path) -> None:
    with watching(watched, tmp_path) as terminal:
        terminal.until("All is well")
        terminal.process.terminate()
        assert terminal.ended() == 128 + signal.SIGTERM
        assert "\x1b[?1049l" in terminal.written


def test_without_colour_it_has_none(watched: Shop, tmp_path: Path) -> None:
    with watching(watched, tmp_path, NO_COLOR="1") as terminal:
        terminal.until("All is well")
        assert "\x1b[32m" not in terminal.written
        assert "\x1b[1m" not in terminal.written


def test_a_terminal_that_cannot_be_driven_gets_blocks(watched: Shop, tmp_path: Path) -> None:
    with watching(watched, tmp_path, TERM="dumb") as terminal:
        while terminal.written.count("All is well") < 2:
            terminal.read(0.2)
        assert "\x1b" not in terminal.written
        terminal.press(b"\x03")
        assert terminal.ended() == 0


def piped(shop: Shop, home: Path, *more: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "orchestra", *WATCH, "--db", shop.dsn, *more],
        cwd=home,
        env={"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT), "HOME": str(home)},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def test_a_pipe_gets_a_line_of_json_for_each_look(watched: Shop, tmp_path: Path) -> None:
    with piped(watched, tmp_path, "--format", "json") as child:
        assert child.stdout is not None
        assert child.stderr is not None
        documents = [json.loads(child.stdout.readline()) for _ in range(3)]
        child.stdout.close()  # has had enough
        said = child.stderr.read()
        assert child.wait(30) == 141
    assert "Traceback" not in said
    assert len({d["at"] for d in documents}) == 3
    traffic = {w["workload"]: w["traffic"] for w in documents[-1]["workloads"]}["send-receipts"]
    assert traffic["from_own_looks"] is True


def test_a_pipe_gets_blocks_of_text(watched: Shop, tmp_path: Path) -> None:
    with piped(watched, tmp_path) as child:
        assert child.stdout is not None
        seen = ""
        while seen.count("All is well.") < 2:
            seen += child.stdout.readline()
        child.send_signal(signal.SIGINT)
        assert child.wait(30) == 0
    assert "\x1b" not in seen


def test_every_workload_of_a_queue_alone(shop: Shop, tmp_path: Path) -> None:
    shop.apply(QUEUE)
    with watching(shop, tmp_path, "--workload", "import") as terminal:
        terminal.until(r"import +0 ")
