from __future__ import annotations

import json
import os
import sys
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from orchestra.cli import console, options
from orchestra.cli.completion import offers
from orchestra.errors import BlockedError, OrchestraError, UsageError

if TYPE_CHECKING:
    from orchestra.cli.migrations import Fault, Migrations
    from orchestra.migrate import Draught
    from orchestra.spec.model import Spec

EPOCH = "SOURCE_DATE_EPOCH"


@click.command("migrate")
@options.specs()
@click.option(
    "--out",
    type=click.Path(path_type=Path, file_okay=False),
    default=Path("supabase"),
    show_default=True,
    help="The folder that holds migrations/ and the lock.",
)
@click.option("--name", metavar="TEXT", help="What the file is called, after its 14 digits.")
@click.option("--check", is_flag=True, help="Write nothing: exit with 1 where a migration is due.")
@click.option(
    "--keep",
    multiple=True,
    metavar="FILE",
    shell_complete=offers.any_file,
    help="Enter a migration of a merged branch that databases have run already. Repeatable.",
)
@options.output_format("text", "json")
@click.option("--full", is_flag=True, help="Leave nothing out of a large difference.")
@options.approvals
@options.on_delete
def command(
    specs: tuple[Path, ...],
    out: Path,
    name: str | None,
    check: bool,
    keep: tuple[str, ...],
    form: str,
    full: bool,
    allow_destroy: bool,
    allow: tuple[str, ...],
    on_delete: str | None,
) -> None:
    """Write what has changed in the spec since the last migration as the next one: a file in
    migrations/ that supabase db push or psql runs, and a lock that says what it leaves. No database is
    asked. Where nothing has changed, nothing is written. Edge Functions are no part of migrations: see
    orchestra compile --out.

    The 14 digits are the time, or SOURCE_DATE_EPOCH, but always above those of every file that is there.

    \b
    Exit codes:
      0  written, or nothing to do       5  blocked: protection, or a removal
      1  --check: something differs         that nobody approved

    \b
    Example:
      orchestra migrate && supabase db push
      orchestra migrate --check
      orchestra migrate --name "drop the old import" --allow-destroy
    """
    if check and (name or keep or allow_destroy or allow or on_delete):
        raise click.UsageError("--check writes nothing, so there is nothing to name, to keep or to approve")
    from orchestra.cli import several, units
    from orchestra.cli.migrations import Migrations, alone

    floor = _floor()
    found = units.units(specs)
    if len(found) > 1:
        apart = {"name": name, "keep": keep, "allow": allow, "on_delete": on_delete}
        several.refuse(found, **apart, format=form != "text")
    view = _View(form, full)
    with alone(out):
        works = [_Work(u.spec, Migrations(out, u.spec.project, u.spec.moved), view) for u in found]
        if check:
            same = [work.check() for work in works]
            if not all(same):
                raise click.exceptions.Exit(1)
            return
        for work in works:
            # Each may refuse, and then nothing is written.
            work.prepare(keep, allow_destroy=allow_destroy, allow=frozenset(allow), on_delete=on_delete)
        for work in works:
            work.write(floor, name, kept=bool(keep))


class _Work:
    """What there is to do for one project."""

    def __init__(self, spec: Spec, folder: Migrations, view: _View) -> None:
        self._spec, self._folder, self._view = spec, folder, view

    def check(self) -> bool:
        """Whether nothing differs; says what does."""
        return self._view.checked(self._folder, _draught(self._spec, self._folder))

    def prepare(self, keep: Sequence[str], **approvals: Any) -> None:
        """Compares and shows; raises what stands in the way."""
        for file in keep:
            self._folder.keep(file)
        self._draught = _draught(self._spec, self._folder, **approvals)
        self._left = _left_by_a_killed_run(self._draught, self._folder)
        if self._left is not None:
            return
        _refuse(self._folder.faults, self._folder)
        if self._draught.changes:
            self._view.changes(self._draught)
            _refuse_blocked(self._draught)

    def write(self, floor: datetime, name: str | None, *, kept: bool) -> None:
        draught, folder = self._draught, self._folder
        if self._left is not None:
            lock = _locked(draught, folder, self._left, folder.texts[self._left])
            folder.write(lock, None, "")
            self._view.written(folder, draught, self._left)
        elif draught.changes:
            self._view.written(folder, draught, _write(draught, folder, floor, name))
        else:
            if kept:
                folder.write(folder.lock, None, "")
            self._view.unchanged(folder)


def _floor() -> datetime:
    """The time before which no migration is dated."""
    given = os.environ.get(EPOCH, "")
    if not given:
        return datetime.now(UTC)
    try:
        return datetime.fromtimestamp(int(given), UTC)
    except (ValueError, OverflowError, OSError):
        raise UsageError(
            f"{EPOCH} is {given!r}, which is no time", "give whole seconds since 1970, or unset it"
        ) from None


def _draught(spec: Spec, folder: Migrations, **approvals: Any) -> Draught:
    from orchestra import pipeline

    return pipeline.migration(spec, folder.lock, **approvals)


