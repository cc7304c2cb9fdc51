"""The disk: which files make up a spec, and their bytes. Nothing else in this room touches it."""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Iterable, Sequence
from glob import has_magic, iglob
from itertools import islice
from pathlib import Path
from typing import Final

from orchestra.spec.fetched import ReadFault
from orchestra.spec.limits import MAX_FILE_BYTES, MAX_FILES

SPEC_NAMES: Final = ("orchestra.yaml", "orchestra.yml")
_ENDINGS: Final = (".yaml", ".yml")

Found = tuple[str, "bytes | ReadFault"]
"""A file's name as the user would write it, and what it holds."""


def find_spec(cwd: str | Path) -> Path | None:
    """The nearest `orchestra.yaml`, in this folder or one above it."""
    start = Path(cwd).absolute()
    for folder in (start, *start.parents):
        for name in SPEC_NAMES:
            if (folder / name).is_file():
                return folder / name
    return None


def read_specs(paths: Sequence[str | Path]) -> list[Found]:
    """The files that the paths name, each once, in order.

    A path is a file; a folder, which stands for the *.yaml and *.yml files directly in it (not those below,
    where payload schemas live; hidden files are left out); or a glob pattern, in which `**` goes down.
    """
    found: dict[str, bytes | ReadFault] = {}
    seen: set[tuple[int, int]] = set()
    for path in paths:
        for name in _expand(os.fspath(path), found):
            identity = _identity(name)
            if name in found or identity in seen:
                continue
            if identity is not None:
                seen.add(identity)
            found[name] = read_file(name, MAX_FILE_BYTES)
    return list(found.items())


def _expand(path: str, found: dict[str, bytes | ReadFault]) -> list[str]:
    if "\0" in path:
        found[path.replace("\0", "␀")] = ReadFault("its name holds a NUL character", "Check the path.")
        return []
    try:
        is_folder = stat.S_ISDIR(Path(path).stat().st_mode)
    except OSError:
        is_folder = False
        if has_magic(path) and not os.path.lexists(path):
            return _limited(path, iglob(path, recursive=True), found)  # noqa: PTH207 - absolute patterns too
    if not is_folder:
        return [path]
    try:
        names = sorted(p.name for p in Path(path).iterdir() if p.suffix in _ENDINGS and p.name[0] != ".")
    except OSError as error:
        found[path] = _reason(error)
        return []
    files = [str(Path(path) / name) for name in names]
    return _limited(path, (f for f in files if not Path(f).is_dir()), found)


def _limited(path: str, names: Iterable[str], found: dict[str, bytes | ReadFault]) -> list[str]:
    listed = sorted(n for n in islice(names, MAX_FILES + 1) if not Path(n).is_dir())
    if not listed:
        found[path] = ReadFault(
            "it holds no .yaml or .yml file", "Name a spec file, or a folder that has one."
        )
    elif len(listed) > MAX_FILES:
        found[path] = ReadFault(
            f"it stands for more than {MAX_FILES:,} files", "Name the folder of the spec."
        )
        return []
    return listed


def _identity(path: str) -> tuple[int, int] | None:
    try:
        about = Path(path).stat()
    except OSError:
        return None
    return about.st_dev, about.st_ino


def read_file(path: str, most: int) -> bytes | ReadFault:
    """A file's bytes, at most `most` of them. Never waits: pipes and devices are refused unread."""
    try:
        # A pipe would block open() until someone writes; the kind is checked again on the open file.
        handle = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_CLOEXEC", 0))
    except (OSError, ValueError) as error:
        return _reason(error)
    try:
        about = os.fstat(handle)
        if stat.S_ISDIR(about.st_mode):
            return ReadFault("it is a folder", "Name the file in it.")
        if not stat.S_ISREG(about.st_mode):
            return ReadFault("it is not a regular file", "Pipes and devices are not read; save it as a file.")
        if about.st_size > most:
            return _too_large(most)
        with os.fdopen(handle, "rb", closefd=False) as file:
            data = file.read(most + 1)
        return data if len(data) <= most else _too_large(most)
    except OSError as error:
        return _reason(error)
    finally:
        os.close(handle)


def _too_large(most: int) -> ReadFault:
    return ReadFault(
        f"it is larger than {most // 1024 // 1024} MiB", "Split it into several files of a folder.", "E102"
    )


def _reason(error: OSError | ValueError) -> ReadFault:
    match error.errno if isinstance(error, OSError) else None:
        case errno.ENOENT:
            return ReadFault("there is no such file", "Check the path.")
        case errno.EACCES | errno.EPERM:
            return ReadFault("permission is denied", "Give yourself the right to read it.")
        case errno.ELOOP:
            return ReadFault(
                "its symbolic links lead in a circle", "Remove the link and name the file itself."
            )
        case errno.ENOTDIR:
            return ReadFault("part of its path is a file, not a folder", "Check the path.")
        case errno.EISDIR:
            return ReadFault("it is a folder", "Name the file in it.")
        case errno.ENAMETOOLONG:
            return ReadFault("its name is too long", "Check the path.")
        case errno.ENXIO | errno.ENODEV:
            return ReadFault("it is not a regular file", "Pipes and devices are not read; save it as a file.")
        case None:
            return ReadFault("its name cannot be a file's", "Check the path.")
    return ReadFault(f"the system says: {error}", "Check the disk and the path.")
