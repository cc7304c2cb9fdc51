"""The bytes of a file: what stays of them beside the text."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from orchestra.errors import SpecError
from orchestra.formatting.text import format_text
from orchestra.spec.decode import decode

_BOM: Final = b"\xef\xbb\xbf"


@dataclass(frozen=True, slots=True)
class Formatted:
    """A file before and after, as bytes and as text with plain line breaks."""

    before: bytes
    after: bytes
    text_before: str
    text_after: str

    @property
    def changed(self) -> bool:
        return self.before != self.after


def format_bytes(data: bytes, file: str) -> Formatted:
    """The canonical form with the byte order mark and the line breaks that the file has (the first one counts).

    Raises:
        SpecError: it is no YAML that a spec can be read from.
        CannotFormatError: it is written in a way that is not formatted.
    """
    text, found = decode(data, file)
    if text is None:
        raise SpecError(found)
    after = format_text(text, file)
    first = text.find("\n")
    end = "\r\n" if first > 0 and text[first - 1] == "\r" else "\n"
    whole = (_BOM if data.startswith(_BOM) else b"") + after.replace("\n", end).encode()
    return Formatted(data, whole, text.replace("\r\n", "\n"), after)
