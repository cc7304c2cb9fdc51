"""A command line of bash, up to the cursor, taken apart as bash would: it hands over only pieces of words."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

_ASSIGNMENT: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]*\+?=")
_REDIRECTION: Final = re.compile(r"\d*(?:[<>]\|?|>>|<<<?|[<>]&|&>>?)$")
_CLOSES: Final = {"(": ")", "{": "}"}


@dataclass(frozen=True, slots=True)
class Line:
    """`words` are those before the one at the cursor, the command first, without quotes, redirections and the
    variables that are set for the command. `current` is what is typed of the last one, `raw` the same as it stands
    there, `quote` the quotation mark that is open in it. `target`: it is where a redirection goes."""

    words: tuple[str, ...]
    current: str
    raw: str
    quote: str = ""
    target: bool = False

    def after(self, replaced: str) -> int:
        """How much of `current` stands before what bash will replace, which is the end of the line: it takes `:` and
        `=` for the ends of words."""
        before = self.raw[: len(self.raw) - len(replaced)] if self.raw.endswith(replaced) else ""
        return len(_Reader(before).word()[0])


def read(text: str) -> Line:
    """Total: whatever is not closed goes to the end."""
    reader, words = _Reader(text), [""]
    target = False
    while True:
        reader.blanks()
        start = reader.at
        if sign := reader.sign():
            if _REDIRECTION.match(sign):
                target = True
            else:
                words, target = [""], False  # another command begins
            continue
        word, quote = reader.word()
        if reader.at >= len(text):
            return Line(tuple(words[1:]), word, text[start:], quote, target)
        if target:
            target = False
        elif len(words) > 1 or not _ASSIGNMENT.match(word):
            words.append(word)


class _Reader:
    def __init__(self, text: str) -> None:
        self.text, self.at = text, 0

    def blanks(self) -> None:
        while self.text[self.at : self.at + 1] in (" ", "\t"):
            self.at += 1

    def sign(self) -> str:
        """An operator, or nothing."""
        found = re.compile(r"(?:\d*(?:>>|>\||>&|<<<?|<&|<>|[<>](?!\())|&>>?|[;|&\n()])").match(
            self.text, self.at
        )
        if found is None:
            return ""
        self.at = found.end()
        return found[0]

    def word(self) -> tuple[str, str]:
        """The word from here, and the quotation mark that is open at its end."""
        out: list[str] = []
        quote = ""
        while self.at < len(self.text):
            char = self.text[self.at]
            if quote == "'":
                if char == "'":
                    quote = ""
                else:
                    out.append(char)
            elif char == "\\":
                self.at += 1
                out.append(self._escaped(quote))
            elif char == '"':
                quote = "" if quote else '"'
            elif char == "'" and not quote:
                quote = "'"
            elif char == "$" and self.text[self.at + 1 : self.at + 2] in _CLOSES:
                out.append(self._inside())
                continue
            elif not quote and (char in " \t\n;|&()<>"):
                break
            else:
                out.append(char)
            self.at += 1
        return "".join(out), quote

    def _escaped(self, quote: str) -> str:
        char = self.text[self.at : self.at + 1]
        if char == "\n":
            return ""
        return f"\\{char}" if quote and char not in ('"', "\\", "$", "`") else char

    def _inside(self) -> str:
        """`$(…)` or `${…}` as it stands, which is never looked into."""
        start, closing = self.at, [_CLOSES[self.text[self.at + 1]]]
        self.at += 2
        while self.at < len(self.text) and closing:
            char = self.text[self.at]
            if char == "\\":
                self.at += 1
            elif char == closing[-1]:
                closing.pop()
            elif closing[-1] not in "'\"" and char in "'\"":
                closing.append(char)
            elif closing[-1] not in "'\"" and char in _CLOSES:
                closing.append(_CLOSES[char])
            self.at += 1
        return self.text[start : self.at]
