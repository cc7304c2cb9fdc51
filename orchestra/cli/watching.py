"""Looking at databases once, or again and again: on a terminal in place, into a pipe one block after the other."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Final

from orchestra.cli import console
from orchestra.cli.screen import Screen

if TYPE_CHECKING:
    from orchestra.cli.database import Chosen
    from orchestra.report.style import Style
    from orchestra.status.source import Look, Source

PARALLEL: Final = 8
"""Databases that are looked at at once, each over one connection."""
WELL, UNREAD, FIRING = 0, 1, 2


@dataclass(frozen=True, slots=True)
class Target:
    """One database. `name` is its environment's; `url` may hold a password. `chosen`: how it was chosen, where it is
    the only one."""

    name: str
    url: str = field(repr=False)
    project: str
    chosen: Chosen | None = None


@dataclass(frozen=True, slots=True)
class Asked:
    """`project` None: all of them. `several`: as one of a fleet, even if it has one member."""

    project: str | None
    workload: str | None
    form: str
    several: bool
    parallel: int


def once(targets: Sequence[Target], asked: Asked) -> int:
    """One look; the exit code."""
    from orchestra.errors import ConnectError
    from orchestra.status.source import Look

    with _sources(targets, asked) as sources, _looking(sources, asked) as look:
        try:
            looks = [replace(seen, again_in=None) for seen in look()]  # nobody will try again
        except ConnectError as error:
            if asked.form != "json":
                raise
            looks = [Look("", None, error.message, error.remedy)]
    console.out(_rendered(looks, asked, console.style(sys.stdout)), end="")
    if not asked.several and looks[0].found is None:
        console.fail(looks[0].fault or "", looks[0].remedy)
    _say_who_runs_its_jobs(targets, looks)
    return _code(looks)


def _say_who_runs_its_jobs(targets: Sequence[Target], looks: Sequence[Look]) -> None:
    """Of an embedded database whose jobs nobody begins."""
    for target, look in zip(targets, looks, strict=True):
        found = look.found
        if target.chosen is not None and found is not None and any(a.kind == "cron" for a in found.alerts):
            target.chosen.say_who_runs_its_jobs(functions=any(w.handler == "edge" for w in found.workloads))


def watch(targets: Sequence[Target], asked: Asked, interval: float) -> int:
    """Looks every `interval` seconds until Ctrl-C, which is how it ends; the exit code is that of the last look."""
    looks: list[Look] = []
    with _sources(targets, asked) as sources, _looking(sources, asked) as look:
        try:
            if asked.form == "text" and console.drives(sys.stdout):
                return _on_terminal(look, asked, interval, looks)
            while True:
                looks[:] = look()
                text = _rendered(looks, asked, console.style(sys.stdout), one_line=True)
                console.out(text, end="" if asked.form == "json" else "\n")
                time.sleep(interval)
        except KeyboardInterrupt:
            return _code(looks)


def _on_terminal(look: Callable[[], list[Look]], asked: Asked, interval: float, looks: list[Look]) -> int:
    looks[:] = look()  # what is wrong from the start is told as by any other command
    last = ""
    try:
        with Screen() as screen:
            while True:
                begun = time.monotonic()
                while True:
                    look_of_it = console.style(sys.stdout)
                    # Clearing to the end of a line that is full would take its last character.
                    last = _rendered(looks, asked, replace(look_of_it, width=look_of_it.width - 1))
                    screen.draw(last, f"Every {interval:g} s; Ctrl-C ends it.")
                    left = interval - (time.monotonic() - begun)
                    if not screen.wait(left):
                        break
                looks[:] = look()
    except KeyboardInterrupt:
        console.out(last, end="")
        return _code(looks)


@contextmanager
def _sources(targets: Sequence[Target], asked: Asked) -> Iterator[list[Source]]:
    from orchestra.status.source import Source

    sources = [
        Source(t.url, time.monotonic, name=t.name, project=asked.project, workload=asked.workload)
        for t in targets
    ]
    try:
        yield sources
    finally:
        for source in sources:
            source.close()


@contextmanager
def _looking(sources: Sequence[Source], asked: Asked) -> Iterator[Callable[[], list[Look]]]:
    """What looks at all of them. A single one may raise the first time, unless its figures say that it is down."""
    if not asked.several:
        (source,) = sources
        yield lambda: [source.once() if asked.form == "prometheus" else source.look()]
        return
    pool = ThreadPoolExecutor(min(asked.parallel, len(sources)))
    try:
        yield lambda: list(pool.map(lambda source: source.once(), sources))
    finally:
        for source in sources:
            source.stop()
        pool.shutdown(cancel_futures=True)


def _rendered(looks: Sequence[Look], asked: Asked, style: Style, *, one_line: bool = False) -> str:
    if asked.form == "json":
        from orchestra.report import status_json

        return status_json.render(looks, several=asked.several, indent=None if one_line else 2)
    if asked.form == "prometheus":
        from orchestra.report import status_prometheus

        return status_prometheus.render(looks, several=asked.several)
    if asked.several:
        from orchestra.report import status_fleet

        return status_fleet.render(looks, style)
    from orchestra.report import status_text

    return status_text.render(looks[0], style)


def _code(looks: Sequence[Look]) -> int:
    if any(look.fault is not None for look in looks):
        return UNREAD
    return FIRING if any(look.found.alerts for look in looks if look.found is not None) else WELL
