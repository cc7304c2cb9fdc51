"""Paths or text -> `LoadResult`: the road from files to the frozen `Spec`."""

from __future__ import annotations

import posixpath
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from orchestra.diagnostics import Diagnostic
from orchestra.spec.build import build, includes_wanted
from orchestra.spec.decode import decode
from orchestra.spec.faults import fault, top_of
from orchestra.spec.fetched import ReadFault
from orchestra.spec.files import Found, read_file, read_specs
from orchestra.spec.limits import MAX_INCLUDE_BYTES
from orchestra.spec.model import Ignore, Spec
from orchestra.spec.parsing import Parsed, no_collection, parse
from orchestra.spec.tree import Tree
from orchestra.spec.validate import limited


@dataclass(frozen=True, slots=True)
class LoadResult:
    """What came of reading a spec.

    `spec` is None where the top level is broken, and holds the workloads that are sound otherwise.
    `diagnostics` are in the order of the files. `sources` maps each file to its text, for showing lines.
    """

    spec: Spec | None
    diagnostics: tuple[Diagnostic, ...]
    sources: Mapping[str, str]

    @property
    def ok(self) -> bool:
        return self.spec is not None and not any(d.is_error for d in self.diagnostics)


@dataclass(frozen=True, slots=True)
class Loaded:
    """Files read and parsed, before they are judged. `sources` holds the text of those that are text."""

    files: tuple[Parsed, ...]
    sources: Mapping[str, str]

    @property
    def trees(self) -> tuple[Tree, ...]:
        return tuple(p.tree for p in self.files if p.tree is not None)

    @property
    def ignores(self) -> tuple[Ignore, ...]:
        return tuple(i for p in self.files for i in p.ignores)


def load_files(paths: Sequence[str | Path]) -> Loaded:
    """Find, read and parse the files that the paths name (see `files.read_specs`)."""
    return _parsed(read_specs(paths))


def _parsed(files: Iterable[Found]) -> Loaded:
    parsed: list[Parsed] = []
    sources: dict[str, str] = {}
    for file, data in files:
        if isinstance(data, ReadFault):
            parsed.append(Parsed(file, None, (_unread(file, data),)))
            continue
        text, found = decode(data, file)
        if text is None:
            parsed.append(Parsed(file, None, tuple(found)))
            continue
        sources[file] = text
        parsed.append(parse(text, file))
    return Loaded(tuple(parsed), sources)


def load_spec(paths: Sequence[str | Path]) -> LoadResult:
    """The spec that the files, folders or globs declare together, with everything that is wrong in them."""
    with no_collection():
        return load_from(
            read_specs([paths] if isinstance(paths, str | Path) else paths),
            lambda path: read_file(path, MAX_INCLUDE_BYTES),
        )


def load_from(files: Iterable[Found], include: Callable[[str], bytes | ReadFault]) -> LoadResult:
    """The same from files that were read somewhere else, such as from a git revision: names with bytes. `include`
    reads a payload schema by its path, which is relative to where the names are."""
    with no_collection():
        loaded = _parsed(files)
        sources = dict(loaded.sources)
        includes: dict[str, str | ReadFault] = {}
        for path in includes_wanted(loaded.trees):
            includes[path] = content = _included(path, include(path))
            if isinstance(content, str):
                sources[path] = content
        return _finish(loaded, includes, sources)


def parse_spec(
    text: str, file: str = "orchestra.yaml", includes: Mapping[str, str] | None = None
) -> LoadResult:
    """The spec in `text`. Pure: payload schemas come as `includes`, path as in the spec -> text."""
    with no_collection():
        loaded = Loaded((parse(text, file),), {file: text})
        given: dict[str, str | ReadFault] = {}
        for path, content in (includes or {}).items():
            given[posixpath.normpath(path)] = content
            given.setdefault(posixpath.normpath(posixpath.join(posixpath.dirname(file), path)), content)
        shown = {path: content for path, content in given.items() if isinstance(content, str)}
        return _finish(loaded, given, {**shown, file: text})


def _finish(
    loaded: Loaded, includes: Mapping[str, str | ReadFault], sources: Mapping[str, str]
) -> LoadResult:
    faults = [d for p in loaded.files for d in p.diagnostics]
    built = build(loaded.trees, includes, loaded.ignores)
    unread = any(p.tree is None for p in loaded.files)
    order = {p.file: number for number, p in enumerate(loaded.files)}
    found = limited(
        sorted(
            [*faults, *built.diagnostics],
            key=lambda d: (order.get(d.span.file, len(order)), d.span, d.code, d.message),
        )
    )
    # A file that could not be read may hold anything; a plan made without it would delete what it declares.
    return LoadResult(None if unread else built.spec, tuple(found), sources)


def _included(path: str, data: bytes | ReadFault) -> str | ReadFault:
    if isinstance(data, ReadFault):
        return data
    text, found = decode(data, path)
    return text if text is not None else ReadFault(found[0].message, found[0].help)


def _unread(file: str, reason: ReadFault) -> Diagnostic:
    return fault(
        reason.code,
        f"`{file}` cannot be read: {reason.message}",
        top_of(file),
        why="A plan made without it would delete what it declares.",
        help=reason.help,
    )
