"""Reading the spec for a command: which files, what is wrong with them, and where that is said."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from orchestra.cli import console
from orchestra.errors import UsageError

if TYPE_CHECKING:
    from orchestra.diagnostics import Diagnostic
    from orchestra.spec.model import Spec


@dataclass(frozen=True, slots=True)
class Reading:
    """A spec as far as it could be read, with every finding about it and the text of its files."""

    spec: Spec | None
    findings: tuple[Diagnostic, ...]
    sources: Mapping[str, str]
    paths: tuple[Path, ...]

    @property
    def has_errors(self) -> bool:
        return self.spec is None or any(d.is_error for d in self.findings)

    def with_findings(self, found: Iterable[Diagnostic]) -> Reading:
        """With what the rules found as well."""
        return replace(self, findings=(*self.findings, *(d for d in found if d not in self.findings)))

    def with_sources(self, more: Mapping[str, str]) -> Reading:
        """With the texts of further files."""
        return replace(self, sources={**self.sources, **more})


def read_all(paths: Sequence[Path]) -> tuple[Reading, ...]:
    """Like `read`, one for each project that the files are of, with what is wrong between them."""
    from orchestra.cli.units import groups

    found = groups(paths)
    if not found:
        return (read(paths),)
    readings = [read(files) for files in found.values()]
    specs = [r.spec for r in readings if r.spec is not None]
    from orchestra.check.units import check_units

    # A finding between two specs shows lines of both.
    every = {name: text for r in readings for name, text in r.sources.items()}
    for finding in check_units(specs):
        number = next(i for i, r in enumerate(readings) if finding.span.file in r.sources)
        readings[number] = readings[number].with_sources(every).with_findings([finding])
    return tuple(readings)


def read(paths: Sequence[Path]) -> Reading:
    """Load and check, without judging. UsageError where there is nothing to read."""
    from orchestra.check import check

    reading = load(paths)
    return reading if reading.spec is None else reading.with_findings(check(reading.spec))


def load(paths: Sequence[Path]) -> Reading:
    """Load without checking."""
    from orchestra.spec import load_spec

    where = tuple(paths) or (nearest(),)
    loaded = load_spec(where)
    return Reading(loaded.spec, tuple(loaded.diagnostics), loaded.sources, where)


def nearest() -> Path:
    """The `orchestra.yaml` of this directory or of one above it."""
    from orchestra.spec import find_spec

    found = find_spec(Path.cwd())
    if found is None:
        raise UsageError(
            "there is no orchestra.yaml here or in a directory above",
            "name the spec: orchestra COMMAND path/to/orchestra.yaml",
        )
    return relative(Path(found))


def relative(path: Path) -> Path:
    """A path as one would type it: without the current directory before it."""
    try:
        return path.relative_to(Path.cwd())
    except ValueError:
        return path


def require(paths: Sequence[Path], workload: str | None = None) -> Spec:
    """A spec without errors, or the end of the command: its findings on stderr, and exit code 1.

    Warnings are only counted; `orchestra check` is the place to read them.
    """
    return accept(read(paths), workload)


def require_of(project: str) -> Spec:
    """The nearest spec, which has to be that of a saved plan's project: it says what its environments are."""
    spec = require(())
    if spec.project != project:
        raise UsageError(
            f"the nearest spec is of project {spec.project}, and the plan of {project}",
            "go to the directory of the plan's own spec",
        )
    return spec


def accept(reading: Reading, workload: str | None = None) -> Spec:
    """The same for what was read already."""
    import click

    if reading.spec is None or reading.has_errors:
        from orchestra.report import text

        console.note(text.render(reading.findings, reading.sources, console.style(sys.stderr)), end="")
        raise click.exceptions.Exit(1)
    if reading.findings:
        from orchestra.report.words import count

        words = count(len(reading.findings), "warning")
        console.note(f"{words}; orchestra check shows {'it' if len(reading.findings) == 1 else 'them'}.")
    if workload is not None:
        known(reading.spec, workload)
    return reading.spec


def known(spec: Spec, workload: str) -> None:
    """UsageError unless the spec has this workload."""
    _known("workload", workload, [w.name for w in spec.workloads])


def known_environment(spec: Spec, name: str) -> None:
    _known("environment", name, [e.name for e in spec.environments])


def _known(noun: str, name: str, names: Sequence[str]) -> None:
    if name in names:
        return
    from difflib import get_close_matches

    close = get_close_matches(name, names, 1)
    remedy = f"did you mean {close[0]}?" if close else f"it has {', '.join(names[:10]) or 'none'}"
    raise UsageError(f"the spec has no {noun} {name!r}", remedy)
