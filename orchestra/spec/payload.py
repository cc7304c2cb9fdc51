"""Payload schemas that a spec includes: text -> canonical JSON, or findings at both places."""

from __future__ import annotations

import json
import posixpath
from collections.abc import Mapping
from functools import lru_cache
from itertools import islice
from typing import Any, Final
from urllib.parse import unquote

import jsonschema_rs
from yaml.nodes import Node

from orchestra.diagnostics import Diagnostic, Label, Span
from orchestra.spec.careful import careful_data
from orchestra.spec.compose import compose
from orchestra.spec.decode import position
from orchestra.spec.faults import fault, top_of
from orchestra.spec.fetched import ReadFault
from orchestra.spec.limits import MAX_DEPTH
from orchestra.spec.source import NodeSource
from orchestra.spec.tree import Data
from orchestra.spec.wording import cut

Includes = Mapping[str, "str | ReadFault"]
"""Normalised path -> the file's text, or why there is none."""

_MOST: Final = 20
"""Findings in one payload schema."""

_DRAFTS: Final = (
    "https://json-schema.org/draft/2020-12/schema",
    "https://json-schema.org/draft/2019-09/schema",
    "http://json-schema.org/draft-07/schema",
    "http://json-schema.org/draft-06/schema",
    "http://json-schema.org/draft-04/schema",
)
# Keywords whose values are data, not schemas; a `$ref` in them is no reference.
_DATA_KEYWORDS: Final = frozenset({"const", "enum", "default", "examples"})


class Payloads:
    """Reads each included schema once."""

    def __init__(self, includes: Includes) -> None:
        self._includes = includes
        self._known: dict[str, str | None] = {}
        self.diagnostics: list[Diagnostic] = []

    @staticmethod
    @lru_cache(maxsize=4096)
    def key(file: str, path: str) -> str:
        """The normalised path of a schema named in `file`."""
        return posixpath.normpath(posixpath.join(posixpath.dirname(file), path))

    def read(self, file: str, path: str, source: NodeSource) -> str | None:
        """The schema as canonical JSON text, or None after a finding."""
        key = self.key(file, path)
        if key not in self._known:
            label = Label(source.at("payload_schema"), "it is included here")
            text = self._includes.get(key, ReadFault(f"`{cut(path, 80)}` was not given"))
            if isinstance(text, ReadFault):
                self._known[key] = None
                self.diagnostics.append(
                    fault(
                        "E140",
                        f"the payload schema cannot be read: {text.message}",
                        label.span,
                        why="Payloads are checked against it at the door.",
                        help=text.help or "The path is relative to the spec file.",
                    )
                )
            else:
                canonical, found = read_schema(text, key, label)
                self._known[key] = canonical
                self.diagnostics.extend(found)
        return self._known[key]


def read_schema(text: str, file: str, label: Label) -> tuple[str | None, list[Diagnostic]]:
    """A payload schema's canonical JSON text (sorted keys), or the findings that say why there is none."""
    data, root, found = _load(text, file)
    if not found:
        found = _judge(data, root, file)
    if found:
        return None, [
            Diagnostic(d.code, d.severity, d.message, d.span, d.why, d.help, (*d.labels, label))
            for d in found
        ]
    return json.dumps(data, sort_keys=True, separators=(",", ":"), ensure_ascii=False), []


def _load(text: str, file: str) -> tuple[Data, Node | None, list[Diagnostic]]:
    """JSON by the letter of JSON, anything else as YAML; the YAML nodes give the places for both."""
    root, found = compose(text, file)
    if any(d.code != "E105" for d in found):
        return None, None, found
    as_yaml: Data = None
    if root is not None:
        as_yaml, found = careful_data(root, file)
    if not file.endswith((".yaml", ".yml")):
        try:
            read = json.loads(text, parse_constant=_refuse, object_pairs_hook=_once)
            json.dumps(read, allow_nan=False, ensure_ascii=False).encode()
            return read, root, found if root is not None else []
        except json.JSONDecodeError as error:
            line, column = position(text, error.pos)
            span = Span(file, line, column, line, column + 1)
            return None, root, [_not_json(f"{error.msg[:1].lower()}{error.msg[1:]}", span)]
        except UnicodeEncodeError:
            return None, root, [_not_json("half of a surrogate pair stands alone", top_of(file))]
        except (ValueError, RecursionError) as error:
            duplicates = [d for d in found if d.code == "E107"]
            return None, root, duplicates or [_not_json(str(error), top_of(file))]
    return as_yaml, root, found


def _refuse(name: str) -> Any:
    raise ValueError(f"{name} is not JSON")


def _once(pairs: list[tuple[str, Data]]) -> dict[str, Data]:
    read = dict(pairs)
    if len(read) < len(pairs):
        raise ValueError("a key stands twice in the same object")
    return read


