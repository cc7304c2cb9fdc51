"""The part of a markdown file that holds the graph, between two comments; the rest of the file is somebody's."""

from __future__ import annotations

import re
from typing import Final

BEGIN: Final = "<!-- orchestra graph -->"
END: Final = "<!-- /orchestra graph -->"
_SECTION: Final = re.compile(
    rf"^{re.escape(BEGIN)}[ \t]*(\r?\n)(?:.*?\r?\n)??{re.escape(END)}", re.MULTILINE | re.DOTALL
)


def replaced(text: str, graph: str) -> str | None:
    """`text` with this mermaid in its section, the line ends as they were; None without a section."""
    found = _SECTION.search(text)
    if found is None:
        return None
    block = f"{BEGIN}\n```mermaid\n{graph}```\n{END}".replace("\n", found[1])
    return text[: found.start()] + block + text[found.end() :]
