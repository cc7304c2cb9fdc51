"""`orchestra fmt`: the text of a spec file -> the same spec in its canonical form. Pure; the shell reads and writes."""

from __future__ import annotations

from orchestra.formatting.bytes import Formatted, format_bytes
from orchestra.formatting.errors import CannotFormatError
from orchestra.formatting.text import format_text

__all__ = ["CannotFormatError", "Formatted", "format_bytes", "format_text"]
