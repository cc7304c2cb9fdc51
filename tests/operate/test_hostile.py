"""What operators' commands are given by an enemy, by chance, or by a database that goes away under them."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psycopg
import pytest
from apply.shop import Shop
from engines.waiting import eventually
from psycopg.conninfo import make_conninfo

from operate.conftest import Run, operated, send, verbs, work
from operate.test_dlq import valid, waiting
from operate.test_runs import piped
from orchestra.cli import waiting as looking
from orchestra.errors import InDoubtError
from orchestra.live.connect import Database
from orchestra.operate import dead_letters, session

__all__ = ["piped"]

HUGE = "1" + "0" * 400 + ".5"
SECRET = "postgres://u:hunter2@h/db \u009b31m\u202e"
EVERY = (
    ("send", "--workload", "import"),
    ("runs",),
    ("runs", "show", "1"),
    ("runs", "cancel", "1", "--auto-approve"),
    ("dlq",),
    ("dlq", "redrive", "--all", "--auto-approve"),
    ("dlq", "purge", "--all", "--expect", "1"),
    ("dlq", "export"),
    ("pause", "--auto-approve"),
    ("resume", "--auto-approve"),
    ("drain", "--auto-approve"),
    ("status",),
)


def letter(shop: Shop, payload: str, error: str = "x", headers: str | None = None) -> int:
    return int(
        shop.one(
            "insert into orchestra.dead_letter "
            "(project, workload, queue_name, msg_id, payload, headers, attempts, reason, error) "
            "values ('shop', 'import', 'import', 1, %s, %s, 1, 'exhausted', %s) returning id",
            payload,
            headers,
            error,
        )
    )


def drives(text: str) -> bool:
    return bool(set(text) & {*map(chr, range(0x7F, 0xA0)), "\x1b", "\u202e"})


@pytest.mark.parametrize("payload", [f'{{"n": {HUGE}}}', "[" * 3_000 + "]" * 3_000])
def test_a_payload_that_python_cannot_read_is_shown_and_exported(run: Run, shop: Shop, payload: str) -> None:
    """Numbers beyond 1e308, which are no Infinity in JSON, and a nesting that is too deep for a parser."""
    number = letter(shop, payload)
    for arguments in (
        ("show", str(number)),
        ("show", str(number), "--format", "json"),
        ("list", "--format", "json"),
    ):
        done = run("dlq", *arguments)
        assert done.exit_code == 0, done.output
        assert "".join(payload.split()) in "".join(done.stdout.split())
        assert "Infinity" not in done.stdout
    assert run("dlq", "export", "--payloads").stdout == f"{payload}\n"
    shop.run("insert into orchestra.run (project, workload, input) values ('shop', 'import', %s)", payload)
    done = run("runs", "show", "1", "--format", "json")
    assert "".join(payload.split()) in "".join(done.stdout.split()), done.output


def test_credentials_are_masked_and_nothing_drives_the_terminal(run: Run, shop: Shop) -> None:
    payload = json.dumps({"url": SECRET, SECRET: 1})
    number = letter(shop, payload, SECRET, json.dumps({"x": SECRET}))
    shop.run(
        "insert into orchestra.run (project, workload, status, error, input) "
        "values ('shop', 'import', 'failed', %s, %s)",
        SECRET,
        payload,
    )
    for arguments in (("dlq",), ("dlq", "show", str(number)), ("runs",), ("runs", "show", "1")):
        for form in ("text", "json"):
            done = run(*arguments, "--format", form)
            assert done.exit_code == 0, done.output
            assert "********" in done.stdout
            assert "hunter2" not in done.output
            assert not drives(done.output), (arguments, form)
            if form == "json":
                json.loads(done.stdout)


def test_an_export_is_what_was_sent_and_drives_no_terminal_either(run: Run, shop: Shop) -> None:
    payload = {"url": SECRET, "name": "日本 \U0001f600"}
    letter(shop, json.dumps(payload))
    done = run("dlq", "export", "--payloads")
    assert json.loads(done.stdout) == payload
    assert not drives(done.stdout)
    assert "日本" in done.stdout


def test_a_terminal_of_another_encoding_gets_the_same_json(run: Run, shop: Shop) -> None:
    payload = {"name": "日本 \U0001f600"}
    letter(shop, json.dumps(payload))
    done = subprocess.run(
        [sys.executable, "-m", "orchestra", "dlq", "export", "--payloads"],
        env={**os.environ, "PYTHONIOENCODING": "latin-1"},
        capture_output=True,
        check=True,
    )
    assert json.loads(done.stdout.decode("latin-1")) == payload


@pytest.mark.parametrize("run_of_it", ['"abc"', "99999999999999999999", '{"x": 1}'])
def test_headers_of_somebody_else_stand_in_nobodys_way(piped: Run, shop: Shop, run_of_it: str) -> None:
    headers = f'{{"orchestra": {{"run": {run_of_it}, "a": "b", "i": "c"}}}}'
    strange, sound = letter(shop, "1", headers=headers), letter(shop, "1")
    done = piped("dlq", "redrive", "--all", "--auto-approve")
    assert (done.exit_code, done.stdout.splitlines()[0]) == (0, "Redriven: 1 dead letter."), done.output
    assert waiting(shop) == [strange], sound
    shop.run("update orchestra.dead_letter set workload = 'report' where id = %s", strange)
    piped("send", "--workload", "report", "--payload", "[1]")
    assert piped("runs", "show", "1").exit_code == 0


def test_a_role_without_rights_is_told_which_it_lacks(
    run: Run, shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The tables have row security: what is granted on them shows empty tables, and no project."""
    shop.run("create role guest login password 'x'")
    monkeypatch.setenv("ORCHESTRA_DATABASE_URL", make_conninfo(shop.dsn, user="guest", password="x"))
    for grants in (
        "",
        "grant usage on schema orchestra, cron, pgmq to guest",
        "grant select on all tables in schema orchestra to guest",
    ):
        if grants:
            shop.run(grants)
        for arguments in EVERY:
            done = run(*arguments)
            assert (done.exit_code, done.stdout) == (1, ""), (grants, arguments, done.output)
            assert 'grant "postgres" to "guest"' in " ".join(done.stderr.split()), (arguments, done.output)