def _write(draught: Draught, folder: Migrations, floor: datetime, name: str | None) -> str:
    """Gives the file's name."""
    from orchestra.migrate import next_version
    from orchestra.migrate.naming import slug

    words = slug(draught.project, name, draught.changes, first=draught.first)
    file = f"{next_version(floor, folder.names)}_{words}.sql"
    text = _text(draught, file)
    folder.write(_locked(draught, folder, file, text), file, text)
    return file


def _text(draught: Draught, file: str) -> str:
    from orchestra.migrate.text import render
    from orchestra.version import __version__

    return render(draught, file.partition("_")[0], file.removesuffix(".sql"), __version__)


def _locked(draught: Draught, folder: Migrations, file: str, text: str) -> Any:
    from orchestra.migrate import Migration
    from orchestra.migrate.lock import state_hash, text_hash

    entry = Migration(file, text_hash(text), state_hash(draught.after))
    return replace(
        folder.lock,
        project=draught.project,
        migrations=(*folder.lock.migrations, entry),
        resources={r.address: r for r in draught.after},
    )


def _left_by_a_killed_run(draught: Draught, folder: Migrations) -> str | None:
    """A run that was killed between file and lock has left just what this one would write: only the lock is missing."""
    if len(folder.faults) != 1 or folder.faults[0].what != "unknown" or draught.blockers:
        return None
    file = folder.faults[0].file
    if not draught.changes or _text(draught, file) != folder.texts[file].replace("\r\n", "\n"):
        return None
    last = folder.lock.migrations[-1].file if folder.lock.migrations else ""
    return file if file > last else None


def _refuse(faults: list[Fault], folder: Migrations) -> None:
    if not faults:
        return
    first = faults[0]
    more = f" (and {len(faults) - 1} more)" if len(faults) > 1 else ""
    raise OrchestraError(f"{folder.shown(first.file)} {first.said}{more}", _remedy(first))


def _remedy(fault: Fault) -> str:
    if fault.what == "unknown":
        return (
            "where no database that counts has run it, remove it and run orchestra migrate again; where one has, "
            f"enter it with: orchestra migrate --keep {fault.file}"
        )
    return "take it from git as it was; a database that has run it would not run another one of its name"


def _refuse_blocked(draught: Draught) -> None:
    if not draught.blockers:
        return
    worst = min(draught.blockers, key=lambda b: b.exit_code)
    more = f" (and {len(draught.blockers) - 1} more)" if len(draught.blockers) > 1 else ""
    kind = OrchestraError if worst.exit_code == 1 else BlockedError
    raise kind(f"{worst.address}: {worst.message}{more}", worst.remedy)


class _View:
    """What is said: text, or one object on stdout."""

    def __init__(self, form: str, full: bool) -> None:
        self._json, self._full = form == "json", full

    def changes(self, draught: Draught) -> None:
        """Before they are written, or refused."""
        from orchestra.plan.model import Difference
        from orchestra.report import diff_text

        if not self._json:
            found = Difference(draught.project, "", draught.changes)
            console.out(diff_text.render(found, console.style(sys.stdout), full=self._full))

    def written(self, folder: Migrations, draught: Draught, file: str) -> None:
        if self._json:
            self._out(folder, "written", draught, file)
        else:
            console.note(f"Wrote {folder.shown(file)} and {folder.lock_shown}.")

    def unchanged(self, folder: Migrations, also: str = "Nothing was written.") -> None:
        if self._json:
            self._out(folder, "unchanged")
            return
        number = len(folder.lock.migrations)
        several = f"the last of its {number} migrations" if number > 1 else "its migration"
        console.note(f"No changes: the spec compiles to what {several} leaves. {also}")

    def checked(self, folder: Migrations, draught: Draught) -> bool:
        """Says what differs; whether nothing does."""
        faults = folder.faults
        if not faults and not draught.changes:
            self.unchanged(folder, "All of them are as they were written.")
            return True
        if self._json:
            self._out(folder, "differs", draught)
            return False
        if draught.changes:
            self.changes(draught)
            state = "has no migration yet" if draught.first else "differs from what its last migration leaves"
            due = f"the spec {state}" + (", and files differ as well" if faults else "")
            console.fail(due, "run orchestra migrate, and commit the file with the lock")
        for fault in faults:
            console.fail(f"{folder.shown(fault.file)} {fault.said}", _remedy(fault))
        return False

    def _out(
        self, folder: Migrations, status: str, draught: Draught | None = None, file: str | None = None
    ) -> None:
        from orchestra.report import masked

        found = [masked.change(c) for c in draught.changes] if draught is not None else []
        document = {
            "format_version": 1,
            "status": status,
            "file": None if file is None else folder.shown(file),
            "lock": folder.lock_shown,
            "faults": []
            if status == "written"
            else [{"file": folder.shown(f.file), "code": f.what} for f in folder.faults],
            "changes": [
                {
                    "address": str(c.address),
                    "action": c.action.value,
                    "category": c.category.value,
                    "reasons": list(c.reasons),
                    "hazards": [{"code": h.code, "message": h.message} for h in c.hazards],
                }
                for c in found
            ],
        }
        console.out(json.dumps(document, indent=2))
