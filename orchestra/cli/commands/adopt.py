from __future__ import annotations

from dataclasses import replace
from typing import Any

import click

from orchestra.cli import options
from orchestra.cli.completion import offers


@click.command("adopt")
@click.argument(
    "arguments", nargs=-1, metavar="[SPEC]... ADDRESS[=NAME]...", shell_complete=offers.specs_and_adoptable
)
@options.database
@options.auto_approve
@options.lock_timeout
@options.output_format("text", "json")
@options.detail
def command(
    arguments: tuple[str, ...],
    db: str | None,
    environment: str | None,
    auto_approve: bool,
    lock_timeout: float | None,
    form: str,
    show_sql: bool,
    full: bool,
) -> None:
    """Take over what exists already and was not made by orchestra: a queue with all that is in it, or a cron job, of
    another name too. Only the workloads of what is named are made as the spec says; nothing is removed. It is an
    apply with --adopt, narrowed to them.

    \b
    Example:
      orchestra adopt queue.import --env production
      orchestra adopt shop.yaml 'cron_job.purge=nightly purge' --db "$DATABASE_URL"
    """
    how = {"auto_approve": auto_approve, "lock_timeout": lock_timeout}
    _adopt(arguments, db, environment, {**how, "form": form, "show_sql": show_sql, "full": full})


def _adopt(arguments: tuple[str, ...], db: str | None, environment: str | None, how: dict[str, Any]) -> None:
    from orchestra import pipeline
    from orchestra.cli import addresses, planning
    from orchestra.cli.applying import finish
    from orchestra.cli.confirm import require_someone
    from orchestra.cli.database import choose
    from orchestra.cli.specs import known, require
    from orchestra.ir.program import Address
    from orchestra.plan.owning import workload_of

    paths, named = addresses.apart(arguments)
    addresses.require(named, "adopt")
    require_someone(how["auto_approve"])
    spec = require(paths)
    workloads = frozenset(workload_of(Address.parse(word.partition("=")[0]).name) for word in named)
    for name in sorted(workloads):
        known(spec, name)
    chosen = choose(db, environment, spec, paths)
    wanted = replace(planning.options(chosen, adopt=named, specs=paths), only=workloads)
    with planning.connected(chosen) as connection:
        finish(connection, pipeline.plan(connection, spec, wanted), wanted, verb="adopt", **how)
