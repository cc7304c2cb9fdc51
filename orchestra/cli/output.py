"""What `compile --out DIR` does with a directory: what is there, what should be, and saying so."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

import click

from orchestra.cli import console
from orchestra.cli.tree import Tree
from orchestra.emit.functions.reconcile import State, Verdict
from orchestra.errors import BlockedError, OrchestraError, UsageError

if TYPE_CHECKING:
    from orchestra.spec.model import Spec

SQL = "orchestra.sql"
CONFIG = "config.toml"
_MOST = 20
"""Paths that are listed one by one."""


class Output:
    """`sql` is what the spec compiles to; None leaves the SQL out, and then there are the functions alone."""

    def __init__(self, out: Path, spec: Spec, sql: str | None) -> None:
        self._tree = Tree(out)
        self._spec = spec
        self._sql = sql

    def write(self, *, force: bool) -> None:
        """BlockedError, and nothing written, where a file is in the way that is not ours to overwrite."""
        if not self._wrong:
            self._note_up_to_date()
        texts, gone = self.bring(force=force)
        self._say("Wrote", texts)
        self._say("Removed", gone)
        self._advise(gone)

    def bring(self, *, force: bool) -> tuple[list[str], list[str]]:
        """The same without a word: the paths that were written, and those that are gone."""
        blocked = [v for v in self._verdicts if _blocks(v, force)]
        if blocked:
            self._refuse(blocked)
        texts = {v.path: v.text for v in self._wrong if v.text is not None}
        gone = [v.path for v in self._wrong if v.text is None]
        self._tree.change(texts, gone)
        return list(texts), gone

    def check(self) -> None:
        """Exit 1 where a file is not what the spec compiles to; writes nothing."""
        wrong = self._wrong
        if not wrong:
            self._note_up_to_date()
            return
        for verdict in wrong:
            if verdict.path == self._sql_path and verdict.state in (State.STALE, State.EDITED):
                self._show_difference()
        if [v.path for v in wrong] == [self._sql_path]:
            said = (
                "does not exist"
                if wrong[0].state is State.MISSING
                else "differs from what the spec compiles to"
            )
            console.fail(f"{self._tree.shown(self._sql_path)} {said}", self._how(wrong))
        else:
            from orchestra.report.words import count

            self._list(wrong)
            many = f"{count(len(wrong), 'file')} in {self._tree.root}"
            verb = "differs" if len(wrong) == 1 else "differ"
            console.fail(f"{many} {verb} from what the spec compiles to", self._how(wrong))
        raise click.exceptions.Exit(1)

    @cached_property
    def _verdicts(self) -> list[Verdict]:
        from orchestra import pipeline
        from orchestra.emit.functions import FOLDER, SHARED
        from orchestra.emit.functions.reconcile import HANDLER, OURS, SETTINGS, Owner, reconcile

        wanted = pipeline.emit_functions(self._spec)
        if wanted:
            self._look_where_functions_belong()
        found = self._tree.sources(FOLDER, (*OURS, HANDLER, SETTINGS)) | self._tree.below(SHARED, ".ts")
        found |= {
            path: text for path in wanted if path not in found and (text := self._tree.read(path)) is not None
        }
        former = {w.moved: w.name for w in self._spec.workloads if w.moved}
        owner = Owner(self._spec.project, self._spec.moved, former)
        return [*self._of_sql(), *self._of_config(), *reconcile(owner, wanted, found)]

    @cached_property
    def _wrong(self) -> list[Verdict]:
        return [v for v in self._verdicts if v.state not in (State.CURRENT, State.KEPT)]

    @cached_property
    def _sql_path(self) -> str:
        """A name of its own where another project's SQL lies in this directory."""
        from orchestra.emit.sql import mark_of_sql

        mark = mark_of_sql(self._tree.read(SQL) or "")
        own = mark is None or mark.project in (self._spec.project, self._spec.moved)
        return SQL if own else f"orchestra.{self._spec.project}.sql"

    def _of_sql(self) -> list[Verdict]:
        if self._sql is None:
            return []
        from orchestra.emit.functions.mark import same
        from orchestra.emit.sql import mark_of_sql

        path = self._sql_path
        there = self._tree.read(path)
        if there is None:
            return [Verdict(path, State.MISSING, self._sql)]
        if same(there, self._sql):
            return [Verdict(path, State.CURRENT, self._sql)]
        mark = mark_of_sql(there)
        if mark is None:
            return [Verdict(path, State.FOREIGN, self._sql)]
        return [Verdict(path, State.STALE if mark.intact else State.EDITED, self._sql)]

    def _of_config(self) -> list[Verdict]:
        """The file is made where it is missing: without the entries, the platform would turn the database away."""
        from orchestra.emit.config_toml import ConfigFault, policy, updated
        from orchestra.emit.functions import functions_of

        # Functions look themselves at who asks: the gateway's check knows neither the key of a wake-up nor the signing
        # keys of newer projects.
        entries = {f.name: False for f in functions_of(self._spec)}
        there = self._tree.read(CONFIG)
        if there is None and not entries:
            return []
        try:
            text = updated(there or "", self._spec.project, entries)
            if entries and policy(there or "") == "oneshot":
                console.note(
                    f'Note: {self._tree.shown(CONFIG)} has policy = "oneshot" under [edge_runtime]: the local '
                    'stack ends a function with its answer, and its background work too. Write "per_worker".'
                )
        except ConfigFault as fault:
            shown = f"write there yourself:\n\n{fault.lines}" if fault.lines else "mend the file"
            raise OrchestraError(f"{self._tree.shown(CONFIG)} {fault}", shown) from None
        if there is None:
            return [Verdict(CONFIG, State.MISSING, text)]
        return [Verdict(CONFIG, State.CURRENT if text == there else State.STALE, text)]

    def _look_where_functions_belong(self) -> None:
        """Beside config.toml: written anywhere else, nobody would ever deploy them."""
        root = self._tree.root
        if (root / CONFIG).exists():
            return
        for place in (root / "supabase", root.absolute().parent):
            if place.name == "supabase" and (place / CONFIG).exists():
                from orchestra.cli.specs import relative

                raise UsageError(
                    f"Edge Functions belong into the folder that holds {CONFIG}, and {root} is not that",
                    f"write --out {relative(place)}",
                )

    def _note_up_to_date(self) -> None:
        shown = self._tree.shown(self._sql_path) if len(self._verdicts) == 1 else self._tree.root
        console.note(f"{shown} is up to date.")

    def _refuse(self, blocked: Sequence[Verdict]) -> None:
        self._list(blocked)
        first = blocked[0]
        others = f", and {len(blocked) - 1} more," if len(blocked) > 1 else ""
        raise BlockedError(
            f"{self._tree.shown(first.path)}{others} would be overwritten ({first.state.value}); nothing was written",
            _remedy(blocked),
        )

    def _how(self, wrong: Sequence[Verdict]) -> str:
        blocked = [v for v in wrong if _blocks(v, False)]
        return _remedy(blocked) if blocked else f"write it with: orchestra compile --out {self._tree.root}"

    def _list(self, verdicts: Sequence[Verdict]) -> None:
        for verdict in verdicts[:_MOST]:
            more = f" ({verdict.note})" if verdict.note else ""
            console.note(f"  {self._tree.shown(verdict.path)}: {verdict.state.value}{more}")
        if len(verdicts) > _MOST:
            console.note(f"  … {len(verdicts) - _MOST} more")

    def _say(self, verb: str, paths: Sequence[str]) -> None:
        """A line a file, or a line a folder where there are many."""
        from orchestra.report.words import count

        if len(paths) <= _MOST:
            for path in paths:
                console.note(f"{verb} {self._tree.shown(path)}.")
            return
        folders: dict[str, int] = {}
        for path in paths:
            folder = path.rpartition("/")[0]
            folders[folder] = folders.get(folder, 0) + 1
        if len(folders) > _MOST:
            console.note(f"{verb} {count(len(paths), 'file')} in {self._tree.root}.")
            return
        for folder, number in folders.items():
            console.note(f"{verb} {count(number, 'file')} in {self._tree.shown(folder)}.")

    def _advise(self, gone: Sequence[str]) -> None:
        for verdict in self._verdicts:
            if verdict.state is State.KEPT:
                more = f": {verdict.note}" if verdict.note else ""
                console.note(f"{self._tree.shown(verdict.path)} is no longer used{more}.")
        names = [p.split("/")[1] for p in gone if p.endswith("/index.ts") and "/_shared/" not in p]
        if names:
            console.note(
                f"What was deployed of {', '.join(names)} stays live until: supabase functions delete {names[0]}"
            )

    def _show_difference(self) -> None:
        """The first lines that differ."""
        from difflib import unified_diff

        path = self._sql_path
        found = self._tree.read(path) or ""
        rows = list(
            unified_diff(
                found.splitlines(),
                (self._sql or "").splitlines(),
                self._tree.shown(path),
                "what the spec compiles to",
                n=1,
                lineterm="",
            )
        )
        shown = rows[:20] + ([f"… {len(rows) - 20} more lines"] if len(rows) > 20 else [])
        style = console.style(sys.stderr)
        looks = {"+": "green", "-": "red", "@": "dim"}
        console.note("\n".join(style.paint(row, looks[row[0]]) if row[:1] in looks else row for row in shown))


def _blocks(verdict: Verdict, force: bool) -> bool:
    return verdict.state is State.FOREIGN or (verdict.state is State.EDITED and not force)


def _remedy(blocked: Sequence[Verdict]) -> str:
    foreign = [v for v in blocked if v.state is State.FOREIGN]
    # Whole functions before a deno.json that cannot be read: where both are theirs, nobody has to mend anything.
    first = next((v for v in foreign if not v.path.endswith("/deno.json")), (foreign or blocked)[0])
    if first.path.endswith(".sql"):
        return (
            "give another directory with --out, or move that file away"
            if first.state is State.FOREIGN
            else "take your change into the spec, or lose it with --force"
        )
    if first.state is State.FOREIGN and first.path.endswith("/deno.json"):
        return f"{first.note}; --force does not overwrite such a file"
    if first.state is State.FOREIGN:
        return "rename the workload, or move that function away: --force overwrites generated files only"
    if all(v.path.endswith("/deno.json") for v in blocked):
        return "take the comments out, or lose them with --force"
    return "move your change to handler.ts and delete the file, or lose it with --force"
