"""What has to happen to the files that are there, so that they are those that the spec compiles to: decided here, done
by the command line.

Whose a file is, its mark says. A generated file is overwritten where nobody has changed it; `handler.ts` belongs to the
user from the first edit on, and so does whatever bears no mark.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Final

from orchestra.emit.functions import FOLDER, SHARED, deno_json
from orchestra.emit.functions.mark import Mark, is_untouched_scaffold, mark_of, same
from orchestra.version import __version__

HANDLER: Final = "handler.ts"
SETTINGS: Final = "deno.json"
OURS: Final = ("index.ts", "workload.gen.ts")


class State(Enum):
    CURRENT = "as it should be"
    MISSING = "missing"
    STALE = "stale"
    EDITED = "edited by hand"
    FOREIGN = "not made by orchestra for this project"
    ORPHANED = "not of the spec any more"
    KEPT = "not used any more, and edited by hand"


@dataclass(frozen=True, slots=True)
class Verdict:
    """`text` is what the file should hold; None where it should not be there. `note` is for people."""

    path: str
    state: State
    text: str | None = None
    note: str = ""


@dataclass(frozen=True, slots=True)
class Owner:
    """Whose files are ours to change: those of this project, under its former name too. `moved` gives a workload's name
    by its former one."""

    project: str
    former: str | None
    moved: Mapping[str, str]

    def owns(self, mark: Mark) -> bool:
        return mark.project in (None, self.project, self.former)


def reconcile(owner: Owner, wanted: Mapping[str, str], found: Mapping[str, str]) -> list[Verdict]:
    """One verdict a file, sorted by path. Paths are relative to the supabase folder; `found` holds what is there of the
    functions' folders, ours or not."""
    verdicts = [_wanted(owner, path, text, found.get(path)) for path, text in wanted.items()]
    verdicts += _unwanted(owner, wanted, found)
    return sorted(verdicts, key=lambda v: v.path)


def _wanted(owner: Owner, path: str, text: str, there: str | None) -> Verdict:
    if there is None:
        return Verdict(path, State.MISSING, text)
    if same(there, text):
        return Verdict(path, State.CURRENT, text)
    name = path.rpartition("/")[2]
    if name == HANDLER and not path.startswith(SHARED):
        return Verdict(path, State.STALE if is_untouched_scaffold(there) else State.CURRENT, text)
    if name == SETTINGS:
        return _settings(path, there)
    mark = mark_of(there)
    if mark is None:
        return Verdict(path, State.FOREIGN, text)
    if not owner.owns(mark):
        return Verdict(path, State.FOREIGN, text, f"it belongs to project {mark.project}")
    written = f"written by orchestra {mark.version}" if mark.version != __version__ else ""
    return Verdict(path, State.STALE if mark.intact else State.EDITED, text, written)


def _settings(path: str, there: str) -> Verdict:
    try:
        kept = deno_json.updated(there)
    except deno_json.HasComments as fault:
        return Verdict(
            path, State.EDITED, fault.text, "it has comments or trailing commas, so no entry can be added"
        )
    except deno_json.Unreadable as fault:
        # Never to be forced: nobody knows what would be lost.
        return Verdict(path, State.FOREIGN, there, f"mend the JSON {fault}")
    return Verdict(path, State.CURRENT if kept == there else State.STALE, kept)


def _unwanted(owner: Owner, wanted: Mapping[str, str], found: Mapping[str, str]) -> Iterator[Verdict]:
    marks = {path: mark for path, text in found.items() if (mark := mark_of(text)) is not None}
    ours = {_folder(path) for path, mark in marks.items() if owner.owns(mark) and mark.project}
    ours |= {_folder(path) for path in wanted if not path.startswith(SHARED)}
    others = any(mark.project and not owner.owns(mark) for mark in marks.values())
    for path, text in found.items():
        mark = marks.get(path)
        if path in wanted:
            continue
        if path.startswith(f"{SHARED}/"):
            # The runtime serves every project whose functions lie here.
            if mark is not None and (wanted or not others):
                yield Verdict(path, State.ORPHANED if mark.intact else State.EDITED)
        elif _folder(path) not in ours:
            continue
        elif mark is not None and owner.owns(mark):
            yield Verdict(path, State.ORPHANED if mark.intact else State.EDITED)
        elif path.endswith(f"/{HANDLER}"):
            yield _handler(owner, path, text)
        elif path.endswith(f"/{SETTINGS}"):
            yield Verdict(path, State.KEPT if deno_json.has_others(text) else State.ORPHANED)


def _handler(owner: Owner, path: str, text: str) -> Verdict:
    if is_untouched_scaffold(text):
        return Verdict(path, State.ORPHANED)
    new = owner.moved.get(_folder(path))
    where = f"move it to {FOLDER}/{new}/{HANDLER}" if new else "move what you need of it, and delete it"
    return Verdict(path, State.KEPT, note=where)


def _folder(path: str) -> str:
    return path.removeprefix(f"{FOLDER}/").partition("/")[0]
