"""The stand-in for Supabase's edge runtime, with real Deno: carrying requests, and the life of an isolate."""

from __future__ import annotations

import http.client
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from edge_client import FUNCTIONS, call, hears, is_alive, said, write_function
from engines import Engine
from engines.waiting import eventually

from orchestra.dev.edge import EdgeError, EdgeServer, LogLine, State, database_env, find_deno
from orchestra.dev.edge.deno import PRELUDE

ENV = {"SUPABASE_URL": "http://127.0.0.1:1", "GREETING": "salut"}


@pytest.fixture(scope="module")
def server() -> Iterator[EdgeServer]:
    """For tests that leave the isolate as it was."""
    with EdgeServer(FUNCTIONS, ENV) as server:
        yield server


# ---- requests and answers


def test_a_request_reaches_the_function_as_the_platform_sends_it(server: EdgeServer) -> None:
    answer = call(server, "probe/url/a%20b?x=1", b"{}", method="PUT", **{"X-Mine": "1"})
    assert (answer.status, answer.headers["X-Probe"]) == (201, "yes")
    assert answer.json["method"] == "PUT"
    assert answer.json["url"] == f"http://127.0.0.1:{server.port}/probe/url/a%20b?x=1"
    assert answer.json["headers"]["x-mine"] == "1"


def test_an_unknown_function_is_not_found(server: EdgeServer) -> None:
    for path in ("nothing", "nothing/pid", "_shared", "..%2Fprobe", "../probe/pid", ""):
        answer = call(server, path)
        assert (answer.status, answer.json["code"]) == (404, "NOT_FOUND"), path
        assert answer.headers["sb-error-code"] == "NOT_FOUND"


def test_a_body_of_20_mb_goes_up_and_comes_down(server: EdgeServer) -> None:
    body = os.urandom(20 * 1024 * 1024)
    assert call(server, "probe/echo", body).body == body


def test_a_chunked_body_goes_up(server: EdgeServer) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=20)
    pieces = iter([b"a" * 10, b"b" * 100_000, b"c"])
    connection.request("POST", "/functions/v1/probe/size", pieces, encode_chunked=True)
    assert connection.getresponse().read() == b"100011"
    connection.close()


def test_an_answer_before_the_end_of_the_body_arrives(server: EdgeServer) -> None:
    answer = call(server, "probe/refuse", bytes(21 * 1024 * 1024))
    assert (answer.status, answer.body) == (413, b"too much")


def test_one_connection_carries_many_requests(server: EdgeServer) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=20)
    connection.connect()
    opened = connection.sock
    seen = []
    for method, act in [
        ("GET", "pid"),
        ("POST", "empty"),
        ("HEAD", "pid"),
        ("GET", "fail"),
        ("POST", "size"),
    ]:
        connection.request(method, f"/functions/v1/probe/{act}", b"123" if method == "POST" else None)
        answer = connection.getresponse()
        seen.append((answer.status, len(answer.read())))
    assert [status for status, _ in seen] == [200, 204, 200, 500, 200]
    assert [length for _, length in seen[1:3]] == [0, 0]
    assert connection.sock is opened
    connection.close()


def test_what_is_no_http_is_told_so(server: EdgeServer) -> None:
    post = b"POST /functions/v1/probe/pid HTTP/1.1\r\nContent-Length: %b\r\n\r\n"
    for text in (b"hello\r\n\r\n", post % b"x", post % (b"9" * 5000)):
        with socket.create_connection(("127.0.0.1", server.port)) as connection:
            connection.sendall(text)
            assert connection.recv(1000).startswith(b"HTTP/1.1 400 ")


def test_a_client_that_breaks_off_harms_nobody(server: EdgeServer) -> None:
    with socket.create_connection(("127.0.0.1", server.port)) as connection:
        connection.sendall(b"POST /functions/v1/probe/size HTTP/1.1\r\nContent-Length: 100\r\n\r\nhalf")
    eventually(lambda: sum(each.requests for each in server.isolates("probe")) == 0)
    assert call(server, "probe/pid").status == 200


