"""The text of a first spec."""

from __future__ import annotations

from orchestra.scaffold.model import Answers, Found
from orchestra.scaffold.names import unlike

SPEC = "orchestra.yaml"
SCHEMA = "orchestra.schema.json"


def text(found: Found, answers: Answers) -> str:
    """It can be checked, planned, applied and compiled as it is, and is formatted as `orchestra fmt` would."""
    parts = [_head(found, answers), _hello()]
    if found.supabase and answers.provider == "supabase":
        parts.append(_function(unlike("hello-function", found.functions)))
    parts += [part for part in (_existing(found.functions),) if part]
    return "\n".join(parts)


def _head(found: Found, answers: Answers) -> str:
    plan = f", plan: {answers.plan}" if answers.provider == "supabase" else ""
    variable = found.production or "PROD_DATABASE_URL"
    return f"""\
# yaml-language-server: $schema=./{SCHEMA}
version: 1
project: {answers.project}
platform: {{provider: {answers.provider}{plan}}}
environments:
  # orchestra plan --env production, where {variable} holds the URL of the database
  production: {{database: {{env: {variable}}}, protect: true}}

workloads:"""


def _hello() -> str:
    return """\
  # A queue whose messages are worked off by one SQL statement. Send one:
  #   orchestra send --workload hello --payload '{"name": "Ada"}'
  # A few seconds later it is done, and kept for a day where it can be seen: select * from pgmq.a_hello;
  # Whoever listens is told as well: listen hello;
  hello:
    summary: Greet whoever a message names
    trigger: manual
    duration: {typical: 10ms, max: 5s}
    poll_interval: 5s
    retention: {completed: 1d}
    run:
      sql: |
        select pg_notify('hello', 'Hello, ' || coalesce(:payload ->> 'name', 'world') || '!')
"""


def _function(name: str) -> str:
    return f"""\
  # The same in an Edge Function: orchestra compile --out supabase writes supabase/functions/{name}, and the
  # handler.ts in it is yours.
  {name}:
    summary: Do for a message what SQL cannot, such as calling an API
    trigger: manual
    duration: {{typical: 300ms, max: 10s}}
"""


_MOST = 20


def _existing(functions: tuple[str, ...]) -> str:
    if not functions:
        return ""
    listed = [f"  #   {name}" for name in functions[:_MOST]]
    if len(functions) > _MOST:
        listed.append(f"  #   and {len(functions) - _MOST} more")
    return "\n".join(
        [
            "  # Edge Functions that are here already; orchestra leaves them alone:",
            *listed,
            "  # To make one a workload: rename its folder, declare a workload of its name, run orchestra compile",
            "  # --out supabase, move its code into the new handler.ts, and remove the old folder.",
            "",
        ]
    )
