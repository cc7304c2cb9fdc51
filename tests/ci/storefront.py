"""The spec of the shop, and how it changes."""

from __future__ import annotations

from typing import Any

SETUP = """
    create schema app;
    create table app.orders (id int primary key, state text);
    create table app.carts (id int primary key, touched_at timestamptz);
"""

SPEC = """\
version: 1
project: shop
platform: {provider: postgres}
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
IMPORT = """\
  import-orders:
    summary: Import orders of yesterday
    trigger: manual
    duration: {max: 10s}
    run: {sql: "insert into app.orders (id) values ((:payload ->> 'id')::int)"}
"""


def pull_request(number: int, repository: str = "acme/shop") -> dict[str, Any]:
    """The event of one that was opened or pushed to. Its title and branch are a stranger's."""
    return {
        "pull_request": {
            "number": number,
            "title": "$(touch /tmp/owned) `id` ${{ secrets.X }}\n::set-output name=changes::false",
            "head": {"ref": '$(id)"; exit 0 #', "repo": {"full_name": repository}},
        }
    }
