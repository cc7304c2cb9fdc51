"""`python -m orchestra.dev functions`: everything of a project on one machine, as its README starts it."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
import pytest

from orchestra.dev import embedded

SPEC = """\
version: 1
project: shop
platform: {provider: supabase, plan: free}
workloads:
  greet:
    trigger: {http: {auth: secret}}
    duration: {max: 10s}
    fan_out: {max: 10}
"""
HANDLER = """\
import type { Context, Payload } from "./workload.gen.ts";

export default async function greet(payload: Payload, { sql }: Context) {
  await sql`insert into greeting values (
    ${`${Deno.env.get("WORD")} ${(payload as { name: string }).name}`})`;
}
"""


# As it stands in the file of a project that lives on the platform: nothing here may reach that.
ELSEWHERE = """\
SUPABASE_DB_URL=postgresql://nobody@127.0.0.1:1/production
ORCHESTRA_DB_URL=postgresql://nobody@127.0.0.1:1/production
SUPABASE_SECRET_KEYS='{"default":"sb_secret_of_production"}'
SUPABASE_SERVICE_ROLE_KEY=of-production
ORCHESTRA_FUNCTION_KEY=of-production
PGHOST=127.0.0.1
PGPASSWORD=of-production
"""

COMMAND = [sys.executable, "-m", "orchestra.dev", "functions", ".orchestra", "supabase/functions"]


@contextmanager
def served(home: Path, *options: str) -> Iterator[tuple[subprocess.Popen[str], dict[str, str]]]:
    """The command, and what it said of its address and its key."""
    with subprocess.Popen(
        [*COMMAND, *options],
        cwd=home,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        stdin=subprocess.DEVNULL,
        text=True,
    ) as process:
        try:
            assert process.stdout is not None
            said: dict[str, str] = {}
            for line in process.stdout:
                name, _, value = line.strip().partition(": ")
                said[name] = value
                if name == "secret key":
                    break
            yield process, said
        finally:
            process.send_signal(signal.SIGKILL)


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Path]:
    """A project with one function, applied to its embedded database."""
    (tmp_path / "orchestra.yaml").write_text(SPEC)
    database = embedded.start(tmp_path / ".orchestra")
    env = {**os.environ, "ORCHESTRA_DATABASE_URL": database.dsn}
    for arguments in (["apply", "--auto-approve"], ["compile", "--out", "supabase"]):
        subprocess.run([sys.executable, "-m", "orchestra", *arguments], cwd=tmp_path, env=env, check=True)
    (tmp_path / "supabase/functions/greet/handler.ts").write_text(HANDLER)
    (tmp_path / ".env").write_text(f"# for handlers\nWORD='Good morning,'\n{ELSEWHERE}")
    with psycopg.connect(database.dsn, autocommit=True) as connection:
        connection.execute("create table greeting (text text)")
    yield tmp_path
    database.stop()


def test_a_request_is_queued_woken_for_and_handled(home: Path) -> None:
    database = embedded.find(home / ".orchestra")
    assert database is not None
    for name in ("Ada", "Grace"):  # the second time with another key, which takes the first one's place
        with served(home, "--env-file", ".env") as (process, said):
            left_out = said["left out, for they belong to another database"]
            assert left_out.split(", ") == sorted(line.partition("=")[0] for line in ELSEWHERE.splitlines())
            request = urllib.request.Request(
                f"{said['functions']}/greet", json.dumps({"name": name}).encode()
            )
            request.add_header("apikey", said["secret key"])
            with urllib.request.urlopen(request, timeout=20) as answer:
                assert answer.status == 202
            query = "select text from greeting where text like %s"
            with psycopg.connect(database.dsn, autocommit=True) as connection:
                deadline = time.monotonic() + 20
                while (row := connection.execute(query, [f"%{name}"]).fetchone()) is None:
                    assert time.monotonic() < deadline
                    time.sleep(0.1)
            assert row == (f"Good morning, {name}",)
            process.send_signal(signal.SIGINT)
            assert process.wait(20) == 0
        with pytest.raises(urllib.error.URLError):
            urllib.request.urlopen(request, timeout=2)


def test_a_port_that_is_taken_is_an_error_in_one_line(home: Path) -> None:
    with served(home) as (_, said):
        port = re.search(r":(\d+)/", said["functions"])
        assert port is not None
        again = subprocess.run(
            [*COMMAND, "--port", port[1]],
            cwd=home,
            capture_output=True,
            text=True,
            timeout=30,
            check=False,
        )
    assert again.returncode == 1
    assert "Traceback" not in again.stderr
    assert port[1] in again.stderr