@pytest.mark.parametrize(
    ("version", "code", "said"), [(99, 1, "newer orchestra"), (3, 64, "is of version 3")]
)
def test_another_version_of_the_runtime_is_left_alone(
    run: Run, shop: Shop, version: int, code: int, said: str
) -> None:
    shop.run("update orchestra.version set version = %s", version)
    for arguments in EVERY:
        done = run(*arguments)
        assert (done.exit_code, said in " ".join(done.stderr.split())) == (code, True), (
            arguments,
            done.output,
        )
    assert verbs(shop) == []


def test_a_lock_that_somebody_holds_is_not_waited_for_for_ever(
    run: Run, shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(session, "READING", session.READING.replace("= 5000", "= 50"))
    for module in ("sending", "pausing", "dead_letters", "draining", "place", "runs"):
        monkeypatch.setattr(f"orchestra.operate.{module}.READING", session.READING)
    letter(shop, "1")
    with psycopg.connect(shop.dsn) as other:
        other.execute("lock table orchestra.workload in access exclusive mode")
        for arguments in EVERY:
            if arguments[0] in ("runs", "status") or arguments[1:] in ((), ("export",)):
                continue
            done = run(*arguments)
            assert done.exit_code == 1, (arguments, done.output)
            assert "try again when it has ended" in " ".join(done.stderr.split()), (arguments, done.output)
    assert verbs(shop) == []


def test_words_that_are_no_command_are_no_spec(run: Run) -> None:
    for arguments, meant in (
        (("runs", "shw", "1"), "orchestra runs show?"),
        (("runs", "12"), "orchestra runs show 12?"),
        (("dlq", "redirve", "--all"), "orchestra dlq redrive?"),
        (("dlq", "qqq"), "one of list, show, redrive, purge, export?"),
        (("history", "7"), "orchestra history show 7?"),
    ):
        done = run(*arguments)
        assert (done.exit_code, meant in " ".join(done.stderr.split())) == (64, True), done.output
    assert run("runs", "orchestra.yaml").exit_code == 0
    assert "no such file" in run("runs", "other.yaml").stderr


@pytest.mark.parametrize(
    "arguments",
    [
        ("runs", "--since", "999999999d"),
        ("dlq", "--since", "999999999d"),
        ("send", "--workload", "import", "--delay", "999999999d"),
        ("drain", "--auto-approve", "--timeout", "999999999d"),
    ],
)
def test_no_duration_is_longer_than_can_be_written_down(run: Run, arguments: tuple[str, ...]) -> None:
    done = run(*arguments)
    assert (done.exit_code, "longer than a hundred years" in done.stderr) == (64, True), done.output
    assert run("runs", "--since", "36500d").exit_code == 0


def test_a_purge_whose_input_ends_deletes_nothing(
    run: Run, shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    letter(shop, "1")
    monkeypatch.setattr("orchestra.cli.console.interactive", lambda: True)
    done = run("dlq", "purge", "--all", input="")
    assert (done.exit_code, done.stderr.splitlines()[-1]) == (1, "Not purged. Nothing was changed.")
    assert len(waiting(shop)) == 1


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ('1\n{"a": 1, "b": {"x": 1, "x": 2}}', 'standard input:2: the key "x" stands twice'),
        ("1\n1e200000", "standard input:2: the number 1e200000 is beyond"),
        ("1\n[2, 1e-20000]", "standard input:2: the number 1e-20000 is beyond"),
        ("1\n1e999999999999", "standard input:2: the number 1e999999999999 is beyond"),
    ],
)
def test_what_the_database_would_refuse_or_lose_is_told_with_its_place(
    run: Run, shop: Shop, text: str, why: str
) -> None:
    done = run("send", "--workload", "import", "--from", "-", input=text)
    assert (done.exit_code, why in " ".join(done.stderr.split())) == (1, True), done.output
    assert shop.one("select count(*) from pgmq.q_import") == 0


