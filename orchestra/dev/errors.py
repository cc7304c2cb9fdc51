"""The fault of this room: the development database cannot be had."""

from __future__ import annotations

from orchestra.errors import ConnectError


class DevDatabaseError(ConnectError):
    """The embedded database could not be made, started or reached; the remedy says what to do."""
