"""What `--base` names: a revision of git, a folder or a file, and the spec in it."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from glob import has_magic
from pathlib import Path
from typing import TYPE_CHECKING, Final

import click

from orchestra.cli import console, revision, specs
from orchestra.cli.revision import Revision
from orchestra.errors import UsageError
from orchestra.spec.fetched import ReadFault

if TYPE_CHECKING:
    from orchestra.diagnostics import Diagnostic
    from orchestra.spec.load import LoadResult
    from orchestra.spec.model import Spec

_ENDINGS: Final = (".yaml", ".yml")
_PROJECT: Final = re.compile(r"^project\s*:\s*[\"']?([^\s\"'#]+)", re.MULTILINE)
_WORKLOADS: Final = re.compile(r"^workloads\s*:", re.MULTILINE)
_CANDIDATES: Final = 2_000


@dataclass(frozen=True, slots=True)
class Base:
    """`spec` None: there was none yet. `words` say what it is: `origin/main (1f3a9c2)`."""

    spec: Spec | None
    words: str


def find(word: str, paths: Sequence[Path], after: Spec, *, from_merge_base: bool = False) -> Base:
    """The spec to compare with. UsageError for what is neither revision nor path, or both; the command ends with the
    findings where the spec there has errors."""
    if not word.strip():
        raise UsageError("--base is empty", "name a revision, a folder or a file, such as --base origin/main")
    if word.startswith("-"):
        raise UsageError(
            f"--base {word} is no revision and no path", "for a file of that name write ./ before it"
        )
    where = tuple(paths) or (specs.nearest(),)
    if word.startswith(("./", "../", "/", "~")) or word in (".", ".."):
        return _path(word, from_merge_base)
    start = _folder(where[0])
    is_path = os.path.lexists(word)
    try:
        found = revision.resolve(start, word)
    except UsageError:
        if is_path:
            return _path(word, from_merge_base)
        raise
    if found is not None and is_path:
        raise UsageError(
            f"{word} is a revision and a path",
            f"write --base ./{word} for the path, or --base {revision.full_name(found)} for the revision",
        )
    if found is not None:
        return _at(revision.merge_base(found) if from_merge_base else found, where, after)
    if is_path:
        return _path(word, from_merge_base)
    return _named(word, start, from_merge_base)


def _path(word: str, from_merge_base: bool) -> Base:
    if from_merge_base:
        raise UsageError(f"--merge-base goes with a revision, and {word} is a path", "leave it out")
    return Base(specs.require((Path(word),)), word)


def _folder(path: Path) -> Path:
    """A folder that exists, in which git can be asked about a path."""
    start = path.absolute() if path.is_dir() else path.absolute().parent
    return next(folder for folder in (start, *start.parents) if folder.is_dir())


def _named(word: str, start: Path, from_merge_base: bool) -> Base:
    """`REVISION:PATH`, as git writes it: from the top of the repository, or with ./ from here."""
    said, colon, path = word.partition(":")
    at = revision.resolve(start, said) if colon and said else None
    if at is None:
        raise revision.unknown(start, said if colon and said else word)
    if from_merge_base:
        at = revision.merge_base(at)
    here = path if path.startswith(("./", "../")) else at.outside(path)
    files = list(_files(at, here))
    if not files:
        raise UsageError(f"there is no spec {path} at {at}", "name a file or a folder that it has")
    return Base(_accepted(at, files), f"{at}, {path}")


def _at(at: Revision, where: Sequence[Path], after: Spec) -> Base:
    files: list[str] = []
    for path in where:
        name = os.fspath(path)
        if has_magic(name) and not path.exists() and not at.kind(name):
            raise UsageError(
                f"{name} is a pattern, and which files it stood for at {at} nobody can say",
                "name the folder of the spec",
            )
        files += _files(at, name)
    files += _gone(at, where, files, after)
    files = list(dict.fromkeys(files))
    if files:
        return Base(_accepted(at, files), str(at))
    moved = _moved(at, after)
    if not moved:
        return Base(None, f"{at}, which has no spec of project {after.project}")
    listed = moved[0] if len(moved) == 1 else f"{Path(moved[0]).parent}/"
    return Base(_accepted(at, moved), f"{at}, where the spec is {listed}")


def _files(at: Revision, path: str) -> Iterator[str]:
    """The files that a path stands for there; nothing where it is not there."""
    match at.kind(path):
        case "blob":
            yield path
        case "tree":
            for name in at.children(path):
                if name.endswith(_ENDINGS) and name[0] != ".":
                    yield str(Path(path) / name)
        case _:
            return


def _gone(at: Revision, where: Sequence[Path], files: Sequence[str], after: Spec) -> list[str]:
    """Parts of the spec beside the files named that were deleted since: a shell's `*.yaml` no longer names them."""
    folders = dict.fromkeys(str(p.parent) for p in where if not p.is_dir())
    named = set(map(os.path.normpath, files))
    there = (os.path.normpath(found) for folder in folders for found in _files(at, folder))
    beside = [name for name in there if name not in named and not os.path.lexists(name)]
    return [name for name, text in _texts(at, beside) if _WORKLOADS.search(text) and _may_be(text, after)]


