"""The runtime that all functions share, as it lies in the package."""

from __future__ import annotations

import json
from functools import cache
from importlib.resources import files
from importlib.resources.abc import Traversable
from typing import Final

_ROOT: Final = files("orchestra.runtime") / "edge"


@cache
def sources() -> dict[str, str]:
    """Path below the runtime's folder, and text, of each of its TypeScript files; tests are none of it."""
    return {path: file.read_text("utf-8") for path, file in sorted(_found(_ROOT, "").items())}


@cache
def packages() -> dict[str, str]:
    """What the runtime imports: bare names and the versions that it was tested with."""
    settings = json.loads((_ROOT / "deno.json").read_text("utf-8"))
    return {str(name): str(target) for name, target in sorted(settings["imports"].items())}


def _found(folder: Traversable, above: str) -> dict[str, Traversable]:
    found: dict[str, Traversable] = {}
    for entry in folder.iterdir():
        if entry.is_dir():
            if entry.name not in ("node_modules", "tests"):
                found |= _found(entry, f"{above}{entry.name}/")
        elif entry.name.endswith(".ts") and not entry.name.endswith("_test.ts"):
            found[above + entry.name] = entry
    return found
