"""`deno.json` of a function. It is shared ground: orchestra keeps its own entries right, whatever else stands there (a
package that the handler imports, say) is the user's."""

from __future__ import annotations

import json
import re
from typing import Any, Final

from orchestra.emit.functions.shared import packages
from orchestra.emit.functions.text import string

# "orchestra/" beside it would be handy, but the Supabase CLI before version 3 takes every key for a prefix.
_RUNTIME: Final = {"orchestra": "../_shared/orchestra/mod.ts"}
_OPTIONS: Final = {
    "strict": True,
    "noFallthroughCasesInSwitch": True,
    "noImplicitOverride": True,
    "noUncheckedIndexedAccess": True,
}
_STRING_OR_COMMENT: Final = re.compile(r'("(?:\\.|[^"\\\n])*")|//[^\n]*|/\*.*?\*/', re.DOTALL)
_STRING_OR_COMMA: Final = re.compile(r'("(?:\\.|[^"\\\n])*")|,(?=\s*[}\]])')


class HasComments(Exception):
    """The file would have to be changed, and its comments (or trailing commas) would be lost. `text` is what it would
    be then."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.text = text


class Unreadable(Exception):
    """What the file says is not certain, so whatever was written in its place could lose some of it. The message says
    where it has to be mended."""


def fresh() -> str:
    return _text({"imports": _imports(), "compilerOptions": _OPTIONS})


def updated(text: str) -> str:
    """The file with our entries as they should be, and nothing else changed; the same text where they are already.
    HasComments, Unreadable where that cannot be done."""
    found, plain = _read(text)
    imports, options = _part(found, "imports"), _part(found, "compilerOptions")
    # An option that the user wrote is the user's choice.
    if (
        all(imports.get(name) == target for name, target in _imports().items())
        and _OPTIONS.keys() <= options.keys()
    ):
        return text
    mended = _text(
        {**found, "imports": {**imports, **_imports()}, "compilerOptions": {**_OPTIONS, **options}}
    )
    if not plain:
        raise HasComments(mended)
    return mended


def has_others(text: str) -> bool:
    """Whether somebody has put anything into the file that is not ours."""
    try:
        found, plain = _read(text)
        imports, options = _part(found, "imports"), _part(found, "compilerOptions")
    except Unreadable:
        return True
    ours = imports.keys() <= _imports().keys() and all(_OPTIONS.get(name) == v for name, v in options.items())
    return not (plain and ours and found.keys() <= {"imports", "compilerOptions"})


def _imports() -> dict[str, str]:
    return _RUNTIME | packages()


def _read(text: str) -> tuple[dict[str, Any], bool]:
    """What the file says, and whether it is plain JSON; Deno takes comments and trailing commas as well."""
    text = text.removeprefix("\ufeff")
    bare = _STRING_OR_COMMENT.sub(_blank, text)
    bare = _STRING_OR_COMMA.sub(_blank, bare)
    try:
        found = json.loads(bare, object_pairs_hook=_once)
    except json.JSONDecodeError as fault:
        raise Unreadable(f"at line {fault.lineno}: {fault.msg[:1].lower()}{fault.msg[1:]}") from None
    except (ValueError, RecursionError):
        raise Unreadable("where it is too deep or too long for a reader of JSON") from None
    if not isinstance(found, dict):
        raise Unreadable("at line 1: expecting an object")
    return found, bare == text


def _blank(match: re.Match[str]) -> str:
    """A string as it is; for anything else blanks, so that what comes behind it stays in its line."""
    return match[1] or re.sub(r"[^\n]", " ", match[0])


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """An object. Of two entries with one name, Python would drop the first without a word."""
    found: dict[str, Any] = {}
    for name, item in pairs:
        if name in found:
            raise Unreadable(f"where {string(name)} stands twice")
        found[name] = item
    return found


def _part(found: dict[str, Any], name: str) -> dict[str, Any]:
    part = found.get(name, {})
    if not isinstance(part, dict):
        raise Unreadable(f"where {string(name)} is no object")
    return part


def _text(settings: dict[str, Any]) -> str:
    return json.dumps(settings, indent=2, ensure_ascii=False) + "\n"
