"""The saved plans of a fleet: a folder with a file for each database, and an index of them."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from orchestra.cli import console, files
from orchestra.errors import UsageError

if TYPE_CHECKING:
    from orchestra.fleet.model import Result
    from orchestra.plan.model import Plan


def saved_in(paths: Sequence[Path]) -> Path | None:
    """The folder of saved plans, if that is what is to be applied."""
    from orchestra.report import fleet_json

    for path in paths:
        index = path / fleet_json.INDEX
        if index.is_file() and fleet_json.is_index(files.read(index)):
            if len(paths) > 1:
                raise click.UsageError(
                    "A folder of saved plans is applied alone, without specs or further plans."
                )
            return path
        if path.name == fleet_json.INDEX and path.is_file() and fleet_json.is_index(files.read(path)):
            raise UsageError(f"{path} is the index of a folder of plans", f"orchestra apply {path.parent}")
    return None


def writable(out: Path) -> None:
    """UsageError where --out would mix plans with something else."""
    from orchestra.report import fleet_json

    if out.is_file():
        raise UsageError(f"{out} is a file", "several plans are saved in a folder: give --out another name")
    if not out.is_dir() or not any(out.iterdir()):
        return
    index = out / fleet_json.INDEX
    if not (index.is_file() and fleet_json.is_index(files.read(index))):
        raise UsageError(
            f"{out} exists and is no folder of plans", "give --out another name, or empty it first"
        )


def save(out: Path, project: str, plans: Mapping[str, Plan], results: Sequence[Result]) -> None:
    """The plans, then the index: a folder without one is no folder of plans."""
    from orchestra.report import fleet_json, plan_json
    from orchestra.report.words import count
    from orchestra.version import __version__

    index = out / fleet_json.INDEX
    if index.is_file():
        for old in fleet_json.load_index(files.read(index))[1]:
            (out / old.file).unlink(missing_ok=True)
        index.unlink()
    rows = []
    masked = []
    for name, one in plans.items():
        text = plan_json.dump(one)
        document = json.loads(text)
        rows.append(fleet_json.Saved(name, f"{name}.plan.json", document["plan_hash"]))
        masked += [] if document["runnable"] else [name]
        files.write(out / rows[-1].file, text, private=True, durable=False)
    files.write(index, fleet_json.index(project, __version__, rows), private=True)
    if masked:
        console.note(
            f"{count(len(masked), 'plan')} can be read and not applied, the first for {masked[0]}: what looks like a "
            "secret was left out. Move the secret to Vault, or apply the spec itself."
        )
    left = len(results) - len(rows)
    without = f", without {count(left, 'database')} that could not be planned" if left else ""
    console.note(f"Saved {count(len(rows), 'plan')}{without}. To do exactly these: orchestra apply {out}")


def read(folder: Path, names: Sequence[str]) -> tuple[str, dict[str, Plan]]:
    """All plans of a folder, or those whose environments match. UsageError where one is missing, damaged or another
    than the index says: then nothing is begun."""
    from fnmatch import fnmatchcase

    from orchestra.report import fleet_json, plan_json

    project, rows = fleet_json.load_index(files.read(folder / fleet_json.INDEX))
    for pattern in names:
        if not any(fnmatchcase(row.environment, pattern) for row in rows):
            raise UsageError(
                f"--env {pattern!r} matches none of the plans in {folder}",
                "it says which of the saved plans are applied; leave it out for all of them",
            )
    plans: dict[str, Plan] = {}
    for row in rows:
        if names and not any(fnmatchcase(row.environment, pattern) for pattern in names):
            continue
        found = plan_json.load(files.read(folder / row.file))
        if plan_json.digest(found) != row.plan_hash or found.target.environment != row.environment:
            raise UsageError(
                f"{folder / row.file} is not the plan that the index of {folder} names",
                "plan again with --out",
            )
        plans[row.environment] = found
    if not plans:
        raise UsageError(f"there is no plan in {folder}", "plan again with --out")
    return project, plans
