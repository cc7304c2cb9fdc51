from __future__ import annotations

from typing import Any

import click

from orchestra.cli import options
from orchestra.cli.completion import offers


@click.command("forget")
@click.argument("arguments", nargs=-1, metavar="[SPEC]... ADDRESS...", shell_complete=offers.specs_and_owned)
@click.option("--project", metavar="NAME", help="The project, where its spec is gone.")
@options.database
@options.auto_approve
@options.lock_timeout
@options.output_format("text", "json")
@options.detail
def command(
    arguments: tuple[str, ...],
    project: str | None,
    db: str | None,
    environment: str | None,
    auto_approve: bool,
    lock_timeout: float | None,
    form: str,
    show_sql: bool,
    full: bool,
) -> None:
    """Give objects up: they stay as they are, with all that is in them, and orchestra no longer minds them. What the
    spec still declares is taken back by the next apply, so take it out of the spec as well.

    \b
    Example:
      orchestra forget queue.import --env production
      orchestra forget --project shop cron_job.purge --db "$DATABASE_URL"
    """
    how = {"auto_approve": auto_approve, "lock_timeout": lock_timeout}
    _forget(arguments, project, db, environment, {**how, "form": form, "show_sql": show_sql, "full": full})


def _forget(
    arguments: tuple[str, ...],
    project: str | None,
    db: str | None,
    environment: str | None,
    how: dict[str, Any],
) -> None:
    from orchestra import pipeline
    from orchestra.cli import addresses, planning, whose
    from orchestra.cli.applying import finish
    from orchestra.cli.confirm import require_someone
    from orchestra.cli.database import choose
    from orchestra.ir.program import Address

    paths, named = addresses.apart(arguments)
    addresses.require(named, "forget")
    whose.either(paths, project)
    require_someone(how["auto_approve"])
    spec = whose.sound_spec_of(paths, project, environment)
    name = whose.named(spec, project)
    chosen = choose(db, environment, spec, paths)
    wanted = whose.wherever_it_is(planning.options(chosen), spec)
    given_up = [Address.parse(word) for word in dict.fromkeys(named)]
    with planning.connected(chosen) as connection:
        plan = pipeline.forget_plan(connection, name, given_up, spec, wanted)
        finish(connection, plan, wanted, verb="forget", **how)
