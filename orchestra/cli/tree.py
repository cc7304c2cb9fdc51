"""The directory that `compile` writes into: read with care, and changed as a whole or not at all."""

from __future__ import annotations

import contextlib
import posixpath
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path, PurePosixPath

from orchestra.cli import files
from orchestra.cli.ending import Interrupted
from orchestra.errors import OrchestraError


class Tree:
    """Paths are relative, with slashes. Nothing is written where a link leads out of the directory."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self._folders: dict[str, Path] = {}  # where those lie that were asked for

    def shown(self, path: str) -> str:
        """As a message names it."""
        return str(self.root / path)

    def read(self, path: str) -> str | None:
        """The text, with its line ends; None where there is no file."""
        place = self._place(path)
        return files.read(place) if place.exists() or place.is_symlink() else None

    def sources(self, folder: str, names: Iterable[str]) -> dict[str, str]:
        """The files of these names one level below `folder`, whoever made them. What is no text is read as if it were:
        only the files that are written here have to be."""
        wanted = set(names)
        folders = (inner for inner in self._entries(folder) if inner.is_dir() and not self._is_alias(inner))
        found = (file for inner in folders for file in self._entries_of(inner))
        return {self._relative(file): _text(file) for file in found if file.name in wanted and file.is_file()}

    def below(self, folder: str, ending: str) -> dict[str, str]:
        """All files below `folder`, at any depth; links are not followed."""
        found: dict[str, str] = {}
        waiting = list(self._entries(folder))
        while waiting:
            entry = waiting.pop()
            if entry.is_symlink():
                continue
            if entry.is_dir():
                waiting += self._entries_of(entry)
            elif entry.name.endswith(ending):
                found[self._relative(entry)] = _text(entry)
        return found

    def change(self, texts: Mapping[str, str], gone: Iterable[str]) -> None:
        """Everything is written beside its place first, so that a full disk or a missing right changes nothing."""
        ready: list[tuple[str, Path, Path]] = []
        made: list[Path] = []
        path = ""
        changed = False
        try:
            going = [(path, self._place(path)) for path in gone]
            for path, text in texts.items():
                place = self._place(path)
                made.extend(_directories(place.parent))
                ready.append((path, files.beside(place, text, durable=False), place))
            files.sweep((place, written) for _, written, place in ready)
            for path, written, place in ready:  # noqa: B007, the message below names it
                changed = True
                written.replace(place)
            for path, place in going:
                changed = True
                place.unlink(missing_ok=True)
                self._remove_empty(PurePosixPath(path))
        except OSError as error:
            raise OrchestraError(f"cannot write {self.shown(path)}: {error.strerror or error}") from None
        except KeyboardInterrupt:
            if not changed:
                raise
            raise Interrupted(
                f"Interrupted. Some files in {self.root} are new and others are as they were: run compile again."
            ) from None
        finally:
            for _, written, _ in ready:
                written.unlink(missing_ok=True)
            for directory in reversed(made):
                # Those that hold something stay.
                with contextlib.suppress(OSError):
                    directory.rmdir()

    def _remove_empty(self, path: PurePosixPath) -> None:
        """A folder goes with its last file."""
        with contextlib.suppress(OSError):
            for folder in path.parents[:-1]:
                (self.root / folder).rmdir()

    def _place(self, path: str) -> Path:
        """Where the file really lies: behind links inside the directory, never outside it."""
        folder, name = posixpath.split(path)
        if folder not in self._folders:
            self._folders[folder] = self._followed(folder)
        place = self._folders[folder] / name
        return self._followed(path) if place.is_symlink() else place

    def _followed(self, path: str) -> Path:
        try:
            root, place = self.root.resolve(), (self.root / path).resolve()
        except (OSError, RuntimeError):
            raise OrchestraError(f"{self.shown(path)} cannot be followed: it is a link to itself") from None
        if not place.is_relative_to(root):
            raise OrchestraError(
                f"{self.shown(path)} leads out of {self.root}: it is, or lies behind, a link to {place}",
                "replace the link by a directory of its own, or give --out the directory that it leads to",
            )
        return place

    def _is_alias(self, folder: Path) -> bool:
        """Whether it is a link to another place in here: what lies there has a name of its own, and may be wanted."""
        return folder.is_symlink() and folder.resolve().is_relative_to(self.root.resolve())

    def _entries(self, folder: str) -> Iterator[Path]:
        return self._entries_of(self.root / folder)

    @staticmethod
    def _entries_of(folder: Path) -> Iterator[Path]:
        try:
            yield from sorted(folder.iterdir())
        except (FileNotFoundError, NotADirectoryError):
            return
        except OSError as error:
            raise OrchestraError(f"cannot read {folder}: {error.strerror or error}") from None

    def _relative(self, place: Path) -> str:
        return place.relative_to(self.root).as_posix()


def _directories(folder: Path) -> Iterator[Path]:
    """Makes what is missing, outermost first; gives each when it is made."""
    missing = [folder]
    while not missing[0].exists():
        missing.insert(0, missing[0].parent)
    for directory in missing[1:]:
        directory.mkdir(exist_ok=True)
        yield directory


def _text(file: Path) -> str:
    try:
        return file.read_bytes().decode("utf-8", "replace")
    except OSError as error:
        raise OrchestraError(f"cannot read {file}: {error.strerror or error}") from None