def _may_be(text: str, after: Spec) -> bool:
    project = _PROJECT.search(text)
    return project is None or project[1] in (after.project, after.moved)


def _moved(at: Revision, after: Spec) -> list[str]:
    """The files of the project's spec, where it was somewhere else. UsageError where that could be several places."""
    candidates = list(_texts(at, at.everything(*_ENDINGS)[:_CANDIDATES]))
    homes = {
        Path(name).parent
        for name, text in candidates
        if (found := _PROJECT.search(text)) and found[1] in (after.project, after.moved)
    }
    if len(homes) > 1:
        listed = ", ".join(sorted(map(str, homes)))
        raise UsageError(
            f"at {at} the spec was somewhere else, and several folders have one of project {after.project}: {listed}",
            f"name it: --base {at.word}:PATH",
        )
    return [
        name
        for name, text in candidates
        if Path(name).parent in homes
        and _may_be(text, after)
        and (_WORKLOADS.search(text) or _PROJECT.search(text))
    ]


def _texts(at: Revision, names: Sequence[str]) -> Iterator[tuple[str, str]]:
    from orchestra.spec.limits import MAX_FILE_BYTES

    for name, data in zip(names, at.read(names, MAX_FILE_BYTES), strict=True):
        if isinstance(data, bytes):
            yield name, data.decode("utf-8", "replace").replace("\r\n", "\n").removeprefix("\ufeff")


def _accepted(at: Revision, files: Sequence[str]) -> Spec:
    """The spec of these files, or the end of the command: its findings, with their places at that revision."""
    from orchestra.check import check
    from orchestra.report import text
    from orchestra.spec.limits import MAX_FILE_BYTES, MAX_INCLUDE_BYTES
    from orchestra.spec.load import load_from

    def include(path: str) -> bytes | ReadFault:
        return at.read([path], MAX_INCLUDE_BYTES)[0]

    loaded = load_from(list(zip(files, at.read(files, MAX_FILE_BYTES), strict=True)), include)
    findings = [*loaded.diagnostics, *(check(loaded.spec) if loaded.spec is not None else ())]
    errors = [d for d in findings if d.is_error]
    if loaded.spec is not None and not errors:
        return loaded.spec
    placed, sources = _placed(at, loaded, errors)
    console.note(text.render(placed, sources, console.style(sys.stderr)), end="")
    console.fail(
        f"the spec at {at} has errors, so nothing can be compared with it",
        "give --base a revision whose spec orchestra check accepts",
    )
    raise click.exceptions.Exit(1)


def _placed(
    at: Revision, loaded: LoadResult, found: Sequence[Diagnostic]
) -> tuple[list[Diagnostic], dict[str, str]]:
    """Findings and sources as `origin/main:orchestra.yaml`, so that nobody looks for them in the working tree."""

    def name(file: str) -> str:
        return f"{at.word}:{file}"

    placed = [
        replace(
            d,
            span=replace(d.span, file=name(d.span.file)),
            labels=tuple(replace(x, span=replace(x.span, file=name(x.span.file))) for x in d.labels),
        )
        for d in found
    ]
    return placed, {name(file): text for file, text in loaded.sources.items()}
