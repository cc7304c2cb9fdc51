"""A spec as it grows over a dozen versions: something of every kind is added, changed, removed and comes back."""

from __future__ import annotations

from dataclasses import dataclass

SETUP = """
    create schema app;
    create table app.page (id int primary key, title text, body text);
    create table app.visit (id int primary key, at timestamptz not null default now());
    create table app.other (id int primary key, body text);
    create role web nologin;
    create role mobile nologin;
    create role clerk nologin;
    grant usage on schema app to clerk;
    grant all on all tables in schema app to clerk;
"""
HEAD = """\
version: 1
project: site
platform: {provider: postgres}
defaults: {poll_interval: 1m}
"""
INDEX = """\
  index:
    summary: Index a page
    trigger: [manual, {table: {name: app.page, on: [insert, update], columns: [body]}}]
    duration: {max: 5s}
    run: {sql: "select :payload"}
"""
TIDY = """\
  tidy:
    trigger: {schedule: {cron: "0 3 * * *", timezone: Europe/Berlin}}
    duration: {max: 5s}
    run: {sql: "delete from app.visit where at < now() - interval '1 year'"}
"""
REPORT = """\
  report:
    trigger: {schedule: {cron: "0 6 * * *"}}
    steps:
      collect: {duration: {max: 5s}, run: {sql: "select jsonb_agg(id) from app.page"}}
      render: {depends_on: [collect], map: collect, duration: {max: 5s}, run: {sql: "select $1"}}
"""


@dataclass(frozen=True)
class Step:
    """A version of the spec; `approved` are the flags that its migration needs."""

    name: str
    spec: str
    approved: tuple[str, ...] = ()


def _chain() -> list[Step]:
    """Each version is the one before it with a change."""
    steps: list[Step] = []

    def then(name: str, text: str, *approved: str) -> None:
        steps.append(Step(name, text, approved))

    def changed(name: str, old: str, new: str, *approved: str) -> None:
        text = steps[-1].spec
        assert text.count(old) == 1, (name, old)
        then(name, text.replace(old, new), *approved)

    then("the first", f"{HEAD}workloads:\n{INDEX}{TIDY}")
    changed("metadata", "Index a page", "Index a page; it's $sql$ -- said; in (words")
    changed("another hour", '"0 3 * * *"', '"30 4 * * mon"')
    changed(
        "other numbers",
        '    run: {sql: "select :payload"}',
        "    timeout: 9s\n    retry: {max_attempts: 9}\n"
        '    retention: {completed: 1h, failed: 2d}\n    run: {sql: "select :payload"}',
    )
    changed("another statement", '"select :payload"', '"select :message_id -- ; $$ \\\\ it\'s"')
    changed("a pipeline", TIDY.splitlines()[0] + "\n", f"{REPORT}{TIDY.splitlines()[0]}\n")
    changed("a role of its own and a path", "1 year'\"}", "1 year'\", role: clerk, search_path: [app]}")
    changed(
        "two may send",
        "    timeout: 9s\n",
        "    timeout: 9s\n    access: {enqueue: [web, mobile], progress: [web]}\n",
    )
    changed("more workers", "    timeout: 9s\n", "    timeout: 9s\n    concurrency: {limit: 3}\n")
    changed("another table", "app.page, on: [insert, update]", "app.other, on: [delete]")
    changed(
        "another step",
        'sql: "select $1"}}\n',
        'sql: "select $1"}}\n      send: {depends_on: [render], '
        'duration: {max: 5s}, run: {sql: "select 1"}}\n',
    )
    changed("a queue of another name", "    timeout: 9s\n", "    timeout: 9s\n    queue: {name: pages}\n")
    changed("paused", "    timeout: 9s\n", "    timeout: 9s\n    paused: true\n")
    changed("another interval", "poll_interval: 1m", "poll_interval: 2m")
    changed(
        "fewer may send, fewer workers, resumed",
        "    access: {enqueue: [web, mobile], progress: [web]}\n",
        "    access: {enqueue: [mobile]}\n",
        "--allow-destroy",
    )
    steps[-1] = Step(
        steps[-1].name,
        steps[-1].spec.replace("    paused: true\n", "").replace("limit: 3", "limit: 1"),
        steps[-1].approved,
    )
    changed("protected", "    timeout: 9s\n", "    timeout: 9s\n    protect: true\n")
    changed("not protected", "    protect: true\n", "    protect: false\n")
    without = f"{HEAD}workloads:\n{TIDY}".replace("1m", "2m")
    then("without two of them", without, "--allow-destroy")
    then("one comes back", f"{without}{INDEX}")
    then(
        "with a dead letter queue and a second schedule",
        f"{without}{INDEX}".replace(
            '{schedule: {cron: "0 3 * * *", timezone: Europe/Berlin}}',
            '[{schedule: {cron: "0 3 * * *", timezone: Europe/Berlin}}, {schedule: {every: 1h}}]',
        ).replace(
            '    run: {sql: "select :payload"}',
            '    dead_letter_queue: lost\n    run: {sql: "select :payload"}',
        ),
    )
    then("none", f"{HEAD}workloads: {{}}\n", "--allow-destroy")
    return steps


CHAIN = _chain()
