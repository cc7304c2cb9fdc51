"""Specs of several projects in one command: which files belong together, and which project comes first."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from orchestra.spec.model import Spec


@dataclass(frozen=True, slots=True)
class Unit:
    """One project: its files as they were given, and its spec."""

    paths: tuple[Path, ...]
    spec: Spec


def units(paths: Sequence[Path]) -> tuple[Unit, ...]:
    """The projects of the given files, in the order that their `composition` asks for. One project, or files of which
    not every one says its project, are one unit. Ends the command where a spec has errors."""
    from orchestra.cli.specs import accept, read_all

    readings = read_all(paths)
    if len(readings) == 1:
        return (Unit(tuple(paths), accept(readings[0])),)
    return in_order([Unit(r.paths, accept(r)) for r in readings])


def in_order(found: Sequence[Unit]) -> tuple[Unit, ...]:
    """Units of sound specs, each after those that it waits for."""
    from orchestra.check.units import ordered

    by_project = {unit.spec.project: unit for unit in found}
    order, _ = ordered([unit.spec for unit in by_project.values()])
    return tuple(by_project[spec.project] for spec in order)


def groups(paths: Sequence[Path]) -> dict[str, tuple[Path, ...]]:
    """The files of each project; none where there are not several, or one of the files is a part or cannot be read."""
    from orchestra.spec import load_spec

    found: dict[str, tuple[Path, ...]] = {}
    if len(paths) < 2:
        return found
    for path in paths:
        spec = load_spec((path,)).spec
        if spec is None:
            return {}  # a part, or faulty: taken together, all of them say what is wrong
        found[spec.project] = (*found.get(spec.project, ()), path)
    return found if len(found) > 1 else {}
