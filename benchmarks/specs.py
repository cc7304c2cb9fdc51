"""Large specs, the same each time: text that a team of many hands might have written."""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

SCHEMAS = 10


@dataclass(frozen=True, slots=True)
class Written:
    """A spec's text, and the files that it includes, by their paths beside it."""

    text: str
    includes: dict[str, str] = field(default_factory=dict)

    def save(self, folder: Path) -> Path:
        for path, text in self.includes.items():
            (folder / path).parent.mkdir(parents=True, exist_ok=True)
            (folder / path).write_text(text, encoding="utf-8")
        spec = folder / "orchestra.yaml"
        spec.write_text(self.text, encoding="utf-8")
        return spec


def mixed(workloads: int) -> Written:
    """Every kind of workload: SQL on schedules and queues, Edge work over HTTP and tables, schemas, …"""
    draw = random.Random(1)
    head = """version: 1
project: bench
platform: {provider: supabase, plan: enterprise}
secrets:
  function_url: {vault: orchestra_function_url}
  function_key: {vault: orchestra_function_key}
defaults:
  retry: {max_attempts: 5, backoff: {initial: 5s, factor: 2, max: 15m, jitter: full}}
workloads:
"""
    body = "".join(_KINDS[draw.randrange(len(_KINDS))](n, draw) for n in range(workloads))
    schemas = {f"payloads/schema-{n}.json": _schema(n) for n in range(SCHEMAS)}
    return Written(head + body, schemas)


def queues(number: int, *, project: str = "bench") -> Written:
    """As many queues, each with one consumer in SQL and so one cron job."""
    return Written("".join(_queue_lines(number, project)))


def terraform(number: int) -> str:
    """As many of Terraform's own resources, which need no provider, as a JSON configuration."""
    resources = {f"queue_{n:05}": {"input": _inputs(n)} for n in range(number)}
    return json.dumps({"resource": {"terraform_data": resources}}, indent=1)


def terraform_state(number: int, version: str) -> str:
    """The state after their apply, which itself writes this whole file once a resource."""
    types = {"queue": "string", "schedule": "string", "limit": "number", "batch": "number"}
    resources = []
    for n in range(number):
        known = {"value": _inputs(n), "type": ["object", types]}
        attributes = {"id": f"{n:08x}-0000-4000-8000-{n:012x}", "input": known, "output": known}
        one = {"schema_version": 0, "attributes": {**attributes, "triggers_replace": None}}
        provider = 'provider["terraform.io/builtin/terraform"]'
        place = {"mode": "managed", "type": "terraform_data", "name": f"queue_{n:05}", "provider": provider}
        resources.append({**place, "instances": [one]})
    head = {"version": 4, "terraform_version": version, "serial": 1, "lineage": "0" * 8, "outputs": {}}
    return json.dumps({**head, "resources": resources, "check_results": None}, indent=2)


def _inputs(n: int) -> dict[str, str | int]:
    return {"queue": f"task_{n:05}", "schedule": "5 seconds", "limit": n % 7, "batch": 10}


def _queue_lines(number: int, project: str) -> Iterator[str]:
    yield f"version: 1\nproject: {project}\nplatform: {{provider: postgres}}\nworkloads:\n"
    for n in range(number):
        yield (
            f"  task-{n:05}:\n"
            "    trigger: manual\n"
            "    duration: {max: 5s}\n"
            '    run: {sql: "insert into app.log (payload) values (:payload)"}\n'
        )


def _scheduled_sql(n: int, draw: random.Random) -> str:
    return f"""  purge-{n:05}:
    summary: >-
      Delete what has expired from table {n}, once the exports and
      the audit trail have taken their copies of it
    trigger: {{schedule: {{cron: "{draw.randrange(60)} {draw.randrange(24)} * * *"}}}}
    duration: {{typical: {draw.randrange(1, 5)}s, max: {draw.randrange(5, 60)}s}}
    run:
      sql: >-
        delete from app.table_{n}
        where expires_at < pg_catalog.now() - interval '{draw.randrange(1, 90)} days'
          and not is_held
    retry: {{max_attempts: 3, backoff: {{initial: 10s, max: 2m}}}}
    retention: {{completed: 7d, failed: 30d}}
"""


