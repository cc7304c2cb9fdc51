"""Which version of the schema `orchestra` a database has, for those who only work with it: nothing but an apply brings
it up to date."""

from __future__ import annotations

from orchestra import runtime
from orchestra.errors import UsageError, VersionError
from orchestra.live.connect import Database
from orchestra.live.model import ServerFacts


def require(database: Database, server: ServerFacts, what: str) -> None:
    """UsageError where orchestra was never applied, or is older here than `what` needs; VersionError where it is newer
    than this one knows."""
    if "orchestra.project" not in server.relations:
        raise UsageError(
            "orchestra was never applied to this database", "orchestra apply makes what the spec declares"
        )
    found = database.rows("select version from orchestra.version")
    version = found[0]["version"] if found else 0
    if version < runtime.VERSION:
        raise UsageError(
            f"the schema orchestra of this database is of version {version}, and {what} needs {runtime.VERSION}",
            "orchestra apply brings it up to date",
        )
    if version > runtime.VERSION:
        raise VersionError(
            f"this database belongs to a newer orchestra (version {version} of its schema; this one knows "
            f"{runtime.VERSION})",
            "install the newer orchestra",
        )
