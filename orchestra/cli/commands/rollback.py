from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from orchestra.cli import console, options, whose

if TYPE_CHECKING:
    from orchestra.rollback import Rollback

CHANGES = 2


@dataclass(frozen=True, slots=True)
class _How:
    """`out`, `plan_only` and `detailed_exitcode` only look; the others belong to an apply."""

    out: Path | None
    plan_only: bool
    detailed_exitcode: bool
    auto_approve: bool
    lock_timeout: float | None
    form: str
    show_sql: bool
    full: bool

    @property
    def looks(self) -> bool:
        return self.plan_only or self.detailed_exitcode or self.out is not None


@click.command("rollback")
@click.argument("number", type=click.IntRange(1), metavar="N")
@options.specs()
@whose.project
@options.workload
@options.database
@click.option("--plan", "plan_only", is_flag=True, help="Only show what it would do.")
@click.option(
    "--out",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Only plan, and save the plan for orchestra apply FILE.",
)
@options.detailed_exitcode
@options.auto_approve
@options.lock_timeout
@options.output_format("text", "json")
@options.detail
@options.approvals
@options.approval_files
@options.adoption
def command(
    number: int,
    specs: tuple[Path, ...],
    project: str | None,
    db: str | None,
    environment: str | None,
    out: Path | None,
    plan_only: bool,
    detailed_exitcode: bool,
    auto_approve: bool,
    lock_timeout: float | None,
    form: str,
    show_sql: bool,
    full: bool,
    **choices: Any,
) -> None:
    """Bring a project back to the state right after deployment N: an ordinary plan, shown, asked about, run and
    proved like that of an apply, with the same hazards and approvals. Where the ledger does not tell that state
    for certain, it is refused.

    Gate, environment and protection stay as they are. The runtime is never downgraded and extensions are never
    removed. The code of Edge Functions is not rolled back, nor is the spec in the repository: its next plan shows
    the changes again.

    --plan, --out and --detailed-exitcode only look. The numbers are those of orchestra history.

    \b
    Example:
      orchestra rollback 11 --env production --plan
      orchestra rollback 11 --env production
      orchestra rollback 11 --env production --out plan.json
      orchestra apply plan.json --env production --auto-approve
    """
    how = _How(out, plan_only, detailed_exitcode, auto_approve, lock_timeout, form, show_sql, full)
    _rollback(number, specs, project, db, environment, choices, how)


def _rollback(
    number: int,
    paths: tuple[Path, ...],
    project: str | None,
    db: str | None,
    environment: str | None,
    choices: dict[str, Any],
    how: _How,
) -> None:
    from orchestra import pipeline
    from orchestra.cli import planning
    from orchestra.cli.confirm import require_someone
    from orchestra.cli.database import choose
    from orchestra.cli.saving import overwritable
    from orchestra.report import plan_formats

    if how.looks and (how.auto_approve or how.lock_timeout is not None):
        flag = "--auto-approve" if how.auto_approve else "--lock-timeout"
        raise click.UsageError(
            f"{flag} belongs to an apply; --plan, --out and --detailed-exitcode only look."
        )
    if how.looks:
        plan_formats.refuse(how.form, show_sql=how.show_sql, full=how.full)
        overwritable(how.out)
    else:
        require_someone(how.auto_approve)
    spec = whose.spec_of(paths, project, environment)
    name = whose.named(spec, project)
    chosen = choose(db, environment, spec, paths, make=False)
    command = planning.approve_saved_command(f"rollback {number}", paths, db, environment, choices)
    wanted = planning.options(chosen, **choices, specs=paths, command=command)
    with planning.connected(chosen) as connection:
        found = pipeline.rollback_plan(connection, name, number, wanted, as_recorded=spec is None)
        if how.looks:
            _look(found, how)
        else:
            _apply(connection, found, wanted, how)


def _look(found: Rollback, how: _How) -> None:
    from orchestra.cli import planning
    from orchestra.cli.saving import save
    from orchestra.report import plan_json

    if how.form == "json":
        console.out(plan_json.dump(found.plan), end="")
    elif _said_where(found):
        planning.shown(found.plan, show_sql=how.show_sql, full=how.full)
    if how.out is not None:
        save(found.plan, how.out)
    if how.detailed_exitcode and (found.plan.changes or found.plan.blockers):
        raise click.exceptions.Exit(CHANGES)


def _apply(connection: Any, found: Rollback, wanted: Any, how: _How) -> None:
    from orchestra.cli.applying import finish

    if _said_where(found) or how.form == "json":
        finish(
            connection,
            found.plan,
            wanted,
            verb="rollback",
            auto_approve=how.auto_approve,
            lock_timeout=how.lock_timeout,
            form=how.form,
            show_sql=how.show_sql,
            full=how.full,
        )


def _said_where(found: Rollback) -> bool:
    """Says to which deployment it goes; false where the project is there already, and nothing is left to say."""
    from orchestra.report import history_words as words
    from orchestra.report.cells import wrap

    where = f"deployment #{found.deployment.number} of {words.moment(found.deployment.at)}"
    made = f"made by {words.who(found.deployment.last)}"
    if found.plan.is_empty and not found.plan.blockers:
        said = f"Nothing to roll back: project {found.plan.project} is as {where}, {made}, left it."
        console.note("\n".join(wrap(said, console.style(sys.stderr).width)))
        if found.plan.conditions:
            from orchestra.report import plan_text

            console.note("\n" + plan_text.conditions(found.plan.conditions, console.style(sys.stderr)))
        return False
    console.note(f"Back to {where}, {made}.\n")
    return True