@pytest.mark.parametrize("number", ["1e131071", "1e-16383", "0.5e-9999", "9007199254740993", "-0.0"])
def test_every_number_that_the_database_has_is_sent(run: Run, shop: Shop, number: str) -> None:
    done = run("send", "--workload", "import", "--payload", number)
    assert done.exit_code == 0, done.output
    assert shop.one("select message = %s::jsonb from pgmq.q_import", number) is True


def test_a_pipe_is_a_file_too(run: Run, shop: Shop, tmp_path: Path) -> None:
    """`--from <(command)`."""
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    writer = threading.Thread(target=lambda: pipe.write_text("1\n2\n"), daemon=True)
    writer.start()
    done = run("send", "--workload", "import", "--from", str(pipe))
    writer.join()
    assert done.stdout == "Sent 2 messages to import.\n", done.output


class Commit:
    """What happens at the first commit from now on: its backend goes away, or somebody presses Ctrl-C."""

    def __init__(self, shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
        self.shop = shop
        self.script = Database.script
        self.monkeypatch = monkeypatch

    def becomes(self, what: Callable[[Database], None]) -> None:
        def script(database: Database, sql: str) -> None:
            if sql != "commit":
                return self.script(database, sql)
            self.monkeypatch.setattr(Database, "script", self.script)
            return what(database)

        self.monkeypatch.setattr(Database, "script", script)

    def end(self, database: Database) -> None:
        self.shop.run("select pg_terminate_backend(%s, 5000)", database.backend_pid)


@pytest.fixture
def commit(run: Run, shop: Shop, monkeypatch: pytest.MonkeyPatch) -> Commit:
    return Commit(shop, monkeypatch)


def sent(shop: Shop) -> int:
    return int(shop.one("select count(*) from pgmq.q_import"))


def test_a_connection_that_is_lost_before_the_commit_sent_nothing(
    run: Run, shop: Shop, commit: Commit
) -> None:
    def lost(database: Database) -> None:
        commit.end(database)
        database.script("commit")

    commit.becomes(lost)
    done = run("send", "--workload", "import")
    assert (done.exit_code, "the server rolled it back" in done.stderr, sent(shop)) == (1, True, 0), (
        done.output
    )


def test_a_commit_whose_answer_was_lost_is_asked_for(run: Run, shop: Shop, commit: Commit) -> None:
    def lost(database: Database) -> None:
        database.script("commit")
        commit.end(database)
        database.script("select 1")

    commit.becomes(lost)
    done = run("send", "--workload", "import")
    assert (done.exit_code, done.stdout, sent(shop)) == (0, "Sent message 1 to import.\n", 1), done.output


def test_ctrl_c_after_the_commit_comes_too_late_and_before_it_in_time(
    run: Run, shop: Shop, commit: Commit
) -> None:
    def late(database: Database) -> None:
        database.script("commit")
        raise KeyboardInterrupt

    def early(database: Database) -> None:
        raise KeyboardInterrupt

    commit.becomes(late)
    done = run("send", "--workload", "import")
    assert (done.exit_code, done.stdout, sent(shop)) == (0, "Sent message 1 to import.\n", 1), done.output
    commit.becomes(early)
    done = run("send", "--workload", "import")
    assert (done.stdout, sent(shop)) == ("", 1), done.output
    assert done.exit_code != 0


def test_where_nobody_can_be_asked_it_is_said_to_be_in_doubt(
    run: Run, shop: Shop, commit: Commit, monkeypatch: pytest.MonkeyPatch
) -> None:
    def lost(database: Database) -> None:
        database.script("commit")
        commit.end(database)
        monkeypatch.setattr(database, "url", "postgresql://nobody@127.0.0.1:1/none")
        database.script("select 1")

    monkeypatch.setattr(session, "_PAUSE_S", 0.0)
    commit.becomes(lost)
    done = run("send", "--workload", "import")
    assert isinstance(done.exception, InDoubtError | SystemExit)
    assert (done.exit_code, "cannot be asked whether it happened" in " ".join(done.stderr.split())) == (
        1,
        True,
    )


def test_what_was_done_before_a_fault_is_told_to_machines_as_well(
    run: Run, shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    numbers = [letter(shop, "1") for _ in range(3)]
    monkeypatch.setattr(dead_letters, "BATCH", 1)
    redrive = dead_letters.redrive

    def breaks(database: Database, project: str, workload: str, ids: list[int], delay_s: float = 0) -> Any:
        if ids == [numbers[1]]:
            shop.run("select pg_terminate_backend(%s, 5000)", database.backend_pid)
        return redrive(database, project, workload, ids, delay_s)

    monkeypatch.setattr(dead_letters, "redrive", breaks)
    done = run("dlq", "redrive", "--all", "--auto-approve", "--format", "json")
    assert (done.exit_code, "1 dead letter had been redriven before" in done.stderr) == (1, True), done.output
    document = operated(done.stdout)
    assert (document["count"], [one["id"] for one in document["redriven"]]) == (1, numbers[:1])


def test_a_drain_ends_where_somebody_pauses_meanwhile(
    run: Run, shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is paused is worked off by nobody, so it would be waited for for ever."""
    send(shop, "import", {"n": 1})
    monkeypatch.setattr(looking.time, "sleep", lambda _: shop.run("select orchestra.pause('shop', 'import')"))
    done = run("drain", "--auto-approve")
    assert (done.exit_code, "was paused meanwhile" in done.stderr) == (1, True), done.output
    assert shop.one("select gate from orchestra.project") == "open"
    work(shop, "mail")


def test_two_who_send_the_same_letter_back_send_it_once(run: Run, shop: Shop) -> None:
    number = letter(shop, "1")
    with psycopg.connect(shop.dsn) as other:
        other.execute("select orchestra.redrive('import', array[%s::bigint])", [number])
        done = run("dlq", "redrive", "--id", str(number), "--auto-approve")
        assert done.stdout == "Redriven: 0 dead letters.\n", done.output
        assert "1 other had been taken by somebody else meanwhile." in done.stderr
    assert sent(shop) == 1
    assert valid(run("dlq", "--format", "json").stdout)["total"] == 0


def command(*arguments: str, **options: Any) -> subprocess.Popen[bytes]:
    """The program itself, in a process that can be hit. It begins deaf to no signal."""
    return subprocess.Popen(
        [sys.executable, "-m", "orchestra", *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        **options,
    )


def test_ctrl_c_in_the_middle_of_a_hundred_thousand_sends_none(run: Run, shop: Shop, tmp_path: Path) -> None:
    """A lock holds it up after its first batch has gone, so that it is in the middle for certain."""
    (tmp_path / "items.jsonl").write_text("".join(f'{{"n": {i}}}\n' for i in range(100_000)))
    with psycopg.connect(shop.dsn) as other:
        other.execute("lock table orchestra.operator_log in access exclusive mode")
        sending = command("send", "--workload", "import", "--from", "items.jsonl")
        eventually(
            lambda: shop.one(
                "select count(*) from pg_stat_activity where application_name = 'orchestra' "
                "and wait_event_type = 'Lock' and query like '%log_verb%'"
            ),
            within=60,
        )
        sending.send_signal(signal.SIGINT)
        out, err = sending.communicate(timeout=60)
    assert (sending.returncode, out) == (130, b""), err
    assert "Nothing was sent." in err.decode()
    assert b"Traceback" not in err
    assert sent(shop) == 0


def test_whoever_reads_a_list_may_have_had_enough(run: Run, shop: Shop) -> None:
    shop.run(
        """
        insert into orchestra.dead_letter (project, workload, queue_name, msg_id, payload, attempts, reason, error)
        select 'shop', 'import', 'import', i, to_jsonb(repeat('x', 1000)), 1, 'exhausted', 'x'
        from generate_series(1, 3000) i
        """
    )
    exporting = command("dlq", "export")
    assert exporting.stdout is not None
    assert exporting.stdout.readline().startswith(b'{"id": ')
    exporting.stdout.close()
    assert exporting.stderr is not None
    with exporting.stderr as stderr:
        err = stderr.read()
    assert exporting.wait(60) == 141
    assert b"Traceback" not in err


def test_an_export_that_is_killed_leaves_no_half_of_a_file(
    run: Run, shop: Shop, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for _ in range(3):
        letter(shop, "1")
    monkeypatch.setattr(dead_letters, "BATCH", 1)
    rows = Database.rows

    def breaks(database: Database, sql: str, parameters: Any = None) -> Any:
        if parameters and parameters.get("last", 0) > 1:
            shop.run("select pg_terminate_backend(%s, 5000)", database.backend_pid)
        return rows(database, sql, parameters)

    monkeypatch.setattr(Database, "rows", breaks)
    done = run("dlq", "export", "--out", "letters.jsonl")
    assert done.exit_code == 1, done.output
    assert [path.name for path in tmp_path.iterdir()] == ["orchestra.yaml"]
