"""Whether a database is the environment that an operator named."""

from __future__ import annotations

from orchestra.errors import BlockedError
from orchestra.live.connect import Database
from orchestra.operate.session import READING
from orchestra.plan.identity import other_environment


def prove(database: Database, project: str, environment: str | None) -> None:
    """BlockedError where the first apply wrote down another environment. Without a name any will do, and so does a
    project of migrations alone, which has none."""
    if environment is None:
        return
    with database.reading(READING):
        rows = database.rows(
            "select p.environment from orchestra.project p where p.project = %(project)s",
            {"project": project},
        )
    for row in rows:
        if (said := other_environment(row["environment"], environment)) is not None:
            raise BlockedError(*said)
