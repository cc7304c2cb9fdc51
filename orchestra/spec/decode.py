"""Bytes -> text: UTF-8 only, and no characters that a reader could not see."""

from __future__ import annotations

import re
from typing import Final

from orchestra.diagnostics import Diagnostic, Span
from orchestra.spec.faults import fault, top_of

_BOMS: Final = (
    (b"\xff\xfe\x00\x00", "UTF-32"),
    (b"\x00\x00\xfe\xff", "UTF-32"),
    (b"\xff\xfe", "UTF-16"),
    (b"\xfe\xff", "UTF-16"),
)
# What YAML forbids in a stream, and the three line breaks that editors and YAML 1.2 do not count as such
# (libyaml does, so every line number after one of them would be wrong).
_UNSEEN: Final = re.compile(
    "[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff\ufeff\ufffe\uffff]"
)
_INVISIBLE_HELP: Final = "Remove the character, or write it as an escape inside double quotes."


def decode(data: bytes, file: str) -> tuple[str | None, list[Diagnostic]]:
    """The text of a file, or the finding that says why there is none. A UTF-8 byte order mark is dropped."""
    for mark, name in _BOMS:
        if data.startswith(mark):
            return None, [
                fault(
                    "E103",
                    f"the file is {name}, not UTF-8",
                    top_of(file),
                    why="A spec is read as UTF-8, so that it reads the same on every machine.",
                    help="Save the file as UTF-8.",
                )
            ]
    try:
        return data.removeprefix(b"\xef\xbb\xbf").decode("utf-8"), []
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        begin = data.rfind(b"\n", 0, error.start) + 1
        before = data[begin : error.start].decode("utf-8", "replace").removeprefix("\ufeff")
        column = len(before) + 1
        return None, [
            fault(
                "E103",
                f"the byte 0x{data[error.start]:02x} is not UTF-8",
                Span(file, line, column, line, column + 1),
                why="A spec is read as UTF-8; another encoding would garble names and SQL text.",
                help="Save the file as UTF-8. (Is it a text file at all?)",
            )
        ]


def unseen(text: str, file: str) -> Diagnostic | None:
    """The first character that may not stand in a spec, if there is one."""
    found = _UNSEEN.search(text)
    if found is None:
        return None
    line, column = position(text, found.start())
    return fault(
        "E104",
        f"the character U+{ord(found[0]):04X} may not stand in a spec",
        Span(file, line, column, line, column + 1),
        why="It cannot be seen in an editor, and YAML readers disagree about it.",
        help=_INVISIBLE_HELP,
    )


def position(text: str, index: int) -> tuple[int, int]:
    """Line and column, counted from 1, of a place in the text (`\\n`, `\\r\\n` and `\\r` end a line)."""
    before = text[:index].replace("\r\n", "\n").replace("\r", "\n")
    return before.count("\n") + 1, len(before) - before.rfind("\n")
