"""Migrations: what has changed since the last one, as a file that a migration tool runs. Pure: no disk, no clock."""

from orchestra.migrate.lock import Lock, Migration
from orchestra.migrate.make import Draught, draw
from orchestra.migrate.naming import Version, next_version

__all__ = ["Draught", "Lock", "Migration", "Version", "draw", "next_version"]