def test_many_requests_at_once_share_one_isolate(server: EdgeServer) -> None:
    with ThreadPoolExecutor(60) as pool:
        answers = pool.map(lambda _: call(server, "probe/sleep?ms=5000"), range(60))
        eventually(lambda: [each.requests for each in server.isolates("probe")] == [60])
        assert len({answer.pid for answer in answers}) == 1


def test_a_function_sees_its_own_environment_and_nothing_else(
    server: EdgeServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "of the developer")
    with EdgeServer(FUNCTIONS, {**ENV, "HOME": "/nowhere"}) as other:
        assert call(other, "probe/env").json == {**ENV, "HOME": "/nowhere"}
    assert call(server, "probe/env").json == ENV
    with EdgeServer(FUNCTIONS, {}) as bare:
        assert call(bare, "probe/env").json == {"SUPABASE_URL": bare.url.removesuffix("/functions/v1")}


def test_what_functions_say_is_kept_line_by_line(tmp_path: Path) -> None:
    heard: list[LogLine] = []
    with EdgeServer(FUNCTIONS, ENV, on_log=heard.append, log_file=tmp_path / "log") as server:
        pid = call(server, "probe/say").pid
    assert said(server, "stdout")[:2] == ["one", "two"]
    # Two bytes of them are the ä.
    assert said(server, "stderr") == ["ä" + "x" * 65_534 + " … 134466 bytes more"]
    assert LogLine("probe", pid, "stdout", "two") in heard
    assert heard == server.log
    assert f"probe[{pid}] stdout: two\n" in (tmp_path / "log").read_text()


def test_a_function_may_export_its_handler(tmp_path: Path) -> None:
    write_function(
        tmp_path, "declared", "export default { word: 'hi', fetch() { return new Response(this.word) } }"
    )
    with EdgeServer(tmp_path, {}) as server:
        assert call(server, "declared").body == b"hi"


def test_a_function_reaches_the_embedded_database(embedded: Engine) -> None:
    with EdgeServer(FUNCTIONS, database_env(embedded.dsn)) as server:
        assert call(server, "database").json == {"user": "postgres", "db": "postgres"}


def test_a_url_of_a_tcp_database_stays_as_it_is() -> None:
    url = "postgresql://app:pw@127.0.0.1:5432/shop"
    assert database_env(url) == {"SUPABASE_DB_URL": url}


# ---- the life of an isolate


def test_an_isolate_is_reused_until_half_of_its_wall_clock() -> None:
    with EdgeServer(FUNCTIONS, ENV, wall_clock_s=2) as server:
        first = call(server, "probe/pid").pid
        assert call(server, "probe/pid").pid == first
        hears(server, "retired", "beforeunload early_drop", "ended: early_drop")
        assert not is_alive(first)
        second = call(server, "probe/pid").pid
        assert second != first
        assert [(each.pid, each.name, each.state) for each in server.isolates()] == [
            (second, "probe", State.ACTIVE)
        ]
        assert 0 < server.isolates("probe")[0].age_s < 2


def test_background_work_survives_the_answer_and_the_retirement() -> None:
    with EdgeServer(FUNCTIONS, ENV, wall_clock_s=3) as server:
        first = call(server, "probe/wait?ms=1900").pid
        eventually(lambda: [each.waiting for each in server.isolates()] == [1])
        hears(server, "retired")
        second = call(server, "probe/pid").pid
        states = {each.pid: each.state for each in server.isolates("probe")}
        assert states == {first: State.RETIRED, second: State.ACTIVE}
        hears(server, "waited 1900", "ended: early_drop")
        assert said(server) == ["waited 1900", "beforeunload early_drop"]


def test_at_the_end_of_the_wall_clock_an_isolate_is_killed_with_its_requests() -> None:
    with EdgeServer(FUNCTIONS, ENV, wall_clock_s=2.5) as server:
        began = time.monotonic()
        answer = call(server, "probe/sleep?ms=60000")
        assert time.monotonic() - began >= 2.5
        assert (answer.status, answer.json["code"]) == (546, "WORKER_RESOURCE_LIMIT")
        assert answer.json["reason"] == "wall_clock"
        assert server.isolates() == []
        told = [line.text for line in server.log][1:]
        assert told == ["retired", "beforeunload wall_clock", "ended: wall_clock"]


