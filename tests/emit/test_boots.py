"""Functions start as they are written, and check who calls before anything else: no database is needed to see it."""

from __future__ import annotations

from pathlib import Path

import pytest
from deno_tool import write_functions
from edge_client import call
from emit_specs import load

from orchestra.dev.edge import EdgeServer

TEXT = """\
version: 1
project: shop
secrets: {hook: {vault: hook}}
workloads:
  called: {trigger: {http: {auth: jwt}}, duration: {max: 5s}, payload_schema: ./payload.json}
  hooked: {trigger: {http: {auth: {hmac: {header: X-Sig, secret: hook, scheme: github}}}}, duration: {max: 5s}}
  queued: {trigger: [manual, {http: {auth: secret}}], duration: {max: 5s}, payload_schema: ./payload.json}
  steps: {trigger: manual, steps: {one: {duration: {max: 5s}}}}
"""
JSON = "application/json"
ENVIRONMENT = {
    "SUPABASE_SECRET_KEYS": '{"default": "right"}',
    "SUPABASE_URL": "http://127.0.0.1:9",
    "SUPABASE_DB_URL": "postgresql://nobody@127.0.0.1:9/nothing",
}


@pytest.fixture
def server(tmp_path: Path) -> EdgeServer:
    functions = write_functions(load(TEXT, tmp_path / "spec"), tmp_path)
    return EdgeServer(functions, ENVIRONMENT)


def test_every_kind_of_function_starts_and_turns_strangers_away(server: EdgeServer) -> None:
    with server:
        for name in ("called", "hooked", "queued", "steps"):
            answer = call(
                server, name, b"{}", **{"x-orchestra": "wake", "apikey": "wrong", "content-type": JSON}
            )
            assert answer.status == 401, (name, answer.body, [line.text for line in server.log])
        refused = call(server, "queued", b"{}", **{"apikey": "right", "content-type": JSON})
        assert refused.status == 422, refused.body
        assert "sku" in refused.body.decode()
