"""pg_net's stand-in: its catalogue, its transactions, and its worker; no real one is at hand to compare."""

from __future__ import annotations

import http.server
import json
import threading
import time
from collections.abc import Iterator

import psycopg
import pytest
from engines import Engine
from engines.waiting import eventually
from psycopg import errors


@pytest.fixture
def net(embedded: Engine) -> Engine:
    embedded.execute("create extension pg_net")
    embedded.execute("create role app login")
    return embedded


class Callee(http.server.BaseHTTPRequestHandler):
    """Answers /status/NNN with that status, /slow after 1.5 s, anything else with what it got."""

    calls: list[tuple[str, str]]

    def answer(self) -> None:
        body = self.rfile.read(int(self.headers.get("content-length") or 0)).decode()
        self.calls.append((self.command, self.path))
        if self.path == "/slow":
            time.sleep(1.5)
        status = int(self.path.rpartition("/")[2]) if self.path.startswith("/status/") else 200
        said = json.dumps(
            {"method": self.command, "path": self.path, "body": body, "key": self.headers.get("X-Key")}
        )
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(said)))
        self.end_headers()
        self.wfile.write(said.encode())

    do_GET = do_POST = do_DELETE = answer

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def callee() -> Iterator[tuple[str, list[tuple[str, str]]]]:
    """A server's base URL and the calls that it has got."""
    calls: list[tuple[str, str]] = []
    handler = type("Handler", (Callee,), {"calls": calls})
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}", calls
        server.shutdown()
        thread.join()


def test_the_public_functions_have_the_known_signatures(net: Engine) -> None:
    found = dict(
        net.execute(
            """
            select proname, pg_get_function_arguments(oid) || ' -> ' || pg_get_function_result(oid)
              from pg_proc where pronamespace = 'net'::regnamespace and proname ~ '^http_(get|post|delete)'
            """
        )
    )
    params = "params jsonb DEFAULT '{}'::jsonb"
    body = "body jsonb DEFAULT '{}'::jsonb"
    headers = "headers jsonb DEFAULT '{}'::jsonb"
    json_headers = 'headers jsonb DEFAULT \'{"Content-Type": "application/json"}\'::jsonb'
    timeout = "timeout_milliseconds integer DEFAULT 5000"
    assert found == {
        "http_get": f"url text, {params}, {headers}, {timeout} -> bigint",
        "http_post": f"url text, {body}, {params}, {json_headers}, {timeout} -> bigint",
        "http_delete": f"url text, {params}, {headers}, {timeout}, body jsonb DEFAULT NULL::jsonb -> bigint",
    }


def test_the_tables_are_unlogged_and_open_to_everybody(net: Engine) -> None:
    tables = net.execute(
        """
        select relname, relpersistence, relrowsecurity,
               has_table_privilege('app', oid, 'select,insert,delete')
          from pg_class where relnamespace = 'net'::regnamespace and relkind = 'r' order by 1
        """
    )
    assert tables == [("_http_response", "u", False, True), ("http_request_queue", "u", False, True)]
    net.execute("select net.http_post('http://localhost/')", user="app")
    assert net.execute("select url from net.http_request_queue", user="app") == [("http://localhost/",)]


def test_a_request_is_a_row_of_the_callers_transaction(net: Engine) -> None:
    connection = net.connect()
    connection.execute("select net.http_post('http://localhost/', '{}')")
    connection.rollback()
    assert net.execute("select count(*) from net.http_request_queue") == [(0,)]


def test_parameters_are_encoded_and_added_to_the_url(net: Engine) -> None:
    params = '{"q": "a b&c", "ä": "1/2"}'
    net.execute("select net.http_get('http://localhost?x=1', %s)", [params])
    [(url,)] = net.execute("select url from net.http_request_queue")
    assert url.startswith("http://localhost/?x=1&")
    assert set(url.partition("?")[2].split("&")) == {"x=1", "q=a%20b%26c", "%C3%A4=1%2F2"}


@pytest.mark.parametrize("url", ["", "localhost", "/path", "http://"])
def test_what_is_no_url_raises_at_once(net: Engine, url: str) -> None:
    with pytest.raises(psycopg.Error):
        net.execute("select net.http_get(%s)", [url])