def test_a_promise_that_has_settled_already_keeps_nothing() -> None:
    with EdgeServer(FUNCTIONS, ENV, wall_clock_s=1.5) as server:
        call(server, "probe/settled")
        hears(server, "ended: early_drop")


def test_a_rejection_in_the_background_ends_the_isolate_unless_it_is_handled() -> None:
    with EdgeServer(FUNCTIONS, ENV) as server:
        first = call(server, "probe/handled?ms=30").pid
        hears(server, "handled")
        assert call(server, "probe/reject?ms=30").pid == first
        hears(server, "error: Uncaught", "ended: exit")
        assert call(server, "probe/pid").pid != first


def test_an_error_that_nobody_catches_costs_the_isolate_and_not_the_server() -> None:
    with EdgeServer(FUNCTIONS, ENV) as server:
        call(server, "probe/pid")
        for act in ("crash", "exit"):
            answer = call(server, f"probe/{act}")
            assert (answer.status, answer.json["code"]) == (500, "WORKER_ERROR"), act
        assert any("a stray error" in text for text in said(server, "stderr"))
        assert call(server, "probe/pid").status == 200


def test_a_killed_isolate_is_replaced() -> None:
    with EdgeServer(FUNCTIONS, ENV) as server:
        first = call(server, "probe/pid").pid
        with ThreadPoolExecutor(1) as pool:
            pending = pool.submit(call, server, "probe/sleep?ms=60000")
            eventually(lambda: server.isolates()[0].requests == 1)
            assert server.kill(first)
            assert pending.result().status == 546
        assert not is_alive(first)
        assert not server.kill(first)
        assert call(server, "probe/pid").pid != first


def test_several_isolates_share_the_requests_of_a_function() -> None:
    with EdgeServer(FUNCTIONS, ENV, spread=2) as server:
        with ThreadPoolExecutor(4) as pool:
            pids = {answer.pid for answer in pool.map(lambda _: call(server, "probe/sleep?ms=200"), range(4))}
        assert pids == {each.pid for each in server.isolates("probe")}
        assert len(pids) == 2


def test_an_answer_that_does_not_come_is_a_timeout() -> None:
    with EdgeServer(FUNCTIONS, ENV, request_idle_s=0.3, grace_s=0) as server:
        call(server, "probe/pid")
        answer = call(server, "probe/sleep?ms=5000")
        assert (answer.status, answer.json["code"]) == (504, "IDLE_TIMEOUT")


def test_an_isolate_that_spends_its_cpu_is_killed_where_that_is_asked_for() -> None:
    with EdgeServer(FUNCTIONS, ENV, cpu_limit_s=0.4) as server:
        answer = call(server, "probe/spin?ms=5000")
        assert (answer.status, answer.json["reason"]) == (546, "cpu")


