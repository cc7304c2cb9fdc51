"""Short ways to look at a database as the command does."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from orchestra.live import server
from orchestra.live.connect import Database, connect
from orchestra.status import Snapshot, read
from orchestra.status.model import Alert, Workload


@contextmanager
def opened(url: str) -> Iterator[Database]:
    database = connect(url)
    try:
        yield database
    finally:
        database.close()


def look(url: str, project: str | None = "shop", workload: str | None = None) -> Snapshot:
    with opened(url) as database:
        return read(database, server.probe(database), project, workload)


def kinds(found: Snapshot) -> list[tuple[str | None, str]]:
    return [(a.job or a.workload, a.kind) for a in found.alerts]


def alert(found: Snapshot, kind: str) -> Alert:
    [one] = [a for a in found.alerts if a.kind == kind]
    return one


def workload(found: Snapshot, name: str) -> Workload:
    [one] = [w for w in found.workloads if w.name == name]
    return one
