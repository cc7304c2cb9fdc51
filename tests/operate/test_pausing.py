"""`orchestra pause`, `resume` and `drain` as a person runs them, against a real database."""

from __future__ import annotations

import threading
from collections import deque
from pathlib import Path
from typing import Any

import pytest
from apply.shop import Shop

from operate.conftest import Run, operated, paused, send, verbs, work
from orchestra.cli import waiting
from orchestra.operate import draining, pausing

OPEN = {"import": False, "mail": False, "purge": False}


def test_a_project_is_paused_and_resumed_under_the_operators_name(run: Run, shop: Shop) -> None:
    done = run("pause", "--auto-approve", "--reason", "the disk is full")
    assert (done.exit_code, done.stdout) == (0, "Paused project shop.\n")
    assert paused(shop) == ("paused", OPEN)
    done = run("resume", "--auto-approve")
    assert (done.exit_code, done.stdout) == (0, "Resumed project shop.\n")
    assert paused(shop) == ("open", OPEN)
    assert verbs(shop) == [
        ("pause", None, "ada", {"reason": "the disk is full"}),
        ("resume", None, "ada", {}),
    ]
    run("pause", "--auto-approve", "--reason", "the disk is\nfull")
    assert "ago (the disk is\\x0afull): nothing of it begins." in " ".join(run("status").stdout.split())
    history = run("history")
    assert "pause the project: the disk is full, by ada (role postgres)" in " ".join(history.stdout.split())


def test_some_workloads_are_paused_and_the_others_go_on(run: Run, shop: Shop) -> None:
    done = run("pause", "--workload", "mail", "--workload", "purge", "--auto-approve")
    assert done.stdout == "Paused workloads mail and purge.\n"
    assert paused(shop) == ("open", {**OPEN, "mail": True, "purge": True})
    done = run("resume", "--workload", "mail", "--auto-approve", "--format", "json")
    assert operated(done.stdout) == {
        "format_version": 1,
        "project": "shop",
        "verb": "resume",
        "workloads": ["mail"],
        "changed": True,
    }
    assert paused(shop) == ("open", {**OPEN, "purge": True})


def test_what_is_so_already_is_told_and_leaves_no_trace(run: Run, shop: Shop) -> None:
    assert run("resume", "--auto-approve").stdout == "Project shop is not paused already.\n"
    run("pause", "--workload", "mail", "--auto-approve")
    done = run("pause", "--workload", "mail", "--workload", "import", "--auto-approve")
    assert done.exit_code == 0
    assert done.stdout == "Paused workload import.\nWorkload mail is paused already.\n"
    assert len(verbs(shop)) == 2


def test_a_resumed_workload_of_a_paused_project_says_that_it_stays_shut(run: Run, shop: Shop) -> None:
    run("pause", "--auto-approve")
    run("pause", "--workload", "mail", "--auto-approve")
    done = run("resume", "--workload", "mail", "--auto-approve")
    assert "Project shop is paused as a whole" in done.stderr
    run("pause", "--workload", "mail", "--auto-approve")
    done = run("resume", "--auto-approve")
    assert "Paused by themselves, and still so: workload mail." in done.stderr


def test_without_a_terminal_and_without_approval_nothing_is_done(run: Run, shop: Shop) -> None:
    for verb in ("pause", "resume", "drain"):
        done = run(verb)
        assert done.exit_code == 64
        assert done.stderr.rstrip().endswith("help: add --auto-approve")
    assert paused(shop) == ("open", OPEN)


@pytest.mark.parametrize(("answer", "code"), [("yes", 0), ("y", 1), ("", 1)])
def test_a_person_is_shown_what_waits_and_asked(
    run: Run, shop: Shop, monkeypatch: pytest.MonkeyPatch, answer: str, code: int
) -> None:
    monkeypatch.setattr("orchestra.cli.console.interactive", lambda: True)
    send(shop, "mail", {"to": "1"}, {"to": "2"})
    done = run("pause", "--workload", "mail", input=f"{answer}\n")
    assert "2 waiting, 0 in flight" in done.stderr
    assert "Do you want to pause workload mail?" in done.stderr
    assert done.exit_code == code
    assert paused(shop)[1]["mail"] is (code == 0)


def test_mistakes_are_told_before_anything_is_done(run: Run, shop: Shop, tmp_path: Path) -> None:
    done = run("pause", "--workload", "mial", "--workload", "import", "--auto-approve")
    assert (done.exit_code, "did you mean mail?" in done.stderr) == (64, True)
    done = run("pause", "--project", "shpo", "--auto-approve")
    assert (done.exit_code, "it has shop" in done.stderr) == (64, True)
    assert paused(shop) == ("open", OPEN)
    shop.run("create role visitor login password 'visitor'")
    shop.run("grant usage on schema orchestra to visitor")
    shop.run("grant select on all tables in schema orchestra to visitor")
    stranger = shop.dsn.replace("postgres@", "visitor@", 1)
    done = run("pause", "--auto-approve", "--db", stranger)
    assert done.exit_code in (1, 5, 64), done.output
    assert "Traceback" not in done.output
    assert paused(shop) == ("open", OPEN)


