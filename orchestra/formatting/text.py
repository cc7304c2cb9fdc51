"""The whole road of a text, and the proof that it means the same at its end."""

from __future__ import annotations

from collections import Counter
from typing import Any

from orchestra.diagnostics import Diagnostic
from orchestra.errors import SpecError
from orchestra.formatting import comments
from orchestra.formatting.errors import CannotFormatError
from orchestra.formatting.layout import Layout
from orchestra.formatting.nodes import Document, read
from orchestra.spec import parse, parse_spec
from orchestra.spec.model import Spec
from orchestra.spec.parsing import no_collection


def format_text(text: str, file: str) -> str:
    """The canonical form of a spec file, with one line break at its end. Keys that the schema does not have stay.

    Raises:
        SpecError: the text is no YAML that a spec can be read from.
        CannotFormatError: it is written in a way that is not formatted.
    """
    with no_collection():
        before = parse(text, file)
        if before.tree is None or before.diagnostics:
            raise SpecError(before.diagnostics)
        plain = _ended(text.replace("\r\n", "\n").replace("\r", "\n"))
        after = _formatted(plain)
        _prove(plain, after, before.tree.data, file)
        return after


def _formatted(text: str) -> str:
    lines = text.split("\n")
    document = read(text, lines)
    found = comments.find(text, lines, document.leaves)
    layout = Layout(text, document, comments.attach(document, lines, found))
    formatted = "\n".join(layout.lines()) + "\n"
    if layout.unwritten:
        raise _lost()
    return formatted


def _ended(text: str) -> str:
    """With a line break at its end. A block scalar there had none either, so its value has to go on without."""
    if text.endswith("\n"):
        return text
    document = read(text, text.split("\n"))
    last = max(document.leaves, key=lambda leaf: leaf.end, default=None)
    if last is not None and last.is_block_scalar and last.end == len(text):
        at = last.start + next(n for n, c in enumerate(text[last.start :]) if c in "|>") + 1
        written = text[at:].split("\n", 1)[0].split(" ")[0]
        digits = written.replace("+", "").replace("-", "")
        text = f"{text[:at]}{digits}-{text[at + len(written) :]}"
    return text + "\n"


def _prove(before: str, after: str, data: Any, file: str) -> None:
    """CannotFormatError where anything but the form has changed: the data, a comment, the built spec or a finding."""
    again = parse(after, file)
    if again.tree is None or not _same(again.tree.data, data):
        raise _lost()
    if _comments(before) != _comments(after):
        raise _lost()
    if _built(before, file) != _built(after, file):
        raise _lost()


def _same(one: Any, other: Any) -> bool:
    """Equal, and `1`, `1.0` and `true` are not."""
    if type(one) is not type(other):
        return False
    if isinstance(one, dict):
        return one.keys() == other.keys() and all(_same(one[key], other[key]) for key in one)
    if isinstance(one, list):
        return len(one) == len(other) and all(map(_same, one, other))
    return bool(one == other)


def _comments(text: str) -> Counter[str]:
    lines = text.split("\n")
    document: Document = read(text, lines)
    return Counter(comment.text for comment in comments.find(text, lines, document.leaves))


def _built(text: str, file: str) -> tuple[Spec | None, Counter[tuple[str, str]]]:
    loaded = parse_spec(text, file)
    return loaded.spec, Counter(_said(d) for d in loaded.diagnostics)


def _said(found: Diagnostic) -> tuple[str, str]:
    return found.code, found.message


def _lost() -> CannotFormatError:
    return CannotFormatError(
        "its form could not be changed without changing what it says",
        "this is a bug; the file is as it was. Please report it with the file",
    )
