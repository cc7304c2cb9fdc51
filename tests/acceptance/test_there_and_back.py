"""A -> B -> A: whatever a change does, the change back undoes."""

from __future__ import annotations

from dataclasses import dataclass, field

import pytest
from engines import Engine

from acceptance.live import apply, assert_settled, dump, rows
from orchestra.pipeline import PlanOptions
from orchestra.spec import parse_spec
from orchestra.spec.model import Spec

SETUP = """
    create schema app;
    create table app.page (id int primary key, title text, body text);
    create role web nologin;
    create role mobile nologin;
"""
BASE = """
version: 1
project: site
platform: {provider: postgres}
defaults: {poll_interval: 1m}
workloads:
  index:
    summary: Index a page
    trigger: [manual, {table: {name: app.page, on: [insert, update], columns: [body]}}]
    duration: {max: 5s}
    concurrency: {limit: 1}
    access: {enqueue: [web]}
    run: {sql: "select :payload"}
  tidy:
    trigger: {schedule: {cron: "0 3 * * *", timezone: Europe/Berlin}}
    duration: {max: 5s}
    run: {sql: "select 1"}
"""


@dataclass(frozen=True)
class There:
    """`new` takes the place of `old` in the base; the options are what going there and going back need."""

    old: str
    new: str
    there: PlanOptions = field(default_factory=PlanOptions)
    back: PlanOptions = field(default_factory=PlanOptions)


DESTROY = PlanOptions(allow_destroy=True)
CHANGES = {
    "another hour": There('cron: "0 3 * * *"', 'cron: "30 4 * * mon"'),
    "no time zone": There(", timezone: Europe/Berlin", ""),
    "an interval": There('cron: "0 3 * * *", timezone: Europe/Berlin', "every: 2h"),
    "a second schedule": There(
        '{schedule: {cron: "0 3 * * *", timezone: Europe/Berlin}}',
        '[{schedule: {cron: "0 3 * * *", timezone: Europe/Berlin}}, {schedule: {every: 1h}}]',
        DESTROY,
        DESTROY,
    ),
    "three workers": There("limit: 1", "limit: 3", back=DESTROY),
    "another poll interval": There("poll_interval: 1m", "poll_interval: 2m", DESTROY, DESTROY),
    "a new name": There("  index:", "  index-page:", DESTROY, DESTROY),
    "no workload": There("  tidy:", "  clean:", DESTROY, DESTROY),
    "other events": There("on: [insert, update]", "on: [delete, insert]"),
    "any column": There(", columns: [body]", ""),
    "the row as well": There("columns: [body]", "columns: [body], payload: new"),
    "no table trigger": There(
        "[manual, {table: {name: app.page, on: [insert, update], columns: [body]}}]", "manual", DESTROY
    ),
    "another role": There("enqueue: [web]", "enqueue: [mobile, web]"),
    "no access": There("    access: {enqueue: [web]}\n", "", DESTROY),
    "an unlogged queue": There(
        "    concurrency",
        "    queue: {kind: unlogged}   # orchestra: ignore[W304] a test\n    concurrency",
        DESTROY,
        DESTROY,
    ),
    "a queue of another name": There(
        "    concurrency", "    queue: {name: pages}\n    concurrency", DESTROY, DESTROY
    ),
    "a paused workload": There("    concurrency", "    paused: true\n    concurrency"),
    "another statement": There('"select :payload"', '"select :message_id"'),
    "every number": There(
        "    concurrency",
        "    timeout: 9s\n    visibility_timeout: 50s\n    delay: 3s\n    retry: {max_attempts: 9}\n"
        "    retention: {completed: 1h, failed: 2d}\n    concurrency",
    ),
    "a paused environment": There("site", "site", there=PlanOptions(environment_paused=True)),
}


def spec_of(text: str) -> Spec:
    result = parse_spec(text)
    assert result.spec is not None, result.diagnostics
    return result.spec


@pytest.mark.parametrize("name", CHANGES)
@pytest.mark.engines("embedded", "pg17")
def test_there_and_back_again(name: str, engine: Engine) -> None:
    change = CHANGES[name]
    assert change.old in BASE
    here, there = spec_of(BASE), spec_of(BASE.replace(change.old, change.new))
    engine.psql(SETUP)
    apply(engine, here)
    schema, content = dump(engine), rows(engine)

    assert apply(engine, there, change.there).changes
    if name != "a paused environment":
        assert_settled(engine, there)
    assert apply(engine, here, change.back).changes
    assert_settled(engine, here)
    assert dump(engine) == schema
    assert rows(engine) == content
