"""Small words for findings about form."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from typing import Any, Final

from orchestra.spec.schema import schema
from orchestra.spec.tree import Data

_KINDS: Final = {
    "object": "a mapping",
    "array": "a list",
    "string": "text",
    "integer": "a whole number",
    "number": "a number",
    "boolean": "`true` or `false`",
    "null": "nothing",
}
_PYTHON: Final[dict[str, tuple[type, ...]]] = {
    "object": (dict,),
    "array": (list,),
    "string": (str,),
    "integer": (int,),
    "number": (int, float),
    "boolean": (bool,),
    "null": (type(None),),
}


def kind(names: str | Sequence[str]) -> str:
    """The JSON types as words: `text or a list`."""
    return either([_KINDS[name] for name in ([names] if isinstance(names, str) else names)])


def is_kind(value: Data, name: str) -> bool:
    """Whether a value is of a JSON type."""
    if isinstance(value, bool):
        return name == "boolean"
    if name == "integer" and isinstance(value, float):
        return value.is_integer()
    return isinstance(value, _PYTHON[name])


def shown(value: Data) -> str:
    """A value as the reader wrote it, cut where it is long."""
    match value:
        case None:
            return "nothing"
        case bool():
            return f"`{str(value).lower()}`"
        case int() | float():
            return f"the number {value}"
        case str():
            return f"the text `{cut(value)}`" if value else "empty text"
        case list():
            return "a list" if value else "an empty list"
        case _:
            return "a mapping" if value else "an empty mapping"


def cut(text: str, width: int = 40) -> str:
    """One line of at most `width` characters."""
    line = " ".join(text.split())
    return line if len(line) <= width else line[: width - 1] + "…"


def either(words: Sequence[str]) -> str:
    """`a`, `a or b`, `a, b or c`."""
    return words[0] if len(words) == 1 else ", ".join(words[:-1]) + " or " + words[-1] if words else ""


def ticked(names: Iterable[str]) -> list[str]:
    return [f"`{name}`" for name in names]


@cache
def homes() -> Mapping[str, tuple[str, ...]]:
    """Every key of the schema -> the dotted places where it may stand; workloads as `workloads.NAME`."""
    found: dict[str, list[str]] = {}
    seen: set[tuple[int, str]] = set()

    def walk(node: Any, path: str) -> None:
        if not isinstance(node, dict):
            return
        if "$ref" in node:
            walk(schema()["$defs"][node["$ref"].rsplit("/", 1)[1]], path)
        if (id(node), path) in seen or path.count(".") > 5:
            return
        seen.add((id(node), path))
        for key, value in node.get("properties", {}).items():
            if path not in found.setdefault(key, []):
                found[key].append(path)
            walk(value, f"{path}.{key}".lstrip("."))
        for branch in (*node.get("anyOf", ()), *node.get("oneOf", ())):
            walk(branch, path)
        walk(node.get("items"), path)
        if isinstance(node.get("additionalProperties"), dict):
            walk(node["additionalProperties"], f"{path}.NAME")

    walk(schema(), "")
    return {key: tuple(places) for key, places in found.items()}


def advice(key: str, here: str, allowed: Sequence[str]) -> str:
    """What an unknown key may have been meant to be. `here` is its place, in the words of `homes`."""
    low = key.lower().replace("-", "_")
    if low in allowed:
        return f"Did you mean `{low}`?"
    places = [place for place in homes().get(low, ()) if place != here]
    if places:
        return _belongs(low, places, here)
    near = difflib.get_close_matches(low, allowed, n=1, cutoff=0.6)
    if near:
        return f"Did you mean `{near[0]}`?"
    afar = difflib.get_close_matches(low, sorted(homes()), n=1, cutoff=0.8)
    if afar:
        return f"Did you mean `{afar[0]}`? " + _belongs(afar[0], homes()[afar[0]], here)
    return f"Allowed here: {', '.join(ticked(sorted(allowed)))}." if allowed else "Remove the key."


def _belongs(key: str, places: Sequence[str], here: str) -> str:
    """`key` belongs under the places nearest to where it was written."""

    def distance(place: str) -> tuple[bool, bool, int]:
        ours, theirs = here.split("."), place.split(".")
        common = 0
        while common < min(len(ours), len(theirs)) and ours[common] == theirs[common]:
            common += 1
        return (place.startswith("defaults"), ours[-1] != theirs[-1], len(ours) + len(theirs) - 2 * common)

    nearest = min(map(distance, places))
    return f"`{key}` belongs {either([_under(p, here) for p in places if distance(p) == nearest])}."


def _under(place: str, here: str) -> str:
    outside = "" if here.startswith("workloads") or not place.startswith("workloads") else " in a workload"
    short = place.removeprefix("workloads.NAME").removeprefix(".").replace("steps.NAME", "a step")
    if not place:
        return "at the top level of the file"
    if short in ("", "a step"):
        return f"in {short or 'a workload'}"
    return f"under `{short}`{outside}"
