"""What stands in for Edge Functions and the road to them: the secrets, and the calls that are queued for pg_net.

Nothing sends them here: pg_net's stand-in runs only where a test starts it. So what the database wants to call stays in
its queue, where it can be counted, or is answered by a worker of the test.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from runtime.runtime_db import RuntimeDb

URL = "https://abcdefghijklmnopqrst.supabase.co/functions/v1"
KEY = "sb_secret_9f2c7a51d04b4e6f"


@dataclass(frozen=True)
class Call:
    """A row of net.http_request_queue."""

    method: str
    url: str
    headers: dict[str, str]
    body: Any
    timeout_ms: int


def tell_secrets(db: RuntimeDb, *, url: str | None = URL, key: str | None = KEY) -> None:
    """What is in Vault from now on; None leaves a secret out."""
    db.engine.execute("delete from vault.secrets")
    for name, secret in (("function_url", url), ("function_key", key)):
        if secret is not None:
            db.engine.execute("select vault.create_secret(%s, %s)", (secret, name))


def calls(db: RuntimeDb, name: str) -> list[Call]:
    """The calls of a workload's function that wait to be sent."""
    rows = db.rows(
        "select method, url, headers, convert_from(body, 'UTF8'), timeout_milliseconds "
        "from net.http_request_queue where url like %s order by id",
        f"%/{name}",
    )
    return [Call(m, u, h, json.loads(b), t) for m, u, h, b, t in rows]


def take_calls(db: RuntimeDb, name: str) -> int:
    """How many calls wait; they are gone afterwards, as if sent."""
    return len(db.rows("delete from net.http_request_queue where url like %s returning id", f"%/{name}"))


def answer(db: RuntimeDb, name: str) -> None:
    """As if a worker had come and gone since."""
    db.run("update orchestra.wake set entered_at = clock_timestamp(), misses = 0 where workload = %s", name)
