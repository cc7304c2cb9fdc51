"""Replies as readline takes them: it replaces the end of the line by one, or by what all have in common."""

from __future__ import annotations

import re
from typing import Final

from orchestra.cli.completion.find import Found
from orchestra.cli.completion.line import Line
from orchestra.cli.completion.listing import expanded, paths

_LISTS: Final = {"?", "!", "@"}
"""What COMP_TYPE says where the replies are shown: in a list after the second TAB, or at once."""

_PLAIN: Final = re.compile(r"[A-Za-z0-9_@%+=:,./-]")


def is_list(kind: str) -> bool:
    """`kind` is COMP_TYPE, the number of a character."""
    return kind.isdecimal() and chr(int(kind)) in _LISTS


def replies(asked: Line, replaced: str, found: Found, columns: int = 0) -> str:
    """`columns` above 0: they will be shown in a terminal so wide, so that each may say what it means."""
    typed = asked.current.removeprefix(found.prefix)
    if found.file is not None and asked.quote != "'" and re.search(r"[$`]|^~[^/]*$", asked.raw):
        return "default"  # variables and the homes of others are for bash to look up
    skip = asked.after(replaced)
    values = [(found.prefix + v, said) for v, said in found.values if v.startswith(typed)]
    listed = [found.prefix + p for p in paths(typed, found.file)] if found.file is not None else []
    how = ""
    if found.file is not None:
        words = [value[skip:] for value, _ in values] + [_for_readline(path[skip:]) for path in listed]
        how = "files open" if len(words) == 1 and words[0].endswith("/") else "files"
    else:
        words = [_quoted(value[skip:], asked.quote) for value, _ in values]
        if columns and len(words) > 1:
            words = _described(words, [said for _, said in values], columns)
    return "\n".join([how, *words])


def _for_readline(path: str) -> str:
    """It puts the slash after a folder itself where it finds one of that name, behind a closing quotation mark."""
    folder = path.removesuffix("/")
    return folder if folder and folder != path and expanded(folder).is_dir() else path


def _quoted(text: str, quote: str) -> str:
    if quote == "'":
        return text.replace("'", "'\\''")
    if quote:
        return re.sub(r'(["\\$`])', r"\\\1", text)
    return "".join(c if _PLAIN.match(c) or not c.isascii() else f"\\{c}" for c in text)


def _described(words: list[str], said: list[str], columns: int) -> list[str]:
    """What readline inserts is what they have in common, which ends before the first word about one."""
    wide = max(len(word) for word in words)
    room = columns - wide - 5
    if room < 10:
        return words
    cut = (text if len(text) <= room else f"{text[: room - 1]}…" for text in said)
    return [f"{word:{wide}}  ({text})" if text else word for word, text in zip(words, cut, strict=True)]
