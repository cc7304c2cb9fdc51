"""Declared types as text that `deno fmt` leaves as it is."""

from __future__ import annotations

from collections.abc import Iterator

from orchestra.emit.functions.declared import Declared
from orchestra.emit.functions.text import WIDTH, comment, key, placed, width
from orchestra.emit.functions.type_nodes import (
    ANY,
    NEVER,
    UNKNOWN,
    Both,
    Either,
    Many,
    Member,
    Name,
    Row,
    Shape,
    Type,
    Word,
)

_DEEPEST = 8
"""Columns of indentation before an object gets a name of its own."""


def declarations(declared: Declared) -> str:
    """All types, each exported, with an empty line between them."""
    return "\n".join(_Printer(declared).all())


class _Printer:
    """What does not fit where it stands is declared by itself, so `declared` grows while it is printed."""

    def __init__(self, declared: Declared) -> None:
        self._declared = declared

    def all(self) -> Iterator[str]:
        printed: set[str] = set()
        while waiting := [name for name in self._declared.types if name not in printed]:
            for name in waiting:
                printed.add(name)
                yield comment(self._declared.docs.get(name, "")) + self._declaration(name)

    def _declaration(self, name: str) -> str:
        node = self._declared.types[name]
        lead = f"export type {name} ="
        if isinstance(node, Shape) and node.members:
            return f"{lead} {self._object(node, name, 0)};\n"
        short = self._one_line(node, name)
        if width(f"{lead} {short};") <= WIDTH:
            return f"{lead} {short};\n"
        match node:
            case Either() | Both():
                return f"{lead}\n" + "\n".join(self._alternatives(node, name, 2)) + ";\n"
            case Row():
                return f"{lead} {self._row(node, name, 0)};\n"
            case Shape((), rest):
                return f"{lead} {{\n  [key: string]: {self._part(rest, f'{name} value')};\n}};\n"
            case _:
                return f"{lead}\n  {short};\n"

    def _object(self, node: Shape, hint: str, indent: int) -> str:
        pad = " " * (indent + 2)
        rows = [self._member(member, hint, indent + 2) for member in node.members]
        if node.rest is not None:
            rows.append(f"{pad}[key: string]: {self._one_line(node.rest, f'{hint} value')};")
        return "{\n" + "\n".join(rows) + "\n" + " " * indent + "}"

    def _member(self, member: Member, hint: str, indent: int) -> str:
        name = key(member.name, of_type=True) + ("?" if member.optional else "")
        pad = " " * indent
        allowed = f"{pad}// deno-lint-ignore no-explicit-any\n" if member.type == ANY else ""
        return comment(member.doc, indent) + allowed + pad + self._placed(name, member, hint, indent)

    def _placed(self, name: str, member: Member, hint: str, indent: int) -> str:
        node, inner = member.type, f"{hint} {member.name}"
        column = indent + width(name) + 2
        roomy = indent <= _DEEPEST and column < WIDTH
        match node:
            case Shape() if node.members and roomy:
                return f"{name}: {self._object(node, inner, indent)};"
            case Many(Shape() as of) if of.members and roomy:
                return f"{name}: {self._object(of, f'{inner} item', indent)}[];"
        if (short := self._fitting(node)) is not None and column + width(short) < WIDTH:
            return f"{name}: {short};"
        match node:
            case Either() if roomy:
                rows = self._alternatives(node, inner, indent + 2)
                return f"{name}:\n" + "\n".join(rows) + ";"
            case Row() if roomy:
                return f"{name}: {self._row(node, inner, indent)};"
        text = short if isinstance(node, Word | Name) and short else self._declared.part(node, inner).text
        return f"{placed(name, text, indent)};"

    def _alternatives(self, node: Either | Both, hint: str, indent: int) -> list[str]:
        mark = "|" if isinstance(node, Either) else "&"
        return [f"{' ' * indent}{mark} {self._part(one, f'{hint} {n + 1}')}" for n, one in enumerate(node.of)]

    def _row(self, node: Row, hint: str, indent: int) -> str:
        pad = " " * (indent + 2)
        return "[\n" + "".join(f"{pad}{place},\n" for place in self._places(node, hint)) + " " * indent + "]"

    def _places(self, node: Row, hint: str) -> Iterator[str]:
        for n, one in enumerate(node.places):
            yield self._part(one, f"{hint} {n + 1}") + ("" if n < node.needed else "?")
        if node.rest is not None:
            yield f"...{self._part(node.rest, f'{hint} rest')}[]"

    def _one_line(self, node: Type, hint: str) -> str:
        """The type on one line; objects in it are declared by themselves."""
        match node:
            case Word(text) | Name(text):
                return text
            case Many(of):
                return f"{self._part(of, f'{hint} item')}[]"
            case Either(of) | Both(of):
                mark = " | " if isinstance(node, Either) else " & "
                return mark.join(self._part(one, f"{hint} {n + 1}") for n, one in enumerate(of))
            case Row():
                return f"[{', '.join(self._places(node, hint))}]"
            case Shape((), None | Word()):
                return f"Record<string, {node.rest.text if isinstance(node.rest, Word) else NEVER.text}>"
            case Shape((), rest):
                # A type that holds itself in this way is known to TypeScript; in a Record it is not.
                return f"{{ [key: string]: {self._part(rest, hint + ' value')} }}"
            case Shape():
                return self._declared.part(node, hint).text

    def _part(self, node: Type | None, hint: str) -> str:
        """A type inside another one: simple as it is, else by its name."""
        match node:
            case Word() | Name() | Many(Word() | Name()):
                return self._one_line(node, hint)
            case Shape((), Word(text)) if len(text) <= len("undefined"):
                return self._one_line(node, hint)
            case None:
                return UNKNOWN.text
            case _:
                return self._declared.part(node, hint).text

    def _fitting(self, node: Type) -> str | None:
        """The text on one line of what holds nothing that would have to be declared for it."""
        match node:
            case Word(text) | Name(text):
                return text
            case Many(Either(of)) if all(isinstance(one, Word | Name) for one in of):
                return f"({' | '.join(self._one_line(one, '') for one in of)})[]"
            case Many(Word() | Name()) | Shape((), None | Word() | Name()):
                return self._one_line(node, "")
            case Either(of) | Both(of) if all(
                self._fitting(one) and not isinstance(one, Either | Both) for one in of
            ):
                return self._one_line(node, "")
            case Row(places, _, rest) if all(
                isinstance(one, Word | Name) for one in (*places, rest or UNKNOWN)
            ):
                return self._one_line(node, "")
            case _:
                return None