def test_drain_waits_for_what_is_there_and_pauses_then(
    run: Run, shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    send(shop, "mail", {"to": "1"}, {"to": "2"})
    shop.run("select orchestra.send('mail', '{\"to\": \"3\"}', delay => '1 hour')")
    looked, look = threading.Event(), draining.left

    def left(*arguments: Any) -> draining.Left:
        found = look(*arguments)
        looked.set()
        return found

    monkeypatch.setattr(draining, "left", left)
    ended: list[Any] = []
    thread = threading.Thread(
        target=lambda: ended.append(run("drain", "--workload", "mail", "--auto-approve", "--timeout", "2m")),
        daemon=True,
    )
    thread.start()
    assert looked.wait(60)
    send(shop, "import", {"n": 1})
    assert paused(shop)[1]["mail"] is False
    work(shop, "mail")
    thread.join(60)
    (done,) = ended
    assert done.exit_code == 0, done.output
    assert done.stdout == "Workload mail is drained and paused.\n"
    assert "1 delayed message stays for later." in done.stderr
    assert paused(shop)[1]["mail"] is True
    assert shop.one("select count(*) from pgmq.q_mail") == 1
    assert verbs(shop)[-1] == ("pause", "mail", "ada", {"reason": "drained"})


def test_drain_gives_up_in_time_and_leaves_everything_as_it_was(run: Run, shop: Shop) -> None:
    send(shop, "mail", {"to": "1"})
    done = run("drain", "--workload", "mail", "--auto-approve", "--timeout", "50ms", "--format", "json")
    assert done.exit_code == 1
    document = operated(done.stdout)
    assert document["changed"] is False
    assert document["left"] == {"mail": {"messages": 1, "runs": 0, "calls": 0, "delayed": 0}}
    assert paused(shop) == ("open", OPEN)


def test_what_is_paused_cannot_be_drained(run: Run, shop: Shop) -> None:
    run("pause", "--workload", "mail", "--auto-approve")
    done = run("drain", "--workload", "mail", "--auto-approve")
    assert (done.exit_code, "orchestra resume --workload mail" in done.stderr) == (1, True)
    run("pause", "--auto-approve")
    done = run("drain", "--auto-approve")
    assert (done.exit_code, "orchestra resume opens it" in done.stderr) == (1, True)


def hold(shop: Shop, held: str) -> None:
    """What a worker does with messages while it works on them."""
    shop.run(
        "update orchestra.slot set held = %s, token = gen_random_uuid(), lease_until = now() + interval '1 hour' "
        "where workload = 'mail' and slot = 1",
        held,
    )


def test_pause_waits_until_nothing_is_in_flight(
    run: Run, shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is paused already while it waits, and a look that finds nothing is not taken at its word."""
    send(shop, "mail", {"to": "1"})
    work(shop, "mail")
    hold(shop, "{7,8}")
    looks: list[int] = []
    look = pausing.in_flight

    def seen(*arguments: Any) -> int:
        looks.append(look(*arguments))
        assert paused(shop)[1]["mail"] is True
        hold(shop, "{}" if len(looks) != 2 else "{9}")
        return looks[-1]

    monkeypatch.setattr(pausing, "in_flight", seen)
    done = run("pause", "--workload", "mail", "--wait", "--auto-approve", "--format", "json")
    assert (done.exit_code, operated(done.stdout)["in_flight"]) == (0, 0), done.output
    assert looks == [2, 0, 1, 0, 0]


def test_pause_stays_when_it_has_waited_long_enough(run: Run, shop: Shop) -> None:
    send(shop, "mail", {"to": "1"})
    work(shop, "mail")
    hold(shop, "{7}")
    command = ("pause", "--workload", "mail", "--auto-approve", "--wait", "--timeout", "50ms")
    done = run(*command)
    assert (done.exit_code, done.stdout) == (1, "Paused workload mail.\n")
    assert "1 in flight had not ended after 0.05 s. It stays paused." in done.stderr
    assert paused(shop)[1]["mail"] is True
    done = run(*command, "--format", "json")
    assert (done.exit_code, operated(done.stdout)) == (
        1,
        {
            "format_version": 1,
            "project": "shop",
            "verb": "pause",
            "workloads": ["mail"],
            "changed": False,
            "in_flight": 1,
        },
    )
    assert run("pause", "--timeout", "1m", "--auto-approve").exit_code == 64


def test_a_rate_is_of_the_last_ten_seconds_and_not_of_a_standstill_before() -> None:
    seen: deque[tuple[float, int]] = deque()
    looks = [(0.0, 100), (25.0, 100), (30.0, 100), (35.0, 90), (40.0, 60)]
    rates = [waiting.rate(seen, at, left) for at, left in looks]
    assert rates == [None, None, None, 1.0, 4.0]
    assert waiting.rate(seen, 50.0, 70) is None
    assert waiting.said(1_204, None) == "1,204 left"
    assert waiting.said(1_204, 36.5) == "1,204 left, 36.5/s"
