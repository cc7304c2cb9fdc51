"""A project's life with all kinds of changes, and back to each of its deployments in turn."""

from __future__ import annotations

import pytest
from acceptance.live import apply, dump, rows
from acceptance.test_there_and_back import spec_of
from engines import Engine

from history.test_back_to_each import back
from orchestra.pipeline import PlanOptions

SETUP = """
    create schema app;
    create table app.page (id int primary key, title text, body text);
    create role web nologin;
    create role mobile nologin;
"""
HEAD = """
version: 1
project: site
platform: {provider: postgres}
defaults: {poll_interval: 1m}
workloads:
"""
INDEX = """
  index:
    trigger: [manual, {table: {name: app.page, on: [insert, update], columns: [body]}}]
    duration: {max: 5s}
    access: {enqueue: [web]}
    run: {sql: "select :payload"}
"""
TIDY = """
  tidy:
    trigger: {schedule: {cron: "0 3 * * *", timezone: Europe/Berlin}}
    duration: {max: 5s}
    run: {sql: "select 1"}
"""
REPORT = """
  report:
    trigger: manual
    access: {enqueue: [web], progress: [mobile]}
    steps:
      collect: {duration: {max: 5s}, run: {sql: "select '[1, 2]'::json"}}
      render: {depends_on: [collect], map: collect, duration: {max: 5s}, run: {sql: "select 1"}}
"""
LATER = TIDY.replace('cron: "0 3 * * *", timezone: Europe/Berlin', "every: 2h")
WIDER = INDEX.replace("[web]", "[mobile, web]").replace("    run", "    concurrency: {limit: 3}\n    run")
RENAMED = WIDER.replace("    run", "    queue: {name: pages}\n    dead_letter_queue: lost_pages\n    run")
LIFE = [
    INDEX + TIDY,
    WIDER + LATER,
    WIDER + LATER + REPORT,
    RENAMED + REPORT.replace("select 1", "select 2"),
    REPORT.replace("progress: [mobile]", "progress: [web]"),
    INDEX.replace("index:", "index-page:") + TIDY + REPORT.replace("max: 5s", "max: 9s"),
]
APPROVED = PlanOptions(allow_destroy=True)


@pytest.mark.engines("embedded", "pg17")
def test_each_deployment_is_as_a_fresh_build_of_its_spec_again(engine: Engine) -> None:
    fresh = []
    for text in LIFE:
        engine.reset()
        engine.psql(SETUP)
        apply(engine, spec_of(HEAD + text))
        fresh.append((dump(engine), rows(engine)))

    engine.reset()
    engine.psql(SETUP)
    for text in LIFE:
        apply(engine, spec_of(HEAD + text), APPROVED)
    for number in (3, 1, 6, 4, 2, 5):
        assert back(engine, number).changes
        assert (dump(engine), rows(engine)) == fresh[number - 1], f"deployment {number}"
    # What going back did is a deployment itself: the first of them led to the third.
    assert not back(engine, 12).changes
    assert back(engine, 7).changes
    assert (dump(engine), rows(engine)) == fresh[2]
