"""A migration as the text of its file: no BEGIN or COMMIT, nothing that cannot run in a transaction, each statement fit
to be sent by itself."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from orchestra.migrate import careful, guard
from orchestra.migrate.make import Draught, checks
from orchestra.plan.model import Change, tally

_HEAD = """\
-- {project}: migration {version}, made by orchestra {tool}.
-- Do not edit: change the spec and run orchestra migrate.
--
-- {counts}
--
-- Run it once, as the role that owns the project's jobs, in one transaction: migration tools and psql
-- --single-transaction do. It refuses a database that is in another state than it was written for, and changes nothing
-- then; one that is in the new state already it leaves as it is.{paused}
"""
_PAUSED = (
    "\n-- A database built from migrations alone starts paused: orchestra apply opens the gate."
    "\n-- Edge Functions are no part of it: orchestra compile --out supabase writes them."
)


def render(draught: Draught, version: str, name: str, tool: str) -> str:
    """`name` is the file's without its ending."""
    head = _HEAD.format(
        project=draught.project,
        version=version,
        tool=tool,
        counts=_counts(draught.changes),
        paused=_PAUSED if draught.first else "",
    )
    return "\n".join([head, *_blocks(draught, name, tool)])


def owner_of(text: str) -> str | None:
    """The project whose migration a file is; None for one that was not made here."""
    first = text.partition("\n")[0].strip()
    project, made, rest = first.removeprefix("-- ").partition(": migration ")
    return project if made and ", made by orchestra " in rest and " " not in project else None


def _blocks(draught: Draught, name: str, tool: str) -> Iterator[str]:
    yield _block(
        "Is this database in the state that this was written for?",
        [
            guard.guard(
                draught.project,
                name,
                draught.touched,
                former=draught.former,
                needs=draught.needs,
                brings_runtime=draught.brings_runtime,
            )
        ],
    )
    if found := checks(draught):
        yield _block("What the spec requires", found)
    for change in draught.changes:
        yield _block(
            f"{change.action.value} {change.address}",
            change.statements,
            [*change.reasons, *(h.message for h in change.hazards if h.code != "delete")],
        )
    if draught.fresh_jobs:
        yield _block(
            "New jobs are active; a job that is there already stays as its operator left it",
            [careful.active(draught.project, draught.fresh_jobs)],
        )
    yield _block("The ledger", [guard.ledger(draught.project, name, tool, draught.changes)])


def _block(title: str, statements: Sequence[str], notes: Sequence[str] = ()) -> str:
    lines = "".join(f"--   {' '.join(note.split())}\n" for note in notes)
    return f"-- {' '.join(title.split())}\n{lines}" + ";\n".join(statements) + ";\n"


def _counts(changes: Sequence[Change]) -> str:
    return ", ".join(f"{number:,} to {verb}" for verb, number in tally(changes).items()) + "."
