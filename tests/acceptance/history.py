"""A year of a shop's spec, change by change."""

from __future__ import annotations

from dataclasses import dataclass

SETUP = """
    create schema app;
    create table app.orders (id int primary key, state text, body text);
    create table app.carts (id int primary key, touched_at timestamptz);
    create role web nologin;
    create role anon nologin;
    create role authenticated nologin;
    create role service_role nologin bypassrls;
"""

_FIRST = """\
version: 1
project: shop
platform: {provider: supabase, plan: pro}
environments:
  production: {database: {env: PROD_DATABASE_URL}}
defaults: {poll_interval: 1m}
workloads:
  purge-carts:
    summary: Remove carts that nobody touches
    trigger: {schedule: {cron: "*/15 * * * *"}}
    duration: {max: 10s}
    run: {sql: "delete from app.carts where touched_at < now() - interval '2 days'"}
"""
_IMPORT = """\
  import-orders:
    summary: Import orders of yesterday
    trigger: manual
    duration: {max: 10s}
    run: {sql: "insert into app.orders (id) values ((:payload ->> 'id')::int)"}
"""
_RECEIPT = """\
  write-receipt:
    summary: Write the receipt of an order
    trigger: {table: {name: app.orders, on: [insert, update], columns: [state]}}
    duration: {max: 5s}
    run: {sql: "update app.orders set body = 'paid' where id = (:payload #>> '{key,id}')::int"}
"""
_REPORT = """\
  nightly-report:
    summary: Report to every customer
    trigger: {schedule: {cron: "0 3 * * *"}}
    steps:
      collect: {duration: {max: 60s}}
      render: {depends_on: [collect], map: collect, duration: {max: 90s}}
      publish: {depends_on: [render], duration: {max: 10s}}
"""
_MAIL = """\
  deliver-mail:
    summary: Deliver mail
    trigger: manual
    duration: {typical: 700ms, max: 20s}
    concurrency: {limit: 8}
"""


@dataclass(frozen=True)
class Step:
    """A commit. `old` becomes `new` in the spec before; `allow` is what its plan has to be told."""

    message: str
    old: str = ""
    new: str = ""
    allow: tuple[str, ...] = ()
    quiet: bool = False
    """Nothing is to be done in the database."""


STEPS = (
    Step("The shop's background work"),
    Step("Import orders", new=_IMPORT),
    Step("Purge less often", '"*/15 * * * *"', '"*/30 * * * *"'),
    Step(
        "Import in threes, and give up sooner",
        "    summary: Import orders of yesterday\n",
        "    summary: Import orders of yesterday\n    concurrency: {limit: 3}\n    retry: {max_attempts: 2}\n",
        allow=("--allow-destroy",),
    ),
    Step("Receipts, from the table", new=_RECEIPT),
    Step("A remark", "workloads:\n", "workloads:   # in order of age\n", quiet=True),
    Step(
        "Orders are loaded, not imported",
        "  import-orders:\n",
        "  load-orders:\n    moved: {from: import-orders}\n",
    ),
    Step("Reports, in three steps", new=_REPORT),
    Step("Reports at the shop's own midnight", '"0 3 * * *"', '"0 0 * * *", timezone: Europe/Berlin'),
    Step("Everybody is past the new name", "    moved: {from: import-orders}\n", "", quiet=True),
    Step("The web may load orders", "  load-orders:\n", "  load-orders:\n    access: {enqueue: [web]}\n"),
    Step("Mail", new=_MAIL),
    Step("Receipts are written elsewhere now", _RECEIPT, "", allow=("--allow-destroy",)),
    Step(
        "The queues are looked at less often",
        "poll_interval: 1m",
        "poll_interval: 5m",
        allow=("--allow-destroy",),
    ),
    Step(
        "The table has to be there",
        "defaults:",
        "requires:\n  - {name: orders, check: {relation: app.orders}}\ndefaults:",
        quiet=True,
    ),
    Step("The shop has another name", "project: shop\n", "project: store\nmoved: {from: shop}\n"),
)


def specs() -> list[str]:
    """The text of the spec after each step."""
    found = [_FIRST]
    for step in STEPS[1:]:
        before = found[-1]
        assert step.old in before, f"{step.message}: {step.old!r} is not there"
        found.append(before.replace(step.old, step.new) if step.old else before + step.new)
    return found
