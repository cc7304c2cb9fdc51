"""The expressions of GitHub Actions, as far as the action and the workflows of the docs use them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

_TOKEN = re.compile(r"\s*(?:(?P<op>==|!=|&&|\|\||[!()])|'(?P<text>(?:[^']|'')*)'|(?P<name>[A-Za-z_][\w.-]*))")
_PLACE = re.compile(r"\$\{\{(.*?)\}\}", re.DOTALL)

Contexts = Mapping[str, Any]


def names(text: str) -> list[str]:
    """Every name in the expressions of a text: `inputs.spec`, `steps.run.outputs.add`."""
    return [m["name"] for place in _PLACE.findall(text) for m in _TOKEN.finditer(place) if m["name"]]


def fill(text: str, contexts: Contexts) -> str:
    """A text with its expressions replaced by what they say."""
    return _PLACE.sub(lambda m: _text(evaluate(m[1], contexts)), text)


def holds(condition: str | bool | None, contexts: Contexts, *, failed: bool) -> bool:
    """Whether an `if:` lets its step run. Without a status function it runs only where nothing has failed."""
    if condition is None:
        return not failed
    text = str(condition)
    inner = _PLACE.fullmatch(text.strip())
    text = inner[1] if inner else text
    if failed and "always()" not in text:
        return False
    return bool(_truth(evaluate(text, contexts)))


def evaluate(text: str, contexts: Contexts) -> Any:
    parser = _Parser(text, contexts)
    value = parser.either()
    assert parser.at_end(), f"not understood: {text!r}"
    return value


class _Parser:
    def __init__(self, text: str, contexts: Contexts) -> None:
        self._contexts = contexts
        self._tokens: list[tuple[str, str]] = []
        position = 0
        text = text.strip()
        while position < len(text):
            found = _TOKEN.match(text, position)
            assert found, f"not understood: {text!r} at {position}"
            kind = str(found.lastgroup)
            self._tokens.append((kind, found[kind].replace("''", "'") if kind == "text" else found[kind]))
            position = found.end()

    def at_end(self) -> bool:
        return not self._tokens

    def either(self) -> Any:
        value = self._both()
        while self._take("||"):
            other = self._both()
            value = value if _truth(value) else other
        return value

    def _both(self) -> Any:
        value = self._equal()
        while self._take("&&"):
            other = self._equal()
            value = other if _truth(value) else value
        return value

    def _equal(self) -> Any:
        value = self._one()
        while self._tokens and self._tokens[0][1] in ("==", "!=") and self._tokens[0][0] == "op":
            equal = self._tokens.pop(0)[1] == "=="
            other = self._one()
            # Strings are compared without regard to case there.
            value = (_text(value).lower() == _text(other).lower()) == equal
        return value

    def _one(self) -> Any:
        kind, text = self._tokens.pop(0)
        if (kind, text) == ("op", "!"):
            return not _truth(self._one())
        if (kind, text) == ("op", "("):
            value = self.either()
            assert self._take(")")
            return value
        if kind == "text":
            return text
        assert kind == "name", text
        if self._take("("):
            assert self._take(")"), f"{text} with arguments is not understood"
            assert text in ("always", "success"), text
            return True
        return self._look_up(text)

    def _take(self, operator: str) -> bool:
        if self._tokens and self._tokens[0] == ("op", operator):
            self._tokens.pop(0)
            return True
        return False

    def _look_up(self, name: str) -> Any:
        """What is not there is nothing, as on GitHub; only an unknown context is a mistake."""
        first, *rest = name.split(".")
        value: Any = self._contexts[first]
        for part in rest:
            value = value.get(part) if isinstance(value, Mapping) else None
        return value


def _truth(value: Any) -> bool:
    return value not in (None, "", False, 0)


def _text(value: Any) -> str:
    if value is None:
        return ""
    return str(value).lower() if isinstance(value, bool) else str(value)
