"""`supabase/config.toml`: the entries of our functions, and not a byte of anything else.

What was written here carries a comment with the project's name, so that it can be taken out again when a function goes.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator, Mapping
from typing import Any, Final

import tomlkit
from tomlkit.exceptions import TOMLKitError
from tomlkit.items import InlineTable, Item, Table

_KEY: Final = "verify_jwt"
_BLANK_LINE_AT_END: Final = re.compile(r"(\r?\n)\r?\n\Z")


class ConfigFault(ValueError):
    """The file cannot be changed; says why, and `lines` are what it should hold."""

    def __init__(self, message: str, lines: str = "") -> None:
        super().__init__(message)
        self.lines = lines


def updated(text: str, project: str, functions: Mapping[str, bool]) -> str:
    """`text` with `verify_jwt` of each function as given. Entries made for this project's former functions are taken
    out; where nothing is to be done, it is the same text."""
    before = _read(text)
    document: Any = _parse(text)
    gone = [name for name in _made_for(document, project) if name not in functions]
    tables = _tables(before)
    new = [name for name in sorted(functions) if name not in tables]
    wrong = [
        n for n, verify in sorted(functions.items()) if n in tables and tables[n].get(_KEY) is not verify
    ]
    if not (gone or new or wrong):
        return text
    after = text
    try:
        if gone or wrong:
            # A list of tables that other tables stand between would come out in another order.
            if tomlkit.dumps(document) != text:
                raise _cannot(functions)
            for name in gone:
                _take_out(document, name)
            for name in wrong:
                _set(document["functions"][name], functions[name], project)
            after = tomlkit.dumps(document)
    except ConfigFault:
        raise
    except (TOMLKitError, ValueError, TypeError, KeyError):
        raise _cannot(functions) from None
    after = _like(text, after, new, functions, project)
    # The library promises to keep the rest; whoever deploys by this file needs it proved.
    if _same_but(before, functions, gone) != _normal(_try(after)):
        raise _cannot(functions)
    return after


def policy(text: str) -> str | None:
    """How the local stack runs functions, where the file says so."""
    found = _read(text).get("edge_runtime")
    value = found.get("policy") if isinstance(found, dict) else None
    return value if isinstance(value, str) else None


def _read(text: str) -> dict[str, Any]:
    try:
        return tomllib.loads(text.replace("\r\n", "\n"))
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        raise ConfigFault(f"is no TOML: {str(error)[:1].lower()}{str(error)[1:]}") from None


def _parse(text: str) -> tomlkit.TOMLDocument:
    try:
        return tomlkit.parse(text)
    except (TOMLKitError, RecursionError) as error:
        raise ConfigFault(f"is no TOML: {error}") from None


def _tables(config: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    found = config.get("functions", {})
    if not isinstance(found, dict) or not all(isinstance(one, dict) for one in found.values()):
        raise ConfigFault("has a [functions] that is not a table of tables")
    return found


def _made_for(document: Any, project: str) -> Iterator[str]:
    for name, table in _tables(document).items():
        if _comment(table).endswith(_mark(project)):
            yield str(name)


def _comment(table: Any) -> str:
    """What stands behind `verify_jwt`. A plain look-up would give a bool, which knows nothing of its line."""
    if _KEY not in table or not isinstance(table, Table | InlineTable):
        return ""
    item = table.value.item(_KEY)
    return item.trivia.comment.removeprefix("#").strip() if isinstance(item, Item) else ""


def _mark(project: str) -> str:
    """Names of projects hold no blank, so no project's mark ends in another's."""
    return f"orchestra: {project}"


def _take_out(document: Any, name: str) -> None:
    table = document["functions"][name]
    del table[_KEY]
    if not table and not table.as_string().strip():
        del document["functions"][name]


def _set(table: Any, verify: bool, project: str) -> None:
    said, mark = _comment(table), _mark(project)
    value = tomlkit.item(verify)
    if isinstance(table, Table):  # One in braces has no room for a comment.
        value.comment(said if said.endswith(mark) else f"{said}; {mark}" if said else mark)
    table[_KEY] = value


def _like(text: str, after: str, new: list[str], functions: Mapping[str, bool], project: str) -> str:
    """Line ends as in `text`, and new tables at the end, where they cannot cut another one in two."""
    if not _BLANK_LINE_AT_END.search(text):
        after = _BLANK_LINE_AT_END.sub(r"\1", after)
    if new:
        blocks = [f"[functions.{n}]\n{_KEY} = {str(functions[n]).lower()} # {_mark(project)}\n" for n in new]
        gap = "" if not after.strip() else "\n" if after.endswith("\n") else "\n\n"
        after = (after if after.strip() else "") + gap + "\n".join(blocks)
    # Where both stand, each stays what it is.
    if "\r\n" in text and not re.search(r"(?<!\r)\n", text):
        after = re.sub(r"(?<!\r)\n", "\r\n", after)
    return after


def _same_but(before: dict[str, Any], functions: Mapping[str, bool], gone: list[str]) -> dict[str, Any]:
    tables = {n: dict(t) for n, t in _tables(before).items()}
    for name in gone:
        del tables[name][_KEY]
        if not tables[name]:
            del tables[name]
    for name, verify in functions.items():
        tables.setdefault(name, {})[_KEY] = verify
    return _normal({**before, "functions": tables})


def _normal(config: dict[str, Any]) -> dict[str, Any]:
    """Tables without a key say nothing."""
    tables = {n: t for n, t in _tables(config).items() if t}
    return {
        **{k: v for k, v in config.items() if k != "functions"},
        **({"functions": tables} if tables else {}),
    }


def _try(text: str) -> dict[str, Any]:
    try:
        return _read(text)
    except ConfigFault:
        return {}


def _cannot(functions: Mapping[str, bool]) -> ConfigFault:
    lines = "\n".join(f"[functions.{n}]\n{_KEY} = {str(v).lower()}" for n, v in sorted(functions.items()))
    return ConfigFault("writes its functions in a way that cannot be changed from here", lines)
