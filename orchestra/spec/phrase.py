"""One schema error -> findings: what is wrong, why it matters, what to do, at the right key or value."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from yaml.nodes import MappingNode, Node

from orchestra.diagnostics import Diagnostic, Span
from orchestra.spec.explain import Failure
from orchestra.spec.faults import fault
from orchestra.spec.keywords import WORDS, lower, other
from orchestra.spec.source import NodeSource
from orchestra.spec.tree import span_of
from orchestra.spec.unsupported import REFUSED
from orchestra.spec.wording import advice, cut, either, ticked

_UNKNOWN_WHY: Final = "A key that nothing reads would look as if it were in force."


class Phrases:
    """Words for the errors of one unit: a whole file (`prefix` empty) or one workload."""

    def __init__(self, source: NodeSource, prefix: Sequence[str] = ()) -> None:
        self.source = source
        self.prefix = tuple(prefix)
        self._keys: dict[tuple[str | int, ...], dict[str, Node]] = {}

    def findings(self, error: Failure) -> Iterator[Diagnostic]:
        """The findings for one error; unknown keys make one each."""
        path = error.path
        if error.name_of:
            yield self._name(error, path)
            return
        keyword = error.keyword
        if keyword == "additionalProperties":
            for key in error.found:
                if key not in error.schema.get("properties", {}):
                    yield self._unknown(str(key), path, error.schema)
            return
        yield WORDS.get(keyword, other)(self, error, path)

    def at(self, path: Sequence[str | int], *, key: bool = False) -> Span:
        return self.source.find([str(p) for p in path], key=key)[0]

    def key_at(self, path: tuple[str | int, ...], name: str) -> Span:
        """The key of an entry, from an index: one mapping may have very many faulty keys."""
        if path not in self._keys:
            node = self.node(path)
            pairs = node.value if isinstance(node, MappingNode) else ()
            self._keys[path] = {str(key.value): key for key, _ in reversed(pairs)}
        key = self._keys[path].get(name)
        return span_of(key, self.source.file) if key is not None else self.at((*path, name), key=True)

    def node(self, path: Sequence[str | int]) -> Node:
        return self.source.node([str(p) for p in path])

    def called(self, path: Sequence[str | int]) -> str:
        """How a place is called: its dotted path, or the workload, or the file."""
        if path:
            return f"`{'.'.join(str(p) for p in path)}`"
        return f"the workload `{self.prefix[-1]}`" if self.prefix else "the file"

    def _unknown(self, key: str, path: tuple[str | int, ...], schema: Mapping[str, Any]) -> Diagnostic:
        span = self.key_at(path, key)
        refused = REFUSED.get((self.object_at(path), key))
        if refused is not None:
            whole = self.called((*path, key))
            return fault("E128", f"{whole} is not supported: {lower(refused[0])}", span, help=refused[1])
        here = ".".join("NAME" if p is _ANY else str(p) for p in self._place(path))
        where = f"in {self.called(path)}" if path or self.prefix else "at the top level"
        return fault(
            "E120",
            f"unknown key `{cut(key)}` {where}",
            span,
            why=_UNKNOWN_WHY,
            help=advice(key, here, list(schema.get("properties", {}))),
        )

    def object_at(self, path: tuple[str | int, ...]) -> str:
        """The name of an object in `REFUSED`."""
        whole = (*self.prefix, *path)
        match whole:
            case ("workloads", _):
                return "workload"
            case (*_, "steps", str(_)):
                return "step"
            case ("secrets", _):
                return "secret"
            case (*_, str(last)):
                return last
        return ""

    def _place(self, path: tuple[str | int, ...]) -> list[Any]:
        """The place of an object with user-chosen names replaced, in the words of `wording.homes`."""
        out: list[Any] = []
        for p in (*self.prefix, *path):
            if isinstance(p, int):
                continue
            out.append(_ANY if out and out[-1] in ("workloads", "steps", "environments", "secrets") else p)
        return out

    def _name(self, error: Failure, path: tuple[str | int, ...]) -> Diagnostic:
        name = str(error.found)
        span = self.key_at(path, name)
        rule = str(error.schema.get("description", "")).rstrip(".")
        return fault(
            "E125",
            f"`{cut(name)}` cannot be a name here",
            span,
            why="Names become parts of queues, jobs, functions and files.",
            help=f"{rule}, such as {either(ticked(error.schema.get('examples', [])))}.",
        )


class _Any:
    pass


_ANY: Final = _Any()
