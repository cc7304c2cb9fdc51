"""The part of a markdown file that holds the graph, between two comments; the rest of the file is somebody's."""

from __future__ import annotations

import re
from typing import Final

BEGIN: Final = "<!-- orchestra graph -->"
END: Final = "<!-- /orchestra graph -->"
_START: Final = r"(?:^|(?<=\A\ufeff))"
"""Of a line; a byte order mark may stand before the first."""
_BEGIN: Final = re.compile(rf"{_START}{re.escape(BEGIN)}", re.MULTILINE)
_SECTION: Final = re.compile(
    rf"{_START}{re.escape(BEGIN)}[ \t]*(\r?\n)(?:.*?\r?\n)??{re.escape(END)}", re.MULTILINE | re.DOTALL
)


def begun(text: str) -> int:
    """How many sections begin."""
    return len(_BEGIN.findall(text))


def replaced(text: str, graph: str) -> str | None:
    """`text` with this mermaid in its section, the line ends as they were; None where there is not just one: of two
    that begin the first may never end, and what stands between them is somebody's."""
    found = _SECTION.search(text)
    if found is None or begun(text) > 1:
        return None
    block = f"{BEGIN}\n```mermaid\n{graph}```\n{END}".replace("\n", found[1])
    return text[: found.start()] + block + text[found.end() :]
