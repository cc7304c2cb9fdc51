"""The Supabase CLI uploads the files that it finds by reading import statements with a pattern, not with Deno.

Version 2 takes every key of the import map for a prefix, in no certain order; a file that it does not find is missing
from the deployed function. So what it finds is compared with what Deno says the function needs.
"""

from __future__ import annotations

import json
import posixpath
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from deno_tool import deno, write_functions
from emit_specs import EXAMPLES

from orchestra import library

IMPORT = re.compile(
    r"""\b(?:import|export)\s+(?:\{[^{}]*\}|[^\n]*?)\s*(?:from\s*)?["']([^"'\n]*)["']""", re.IGNORECASE
)


def _imported(text: str, imports: dict[str, str], *, last_first: bool) -> Iterator[tuple[str, bool]]:
    """What a file imports, and whether the import map named it."""
    for found in IMPORT.finditer(text):
        target, mapped = found[1].strip(), False
        for key in sorted(imports, reverse=last_first):
            if target.startswith(key):
                target, mapped = imports[key] + target.removeprefix(key), True
        if posixpath.splitext(target)[1] and target.startswith((".", "/")):
            yield target, mapped


def _uploaded(functions: Path, name: str, *, last_first: bool) -> set[str]:
    settings = json.loads((functions / name / "deno.json").read_text(encoding="utf-8"))
    imports = settings["imports"]
    seen: set[str] = set()
    waiting = [f"{name}/index.ts"]
    while waiting:
        path = waiting.pop()
        if path in seen:
            continue
        seen.add(path)
        text = (functions / path).read_text(encoding="utf-8")
        for target, mapped in _imported(text, imports, last_first=last_first):
            waiting.append(
                posixpath.normpath(posixpath.join(name if mapped else posixpath.dirname(path), target))
            )
    return seen


def _needed(functions: Path, name: str) -> set[str]:
    """What runs: types are left out of the bundle."""
    done = deno("info", "--json", "index.ts", cwd=functions / name)
    modules = {module["specifier"]: module for module in json.loads(done.stdout)["modules"]}
    seen: set[str] = set()
    waiting = [(functions / name / "index.ts").as_uri()]
    while waiting:
        uri = waiting.pop()
        if uri in seen or not uri.startswith("file:"):
            continue
        seen.add(uri)
        for used in modules[uri].get("dependencies", []):
            if target := used.get("code", {}).get("specifier"):
                waiting.append(target)
    return {uri.removeprefix(f"{functions.as_uri()}/") for uri in seen}


@pytest.mark.parametrize("name", EXAMPLES)
def test_every_file_that_a_function_needs_is_found(name: str, tmp_path: Path) -> None:
    functions = write_functions(library.load(EXAMPLES[name]), tmp_path)
    for folder in functions.iterdir():
        if folder.name != "_shared":
            needed = _needed(functions, folder.name)
            assert len(needed) > 20
            for last_first in (False, True):
                assert needed <= _uploaded(functions, folder.name, last_first=last_first)
