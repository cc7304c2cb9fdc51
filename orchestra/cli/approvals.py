"""The folder of committed approvals: read whole, judged whole, written one file at a time."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from glob import has_magic
from pathlib import Path
from typing import TYPE_CHECKING, Final

import click

from orchestra.cli import console
from orchestra.errors import UsageError

if TYPE_CHECKING:
    from orchestra.diagnostics import Diagnostic
    from orchestra.plan.approvals import Approval

FOLDER: Final = "approvals"
_MOST_BYTES: Final = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Folder:
    """What the files hold, what is wrong with others, and the text of them all for showing lines."""

    approvals: tuple[Approval, ...]
    findings: tuple[Diagnostic, ...]
    sources: dict[str, str]


def folders(paths: Sequence[Path], chosen: Path | None = None) -> list[Path]:
    """`approvals/` beside each spec (in it, where it is a folder), or the one that was chosen."""
    if chosen is not None:
        return [chosen]
    from orchestra.cli.specs import relative
    from orchestra.spec import find_spec

    where = list(paths)
    if not where:
        found = find_spec(Path.cwd())
        where = [relative(Path(found))] if found else []
    return list(dict.fromkeys(_home(path) / FOLDER for path in where or [Path()]))


def _home(path: Path) -> Path:
    """The folder of a spec; of a pattern, the part of it that is none."""
    if path.is_dir():
        return path
    home = path.parent
    while has_magic(str(home)) and not home.exists():
        home = home.parent
    return home


def read(places: Sequence[Path]) -> Folder:
    """Every file of these folders, which need not exist."""
    from orchestra.plan import approval_file
    from orchestra.spec.faults import fault, top_of
    from orchestra.spec.fetched import ReadFault
    from orchestra.spec.files import read_file

    approvals: list[Approval] = []
    findings: list[Diagnostic] = []
    sources: dict[str, str] = {}
    for path in (file for place in places for file in _files(place)):
        name = os.fspath(path)
        data = read_file(name, _MOST_BYTES)
        if isinstance(data, ReadFault):
            findings.append(
                fault(data.code, f"`{name}` cannot be read: {data.message}", top_of(name), help=data.help)
            )
            continue
        sources[name] = data.decode("utf-8", "replace")
        approval, found = approval_file.load(data, name)
        findings += found
        if approval is not None:
            approvals.append(approval)
    return Folder(tuple(approvals), tuple(findings), sources)


def committed(paths: Sequence[Path], chosen: Path | None) -> tuple[Approval, ...]:
    """The approvals for these specs; the command ends with the findings where a file of theirs is not sound."""
    if chosen is not None and not chosen.is_dir():
        raise UsageError(
            f"there is no folder {chosen}", "name the folder of the approvals, or leave --approvals out"
        )
    folder = read(folders(paths, chosen))
    if folder.findings:
        from orchestra.report import text

        console.note(text.render(folder.findings, folder.sources, console.style(sys.stderr)), end="")
        raise click.exceptions.Exit(1)
    return folder.approvals


def _files(place: Path) -> list[Path]:
    try:
        names = sorted(p.name for p in place.iterdir() if p.suffix in (".yaml", ".yml") and p.name[0] != ".")
    except (FileNotFoundError, NotADirectoryError):
        return []
    return [place / name for name in names]
