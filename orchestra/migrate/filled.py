"""The SQL files of this room, with values put in."""

from __future__ import annotations

import re
from functools import cache
from importlib.resources import files
from typing import Final

_PARAMETER: Final = re.compile(r"(?<!:):([a-z_]+)\b")


def filled(name: str, **parts: str) -> str:
    """The file's statement with each `:name` replaced by its part, which is SQL already and is not looked through."""
    return _PARAMETER.sub(lambda found: parts[found[1]], _template(name))


@cache
def _template(name: str) -> str:
    return files(__package__).joinpath(name).read_text(encoding="utf-8").strip()