def test_otherwise_the_log_says_what_was_spent(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("orchestra.dev.edge.isolate.CPU_PER_REQUEST_S", 0.2)
    with EdgeServer(FUNCTIONS, ENV) as server:
        assert call(server, "probe/spin?ms=1500").status == 200
        hears(server, "used ")
        [isolate] = server.isolates()
        assert isolate.cpu_s is not None
        assert 0.2 < isolate.cpu_s < 2


def test_an_isolate_that_fills_its_heap_is_ended() -> None:
    with EdgeServer(FUNCTIONS, ENV, memory_mb=64) as server:
        answer = call(server, "probe/fill")
        assert (answer.status, answer.json["reason"]) == (546, "memory")


# ---- functions that do not start


@pytest.mark.parametrize(
    ("source", "words"),
    [
        ("Deno.serve(() => new Response('x')", "SyntaxError"),
        ("import './missing.ts';", "Module not found"),
        ("import 'nobody-mapped-this';", "nobody-mapped-this"),
        ("throw new Error('no luck');", "no luck"),
        ("console.log('nothing to serve');", "nothing to serve"),
        (None, "index.ts"),
    ],
)
def test_a_function_that_does_not_start_is_a_boot_error_with_its_log(
    tmp_path: Path, source: str | None, words: str
) -> None:
    (tmp_path / "broken").mkdir()
    if source is not None:
        write_function(tmp_path, "broken", source)
    with EdgeServer(tmp_path, {}) as server:
        answer = call(server, "broken")
        assert (answer.status, answer.json["code"]) == (503, "BOOT_ERROR")
        assert any(words in line for line in answer.json["log"]), answer.json
        write_function(tmp_path, "broken", "Deno.serve(() => new Response('mended'))")
        assert call(server, "broken").body == b"mended"


def test_without_deno_it_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(EdgeError, match="is no Deno that runs") as raised:
        find_deno(tmp_path / "deno")
    assert raised.value.remedy == "run: pip install 'orchestra[dev-functions]'"
    with pytest.raises(EdgeError), EdgeServer(FUNCTIONS, ENV, deno=tmp_path / "deno"):
        pass


def test_a_port_that_is_taken_is_told(server: EdgeServer) -> None:
    with pytest.raises(EdgeError, match=f"port {server.port}"), EdgeServer(FUNCTIONS, ENV, port=server.port):
        pass


# ---- nothing stays behind


def test_a_stop_is_announced_and_waits_a_moment_for_work_that_goes_on() -> None:
    with EdgeServer(FUNCTIONS, ENV, spread=2, grace_s=5) as server:
        pids = [call(server, "probe/wait?ms=700").pid]
    assert said(server) == ["beforeunload termination", "waited 700"]
    assert not any(map(is_alive, pids))


def test_a_stop_is_all_that_a_retired_isolate_is_told_of() -> None:
    with EdgeServer(FUNCTIONS, ENV, wall_clock_s=3, grace_s=5) as server:
        call(server, "probe/wait?ms=1900")
        hears(server, "retired")
    assert said(server) == ["beforeunload termination", "waited 1900"]


def test_a_stop_lets_an_answer_that_is_under_way_arrive_whole() -> None:
    server = EdgeServer(FUNCTIONS, ENV, grace_s=5)
    with server:
        request = urllib.request.Request(f"{server.url}/probe/drip?ms=100")
        answer = urllib.request.urlopen(request, timeout=20)
        began = answer.read(1)
    with answer:
        assert began + answer.read() == b"drip" * 8
    assert said(server) == ["beforeunload termination"]


def test_a_stop_ends_isolates_that_do_not_listen() -> None:
    with EdgeServer(FUNCTIONS, ENV, grace_s=0.3) as server:
        pid = call(server, "probe/spinLater?ms=60000").pid
        time.sleep(0.1)
    assert not is_alive(pid)
    assert server.isolates() == []


_PARENT = """
import sys
from pathlib import Path
from edge_client import call
from orchestra.dev.edge import EdgeServer
with EdgeServer(Path(sys.argv[1]), {}, spread=2) as server:
    print(call(server, "probe/spinLater?ms=60000").pid, call(server, "probe/pid").pid, flush=True)
    sys.stdin.read()
"""


def test_isolates_die_with_a_parent_that_is_killed() -> None:
    parent = subprocess.Popen(
        [sys.executable, "-c", _PARENT, str(FUNCTIONS)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": f"{FUNCTIONS.parent}{os.pathsep}{FUNCTIONS.parent.parent}"},
    )
    with parent:
        assert parent.stdout is not None
        pids = [int(word) for word in parent.stdout.readline().split()]
        assert len(set(pids)) == 2
        assert all(map(is_running, pids))
        parent.send_signal(signal.SIGKILL)
    eventually(lambda: not any(map(is_running, pids)))


def is_running(pid: int) -> bool:
    """Like `is_alive`, but not so for one that waits for an init process to reap it."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def test_the_prelude_is_as_its_linters_want_it() -> None:
    deno = find_deno()
    for command in (["fmt", "--check"], ["lint"], ["check", "--no-lock", "--no-config"]):
        done = subprocess.run([deno, *command, PRELUDE], capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
