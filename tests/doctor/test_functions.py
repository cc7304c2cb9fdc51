"""Edge Functions: secrets that are there, the project they belong to, and what a wrong key is answered."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import pytest
from acceptance.cli import orchestra
from doctor_world import EDGE_SPEC, doctor
from engines import Engine

from orchestra.doctor.knock import knock

REF = "abcdefghijklmnopqrst"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "orchestra.yaml").write_text(EDGE_SPEC)
    (tmp_path / ".git").mkdir()
    return tmp_path


class Asked(list[tuple[str, str, dict[str, str], bytes]]):
    pass


@contextmanager
def host(answers: dict[str, int]) -> Iterator[tuple[str, Asked]]:
    """A host of functions that answers by path; what was asked is kept."""
    asked = Asked()

    class Handler(BaseHTTPRequestHandler):
        def answer(self) -> None:
            body = self.rfile.read(int(self.headers.get("content-length") or 0))
            headers = {k.lower(): v for k, v in self.headers.items()}
            asked.append((self.command, self.path, headers, body))
            self.send_response(answers.get(self.path.rpartition("/")[2], 404))
            self.send_header("content-length", "0")
            self.end_headers()

        do_GET = do_POST = answer

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}/functions/v1/", asked
    finally:
        server.shutdown()
        server.server_close()


def secrets(engine: Engine, url: str) -> None:
    engine.execute("select vault.create_secret(%s, 'orchestra_function_url')", [url])
    engine.execute("select vault.create_secret('sb_secret_hunter2', 'orchestra_function_key')")


@pytest.fixture
def applied(embedded: Engine, folder: Path) -> Engine:
    done = orchestra("apply", "--auto-approve", cwd=folder, db=embedded.dsn)
    assert done.code == 0, done.text
    return embedded


def test_before_the_apply_it_is_said_when_to_make_the_secrets(embedded: Engine, folder: Path) -> None:
    found = doctor(cwd=folder, db=embedded.dsn)
    assert found.failed == []
    assert found.of("secrets")["remedy"] == "after the apply:"
    assert (
        "vault.create_secret('sb_secret_… (a key of its own)', 'orchestra_function_key')"
        in (found.of("secrets")["command"])
    )


def test_missing_secrets_fail_and_a_dead_worker_too(applied: Engine, folder: Path) -> None:
    found = doctor("--no-network", cwd=folder, db=applied.dsn)
    assert {"secrets", "net_worker", "launcher"} == set(found.failed)


def test_functions_are_asked_with_a_wrong_key_and_for_nothing(applied: Engine, folder: Path) -> None:
    with host({"import": 401, "hook": 405}) as (url, asked):
        secrets(applied, url)
        found = doctor(cwd=folder, db=applied.dsn)
        reached = [c for c in found.said["checks"] if c["code"] == "reachable"]
    assert [c["state"] for c in reached] == ["ok", "ok"]
    by_path = {path: (verb, headers, body) for verb, path, headers, body in asked}
    verb, headers, body = by_path["/functions/v1/import"]
    assert (verb, headers["x-orchestra"], body) == ("POST", "wake", b'{"workload": "import"}')
    assert by_path["/functions/v1/hook"][0] == "GET"
    assert "hunter2" not in str(asked) + found.ended.out + found.ended.err


def test_what_is_not_deployed_or_takes_any_key_fails(applied: Engine, folder: Path) -> None:
    with host({"import": 202}) as (url, _):
        secrets(applied, url)
        found = doctor(cwd=folder, db=applied.dsn)
    reached = {c["message"].split()[1]: c for c in found.said["checks"] if c["code"] == "reachable"}
    assert "took a wrong key (202)" in reached["import"]["message"]
    assert "is not deployed" in reached["hook"]["message"]
    assert reached["hook"]["command"].endswith("supabase functions deploy hook")


def test_without_network_nobody_is_asked(applied: Engine, folder: Path) -> None:
    with host({}) as (url, asked):
        secrets(applied, url)
        found = doctor("--no-network", cwd=folder, db=applied.dsn)
    assert (found.state("reachable"), list(asked)) == ("not asked", [])


def test_a_copy_of_a_database_still_calls_the_project_it_was_copied_from(
    applied: Engine, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from datetime import UTC, datetime

    from orchestra.doctor import project
    from orchestra.doctor.ask import ask
    from orchestra.live.address import address
    from orchestra.live.connect import connect
    from orchestra.plan.identity import Meant

    secrets(applied, f"https://{REF}.supabase.co/functions/v1")
    database = connect(applied.dsn)
    facts = ask(
        database,
        vault=(),
        function_url="orchestra_function_url",
        zones=(),
        moments=(),
        now=lambda: datetime.now(UTC),
    )
    database.close()
    other = Meant("zyxwvutsrqponmlkjihg")
    (found,) = project.function_url(facts, "orchestra_function_url", other, address({}))
    assert (found.state, found.command.count("zyxwvutsrqponmlkjihg")) == ("failed", 1)
    (same,) = project.function_url(facts, "orchestra_function_url", Meant(REF), address({}))
    assert same.state == "ok"


@pytest.mark.parametrize(
    ("url", "fault"),
    [
        ("http://127.0.0.1:1/functions/v1", "refused"),
        ("file:///etc/passwd", "no URL of http"),
        ("not a url", "no URL of http"),
        ("http://[::1", "no URL"),
        ("http://127.0.0.1:99999/x", "no URL"),
        ("http://127.0.0.1:1/a b", "control characters"),
    ],
)
def test_an_address_that_is_none_is_a_fault_and_no_traceback(url: str, fault: str) -> None:
    (reply,) = knock(url, [("import", True)])
    assert reply.status is None
    assert fault in reply.fault
