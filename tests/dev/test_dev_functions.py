"""The functions of an `orchestra dev`: the door that they open, the key by which it opens, what handlers see."""

from __future__ import annotations

import json
import re
import sys
import urllib.error
import urllib.request
from pathlib import Path

import pytest
from dev_session import Session, nothing_is_left, session, sql
from engines.waiting import eventually

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="processes are counted in /proc")

SPEC = """\
version: 1
project: shop
platform: {provider: supabase, plan: free}
secrets:
  function_url: {vault: where_functions_are}
  function_key: {vault: what_wakes_them}
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


@pytest.fixture
def home(tmp_path: Path) -> Path:
    folder = tmp_path / "shop"
    (folder / "supabase/functions/greet").mkdir(parents=True)
    (folder / "supabase/functions/greet/handler.ts").write_text(HANDLER)
    (folder / "orchestra.yaml").write_text(SPEC)
    (folder / "tables.sql").write_text("create table if not exists greeting (text text);")
    (folder / ".env").write_text(f"# for handlers\nWORD='Good morning,'\n{ELSEWHERE}")
    return folder


def door(dev: Session) -> tuple[str, str]:
    """The address of the functions and the key that opens them, as the session says them."""
    dev.sees("Ready in ")
    found = re.search(r"Functions: (http\S+)\s+\(apikey (sb_secret_\S+)\)", dev.text)
    assert found is not None, dev.text
    return found[1], found[2]


def test_a_request_is_queued_woken_for_and_handled(home: Path) -> None:
    keys = set()
    for name in ("Ada", "Grace"):  # the second time with the key of the first
        with session(home, "--setup", "tables.sql", "--env-file", ".env", "--port", "0") as dev:
            dev.sees("left out of .env, for they belong to another database: ")
            names = {line.partition("=")[0] for line in ELSEWHERE.splitlines()}
            assert set(re.findall(r"\b[A-Z_]{4,}\b", dev.sees("orchestra  "))) == names
            url, key = door(dev)
            keys.add(key)
            request = urllib.request.Request(f"{url}/greet", json.dumps({"name": name}).encode())
            with pytest.raises(urllib.error.HTTPError, match="401"):
                urllib.request.urlopen(request, timeout=20)
            request.add_header("apikey", key)
            with urllib.request.urlopen(request, timeout=20) as answer:
                assert answer.status == 202
            said = f"select text from greeting where text like '%{name}'"
            assert eventually(lambda query=said: sql(home, query), within=60) == [(f"Good morning, {name}",)]
            dev.press()
            assert dev.ends() == 0
        nothing_is_left(home)
    assert len(keys) == 1
