"""Where an operator's verb works: on one project in one database, by the name of who typed it."""

from __future__ import annotations

from collections.abc import Generator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from orchestra.cli import whose
from orchestra.cli.database import Chosen

if TYPE_CHECKING:
    from orchestra.live.connect import Database
    from orchestra.spec.model import Spec


@dataclass(frozen=True, slots=True)
class At:
    """`database` is open and was asked whether it has `project`; `acting()` is a transaction that commits on the way
    out and whose verbs are recorded under the operator's name."""

    database: Database
    project: str
    chosen: Chosen
    spec: Spec | None
    _actor: str | None

    def acting(self, reason: str | None = None) -> AbstractContextManager[None]:
        from orchestra.operate import session

        return session.acting(self.database, self._actor, reason)


@contextmanager
def at(paths: Sequence[Path], project: str | None, db: str | None, environment: str | None) -> Generator[At]:
    """The nearest spec's project, or the one of that name, in the database that is chosen as everywhere else. No
    embedded database is made for it: there would be nothing in it."""
    from orchestra.cli import actor
    from orchestra.cli.database import choose
    from orchestra.cli.planning import connected
    from orchestra.operate import place, session

    spec = whose.spec_of(paths, project, environment)
    name = whose.named(spec, project)
    chosen = choose(db, environment, spec, paths, make=False)
    with connected(chosen) as database:
        session.require(database, name)
        place.prove(database, name, environment)
        yield At(database, name, chosen, spec, actor.name())
