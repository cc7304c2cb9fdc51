"""`deno.json` of a function. It is shared ground: orchestra keeps its own entries right, whatever else stands there (a
package that the handler imports, say) is the user's."""

from __future__ import annotations

import json
import re
from typing import Any, Final

from orchestra.emit.functions.shared import packages

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


class NotPlainJson(ValueError):
    """The file would have to be changed, and is not JSON, or has comments, which would be lost. `text` is what it would
    be then."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.text = text


def fresh() -> str:
    return _text({"imports": _imports(), "compilerOptions": _OPTIONS})


def updated(text: str) -> str:
    """The file with our entries as they should be, and nothing else changed; the same text where they are already."""
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
        raise NotPlainJson(mended)
    return mended


def has_others(text: str) -> bool:
    """Whether somebody has put anything into the file that is not ours."""
    try:
        found, plain = _read(text)
        imports, options = _part(found, "imports"), _part(found, "compilerOptions")
    except NotPlainJson:
        return True
    ours = imports.keys() <= _imports().keys() and all(_OPTIONS.get(name) == v for name, v in options.items())
    return not (plain and ours and found.keys() <= {"imports", "compilerOptions"})


def _imports() -> dict[str, str]:
    return _RUNTIME | packages()


def _read(text: str) -> tuple[dict[str, Any], bool]:
    """What the file says, and whether it is plain JSON; Deno takes comments and trailing commas as well."""
    text = text.removeprefix("\ufeff")
    bare = _STRING_OR_COMMENT.sub(lambda m: m[1] or " ", text)
    bare = _STRING_OR_COMMA.sub(lambda m: m[1] or "", bare)
    try:
        found = json.loads(bare)
    except (ValueError, RecursionError):
        raise NotPlainJson(fresh()) from None
    if not isinstance(found, dict):
        raise NotPlainJson(fresh())
    return found, bare == text


def _part(found: dict[str, Any], name: str) -> dict[str, Any]:
    part = found.get(name, {})
    if not isinstance(part, dict):
        raise NotPlainJson(fresh())
    return part


def _text(settings: dict[str, Any]) -> str:
    return json.dumps(settings, indent=2, ensure_ascii=False) + "\n"