def _sql_queue(n: int, draw: random.Random) -> str:
    return f"""  rollup-{n:05}:
    summary: Add one event of source {n} to its totals of the day
    trigger: manual
    duration: {{typical: {draw.randrange(10, 90)}ms, max: 5s}}
    run:
      sql: >-
        insert into app.totals_{n} (day, amount, events)
        values (pg_catalog.now()::date, (:payload ->> 'amount')::numeric, 1)
        on conflict (day) do update
          set amount = app.totals_{n}.amount + excluded.amount,
              events = app.totals_{n}.events + excluded.events
    concurrency: {{limit: {draw.randrange(1, 4)}}}
    visibility_timeout: 1m
    retry:
      max_attempts: {draw.randrange(2, 9)}
      backoff: {{initial: 1s, factor: 2, max: 5m, jitter: full}}
"""


def _wait_until(n: int, draw: random.Random) -> str:
    return f"""  relay-{n:05}:
    summary: Relay webhooks of partner {n} to the CRM, as they come
    trigger: {{http: {{auth: secret}}}}
    duration: {{typical: {draw.randrange(1, 4)}s, max: {draw.randrange(5, 25)}s}}
    payload_schema: ./payloads/schema-{draw.randrange(SCHEMAS)}.json
"""


def _fan_out(n: int, draw: random.Random) -> str:
    return f"""  import-{n:05}:
    summary: Import the catalogue of supplier {n}, one product at a time
    trigger: {{http: {{auth: jwt}}}}
    duration: {{typical: {draw.randrange(100, 900)}ms, max: 20s, cpu: {draw.randrange(2, 9)}ms}}
    fan_out: {{typical: 100, max: {draw.randrange(1_000, 9_000)}}}
    batch_size: {draw.randrange(10, 90)}
    concurrency: {{limit: {draw.randrange(10, 40)}, per_worker: 10}}
    poll_interval: 5s
    payload_schema: ./payloads/schema-{draw.randrange(SCHEMAS)}.json
    arrival: {{rate: {draw.randrange(1, 9)}/m, burst: 100}}
    retry: {{max_attempts: {draw.randrange(2, 9)}}}
    retention: {{failed: 30d}}
"""


def _table(n: int, draw: random.Random) -> str:
    return f"""  embed-{n:05}:
    summary: >-
      Compute the embedding of a document of collection {n} again
      when its words change, for the search and for what is alike
    trigger: {{table: {{name: public.documents_{n}, on: [insert, update], columns: [body, title]}}}}
    duration: {{typical: 900ms, max: {draw.randrange(20, 60)}s}}
    concurrency: {{limit: {draw.randrange(2, 12)}}}
    retry: {{max_attempts: 4, backoff: {{initial: 5s, factor: 3, max: 10m}}}}
"""


def _scheduled_edge(n: int, draw: random.Random) -> str:
    return f"""  digest-{n:05}:
    summary: Send the digest of what is new to the members of team {n}
    trigger:
      schedule:
        cron: "{draw.randrange(60)} {draw.randrange(5, 20)} * * 1-5"
        timezone: Europe/Berlin
        overlap: skip
    duration: {{max: {draw.randrange(30, 120)}s}}
    retry: {{max_attempts: 3}}
    delay: 5s
"""


_KINDS: tuple[Callable[[int, random.Random], str], ...] = (
    _scheduled_sql,
    _sql_queue,
    _wait_until,
    _fan_out,
    _table,
    _scheduled_edge,
)


def _schema(n: int) -> str:
    names = [f"field_{n}_{i}" for i in range(12)]
    properties = {
        name: {"type": "string", "description": f"What {name} is for", "maxLength": 200} for name in names
    }
    shape = {"type": "object", "additionalProperties": False, "required": names[:4], "properties": properties}
    return json.dumps({"$schema": "https://json-schema.org/draft/2020-12/schema", **shape}, indent=2)