def _not_json(problem: str, span: Span) -> Diagnostic:
    return fault(
        "E141",
        f"the payload schema is not JSON: {problem}",
        span,
        why="Payloads are checked against it at the door.",
        help="Mend the JSON here, or name the file .yaml if it is YAML.",
    )


def _judge(data: Data, root: Node | None, file: str) -> list[Diagnostic]:
    source = NodeSource(file, None, root) if root is not None else None

    def at(path: tuple[str, ...], *, key: bool = False) -> Span:
        return source.find(path, key=key)[0] if source is not None else top_of(file)

    if not isinstance(data, dict):
        return [_bad("a payload schema is a mapping", at(()), 'Begin with `{"type": "object", …}`.')]
    found: list[Diagnostic] = []
    if _depth(data) > MAX_DEPTH:
        return [_bad(f"the payload schema is nested more than {MAX_DEPTH} deep", at(()), "Use `$defs`.")]
    for path, target in _references(data):
        if not target.startswith("#"):
            found.append(
                fault(
                    "E142",
                    f"the payload schema refers to `{cut(target, 80)}`, outside itself",
                    at(path),
                    why="Nothing is fetched: a schema that changes elsewhere would change what is accepted.",
                    help="Copy it under `$defs` and write `#/$defs/NAME`.",
                )
            )
        elif not _resolves(data, target):
            found.append(
                fault(
                    "E142",
                    f"the payload schema refers to `{cut(target, 80)}`, which is not in it",
                    at(path),
                    why="No payload could be checked.",
                    help="Add it under `$defs`, or mend the reference.",
                )
            )
    return found or _metaschema(data, at)


def _metaschema(data: dict[str, Any], at: Any) -> list[Diagnostic]:
    problems = _problems(data)
    if problems:
        return [
            _bad(f"not a JSON Schema: {cut(message, 160)}", at(path), "Mend the keyword here.")
            for path, message in problems
        ]
    try:
        jsonschema_rs.validator_for(data, retriever=_refuse)
    except (ValueError, jsonschema_rs.ReferencingError) as error:
        return [
            _bad(f"not a JSON Schema: {cut(str(error), 160)}", at(()), "Mend it; nothing could be checked.")
        ]
    return []


def _problems(data: dict[str, Any]) -> list[tuple[tuple[str, ...], str]]:
    """Where a schema breaks the rules of its draft (2020-12 where it names none), and how."""
    draft = data.get("$schema", _DRAFTS[0])
    if not isinstance(draft, str) or draft.rstrip("#") not in _DRAFTS:
        return [(("$schema",), f"{cut(str(draft))} is no draft that is known here")]
    if jsonschema_rs.meta.is_valid(data):
        return []
    from jsonschema.validators import Draft202012Validator, validator_for

    judge = validator_for(data, default=Draft202012Validator)
    errors = islice(judge(judge.META_SCHEMA).iter_errors(data), _MOST)
    return list(dict.fromkeys((tuple(str(p) for p in e.absolute_path), e.message) for e in errors))


def _bad(message: str, span: Span, remedy: str) -> Diagnostic:
    return fault("E141", message, span, why="Payloads are checked against it at the door.", help=remedy)


def _depth(data: Data) -> int:
    depth, level = 0, [data]
    while level:
        depth += 1
        level = [
            child
            for one in level
            if isinstance(one, dict | list)
            for child in (one.values() if isinstance(one, dict) else one)
        ]
    return depth


def _references(data: Data) -> list[tuple[tuple[str, ...], str]]:
    """Every `$ref`, `$dynamicRef` and `$recursiveRef` with its path."""
    found: list[tuple[tuple[str, ...], str]] = []
    stack: list[tuple[tuple[str, ...], Data]] = [((), data)]
    while stack:
        path, node = stack.pop()
        if isinstance(node, dict):
            for key, value in node.items():
                if key in ("$ref", "$dynamicRef", "$recursiveRef") and isinstance(value, str):
                    found.append(((*path, key), value))
                elif key not in _DATA_KEYWORDS or (path and path[-1] in ("properties", "$defs")):
                    stack.append(((*path, key), value))
        elif isinstance(node, list):
            stack.extend(((*path, str(index)), value) for index, value in enumerate(node))
    return sorted(found)


def _resolves(data: dict[str, Any], target: str) -> bool:
    """Whether a local reference leads somewhere. Anchors are left to the validator."""
    pointer = target[1:]
    if not pointer.startswith("/"):
        return True
    node: Data = data
    for part in pointer[1:].split("/"):
        name = unquote(part).replace("~1", "/").replace("~0", "~")
        if isinstance(node, dict) and name in node:
            node = node[name]
        elif isinstance(node, list) and name.isdecimal() and int(name) < len(node):
            node = node[int(name)]
        else:
            return False
    return True