def test_a_post_is_json_or_refused(net: Engine) -> None:
    with pytest.raises(errors.RaiseException, match='Content-Type header must be "application/json"'):
        net.execute(
            "select net.http_post('http://localhost/', headers => '{\"content-type\": \"text/plain\"}')"
        )
    net.execute("select net.http_post('http://localhost/', headers => '{\"X-Key\": \"k\"}')")
    [(headers,)] = net.execute("select headers from net.http_request_queue")
    assert headers == {"X-Key": "k", "Content-Type": "application/json"}


def test_nothing_leaves_without_a_worker_and_it_can_be_told(net: Engine) -> None:
    with pytest.raises(errors.RaiseException, match="the pg_net background worker is not up"):
        net.execute("select net.check_worker_is_up()")
    with net.run_ticker():
        net.execute("select net.wait_until_running()")
        net.execute("select net.check_worker_is_up()")


def test_calls_are_made_and_answers_of_any_status_are_kept(
    net: Engine, callee: tuple[str, list[tuple[str, str]]]
) -> None:
    base, calls = callee
    [(posted,)] = net.execute(
        'select net.http_post(%s, \'{"a": 1}\', headers => \'{"X-Key": "k"}\')', [f"{base}/post"]
    )
    [(broken,)] = net.execute("select net.http_get(%s)", [f"{base}/status/500"])
    [(refused,)] = net.execute("select net.http_get('http://127.0.0.1:9/')")
    [(late,)] = net.execute("select net.http_get(%s, timeout_milliseconds => 300)", [f"{base}/slow"])
    [(deleted,)] = net.execute("select net.http_delete(%s)", [f"{base}/gone"])
    with net.run_ticker():
        eventually(lambda: net.execute("select count(*) from net._http_response") == [(5,)])
    responses = {
        row[0]: row[1:]
        for row in net.execute(
            "select id, status_code, content, content_type, timed_out, error_msg from net._http_response"
        )
    }
    said = json.loads(responses[posted][1])
    assert responses[posted][0] == 200
    assert (said["method"], said["body"], said["key"]) == ("POST", '{"a": 1}', "k")
    assert responses[posted][2:] == ("application/json", False, None)
    assert responses[broken][0] == 500
    assert responses[refused] == (None, None, None, False, "Couldn't connect to server")
    assert responses[late][0] is None
    assert responses[late][3] is True
    assert responses[late][4].startswith("Timeout of 300 ms reached.")
    assert responses[deleted][0] == 200
    assert net.execute("select count(*) from net.http_request_queue") == [(0,)]
    assert len(calls) == 4
    [(collected,)] = net.execute("select (net._http_collect_response(%s)).status::text", [posted])
    assert collected == "SUCCESS"
    [(missing,)] = net.execute("select (net._http_collect_response(999)).message")
    assert missing == "request matching request_id not found"


def test_one_slow_call_holds_up_the_answers_of_its_batch_and_the_next_batch(
    net: Engine, callee: tuple[str, list[tuple[str, str]]]
) -> None:
    base, calls = callee
    net.execute("select net.http_get(%s)", [f"{base}/slow"])
    net.execute("select net.http_get(%s)", [f"{base}/quick"])
    with net.run_ticker():
        eventually(lambda: len(calls) == 2)
        net.execute("select net.http_get(%s)", [f"{base}/next"])
        assert net.execute("select count(*) from net._http_response") == [(0,)]
        time.sleep(0.5)
        assert len(calls) == 2
        eventually(lambda: len(calls) == 3)


def test_a_crash_loses_what_was_queued_and_what_was_answered(
    net: Engine, callee: tuple[str, list[tuple[str, str]]]
) -> None:
    """Both tables are unlogged, and so is what numbers the requests: a number that was given comes again."""
    base, calls = callee
    [(lost,)] = net.execute("select net.http_get(%s)", [f"{base}/lost"])
    net.crash()
    assert net.execute("select count(*) from net.http_request_queue") == [(0,)]
    with net.run_ticker():
        [(first,)] = net.execute("select net.http_get(%s)", [f"{base}/first"])
        assert first == lost
        eventually(lambda: net.execute("select id from net._http_response") == [(first,)])
        net.crash()
        assert net.execute("select count(*) from net._http_response") == [(0,)]
        net.execute("select net.http_get(%s)", [f"{base}/second"])
        eventually(lambda: net.execute("select count(*) from net._http_response") == [(1,)])
    assert calls == [("GET", "/first"), ("GET", "/second")]
