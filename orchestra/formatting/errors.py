"""What keeps a file that can be read from being formatted."""

from __future__ import annotations

from orchestra.errors import OrchestraError


class CannotFormatError(OrchestraError):
    """A file that is left as it is. `line` counts from 1; 0 speaks of the whole file."""

    def __init__(self, message: str, remedy: str = "", *, line: int = 0) -> None:
        super().__init__(message, remedy)
        self.line = line
