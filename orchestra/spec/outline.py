"""What a spec's text declares, read off its lines: quick however large it is, and while it is being written."""

from __future__ import annotations

import re
from typing import Final

_NAME: Final = re.compile(r"""(["']?)([a-z][a-z0-9_-]{0,62})\1[ \t]*:(?=\s|$)""")
_NOT_PLAIN: Final = "<?{*&!"
"""What a key of a block mapping begins with where its line does not name it: a merge, an alias, a tag."""


def names(text: str, section: str) -> list[str] | None:
    """The keys of a top-level section such as `workloads`, in their order; those that cannot be names are left out.
    None where lines cannot tell: the section is not a block, or holds merges or aliases."""
    block = cut(text, section)
    if block is None or not block:
        return None if block is None else []
    first = re.search(r"^( +)[^ #\r\n]", block, re.MULTILINE)
    if first is None:
        return None
    keys = re.findall(rf"^{first[1]}([^ #\r\n].*)$", block, re.MULTILINE)
    if any(key[0] in _NOT_PLAIN for key in keys):
        return None
    return [found[2] for key in keys if (found := _NAME.match(key))]


def cut(text: str, section: str) -> str | None:
    """The lines of a top-level section, its own first; empty where there is none. None where lines cannot tell."""
    text = text.removeprefix("\ufeff")
    if text.lstrip()[:1] in ("{", "%"):
        return None
    start = re.search(rf"""^["']?{section}["']?[ \t]*:""", text, re.MULTILINE)
    if start is None:
        return ""
    # What a top-level key holds is indented, even a text of many lines, so the next thing that is not ends it.
    end = re.compile(r"^[^\s#]", re.MULTILINE).search(text, start.end())
    block = text[start.start() : end.start() if end else len(text)]
    beside = block.partition("\n")[0].partition(":")[2].strip()
    return block if not beside or beside.startswith("#") else None
