"""What a repository held at a revision, read through `git` without touching the working tree, the index or the network
of its own accord. Git is run with fixed arguments; what a person typed is only ever a revision or a path."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from orchestra.errors import OrchestraError, UsageError
from orchestra.spec.fetched import ReadFault

# What a hook sets for its own repository, and what would lead this one astray (`git rev-parse --local-env-vars`, but
# for GIT_CONFIG_COUNT and its pairs, by which containers say that a directory is safe).
_OF_HOOKS: Final = frozenset(
    {
        "GIT_ALTERNATE_OBJECT_DIRECTORIES",
        "GIT_COMMON_DIR",
        "GIT_CONFIG",
        "GIT_DIR",
        "GIT_GRAFT_FILE",
        "GIT_IMPLICIT_WORK_TREE",
        "GIT_INDEX_FILE",
        "GIT_INTERNAL_SUPER_PREFIX",
        "GIT_NAMESPACE",
        "GIT_NO_REPLACE_OBJECTS",
        "GIT_OBJECT_DIRECTORY",
        "GIT_PREFIX",
        "GIT_REPLACE_REF_BASE",
        "GIT_SHALLOW_FILE",
        "GIT_WORK_TREE",
    }
)
_TIMEOUT_S: Final = 120
_DEEPEN: Final = (
    "fetch it first: git fetch --unshallow; in GitHub Actions give actions/checkout fetch-depth: 0"
)


class GitFailure(Exception):
    """Git ended with an error; the message is what it said."""


def run(directory: Path, *arguments: str, lines: Sequence[str] = ()) -> bytes:
    """What git prints. UsageError where there is no git, GitFailure where it fails."""
    kept = {k: v for k, v in os.environ.items() if k not in _OF_HOOKS}
    quiet = {
        "LC_ALL": "C",
        "GIT_TERMINAL_PROMPT": "0",
        "GIT_OPTIONAL_LOCKS": "0",
        "GIT_LITERAL_PATHSPECS": "1",
    }
    try:
        done = subprocess.run(
            ["git", "--no-pager", *arguments],
            cwd=directory,
            env=kept | quiet,
            input=os.fsencode("".join(f"{line}\n" for line in lines)),
            capture_output=True,
            timeout=_TIMEOUT_S,
            check=False,
        )
    except FileNotFoundError:
        raise UsageError(
            "git is not installed here, so no revision can be read",
            "install it, or give --base the folder or the file to compare with",
        ) from None
    except subprocess.TimeoutExpired:
        raise OrchestraError(
            f"git did not answer within {_TIMEOUT_S} s", "see whether git works in this directory"
        ) from None
    if done.returncode:
        raise GitFailure(done.stderr.decode("utf-8", "replace").strip())
    return done.stdout


@dataclass(frozen=True, slots=True)
class Revision:
    """A commit. `word` is what was said of it; paths are as a person writes them, from the current directory."""

    word: str
    commit: str
    top: Path

    def __str__(self) -> str:
        return self.word if self.commit.startswith(self.word) else f"{self.word} ({self.commit[:7]})"

    def kind(self, path: str) -> str:
        """`blob`, `tree`, `commit` for a submodule, or nothing where there is nothing."""
        inside = self.inside(path)
        if inside is None:
            return ""
        if inside == ".":
            return "tree"
        listed = self._listed(inside)
        return listed[0][0] if listed else ""

    def children(self, path: str) -> list[str]:
        """The names of the files directly in a folder."""
        inside = self.inside(path)
        if inside is None:
            return []
        listed = self._listed(*([] if inside == "." else [f"{inside}/"]))
        return sorted(name.rpartition("/")[2] for kind, name in listed if kind == "blob")

    def everything(self, *endings: str) -> list[str]:
        """Every file with one of these endings, as a path from the current directory."""
        out = run(self.top, "ls-tree", "-r", "-z", "--full-tree", "--name-only", self.commit)
        names = [os.fsdecode(name) for name in out.split(b"\0") if name]
        return [self.outside(name) for name in names if name.endswith(endings) and "\n" not in name]

    def read(self, paths: Sequence[str], most: int) -> list[bytes | ReadFault]:
        """What the files held, each of at most `most` bytes; links inside the repository are followed."""
        inside = [self.inside(path) for path in paths]
        asked = [name for name in inside if name is not None and "\n" not in name]
        sizes = dict(zip(asked, self._batch("--batch-check", asked, None), strict=True))
        wanted = [name for name in asked if isinstance(size := sizes[name], int) and size <= most]
        texts = dict(zip(wanted, self._batch("--batch", wanted, most), strict=True))
        return [self._answer(name, sizes, texts, most) for name in inside]

    def _answer(
        self,
        name: str | None,
        sizes: dict[str, int | bytes | str],
        texts: dict[str, int | bytes | str],
        most: int,
    ) -> bytes | ReadFault:
        if name is None:
            return ReadFault(f"it lies outside of the repository, so {self} has none of it")
        found = texts.get(name, sizes.get(name, "it has a name that cannot be looked up"))
        match found:
            case bytes():
                return found
            case int():
                return ReadFault(f"at {self} it is larger than {most // 1024 // 1024} MiB", code="E102")
            case str():
                return ReadFault(f"at {self} {found}")

    def _batch(self, how: str, names: Sequence[str], most: int | None) -> list[int | bytes | str]:
        """Sizes (`most` None) or contents of blobs, or in words why there is none."""
        if not names:
            return []
        lines = [f"{self.commit}:{name}" for name in names]
        out = run(self.top, "cat-file", how, "--follow-symlinks", lines=lines)
        return _parsed(out, len(names), contents=most is not None)

    def _listed(self, *inside: str) -> list[tuple[str, str]]:
        out = run(self.top, "ls-tree", "-z", "--full-tree", self.commit, "--", *inside)
        rows = [row.partition(b"\t") for row in out.split(b"\0") if row]
        return [(head.split()[1].decode(), os.fsdecode(name)) for head, _, name in rows]

    def inside(self, path: str) -> str | None:
        """A path as the repository has it; None outside. The last part is not resolved: it may be a link in there."""
        whole = Path(path).absolute()
        real = (
            os.path.realpath(whole)
            if whole.name in ("", "..")
            else str(Path(os.path.realpath(whole.parent)) / whole.name)
        )
        inner = os.path.relpath(real, self.top).replace(os.sep, "/")
        return None if inner == ".." or inner.startswith("../") else inner

    def outside(self, inner: str) -> str:
        return os.path.relpath(self.top / inner, os.path.realpath(Path.cwd()))


def _parsed(out: bytes, count: int, *, contents: bool) -> list[int | bytes | str]:
    """The answers of `git cat-file --batch[-check]`, in order."""
    found: list[int | bytes | str] = []
    at = 0
    for _ in range(count):
        end = out.index(b"\n", at)
        words = out[at:end].rsplit(b" ", 2)
        at = end + 1
        if words[-1] == b"missing":
            found.append("there is no such file")
        elif words[0] in (b"symlink", b"dangling", b"loop", b"notdir"):
            at += int(words[1]) + 1
            found.append(_LINKS[words[0]])
        elif words[-1] == b"ambiguous" or len(words) < 3:
            found.append("git cannot tell which object it is")
        elif words[1] != b"blob":
            found.append(
                "it is a folder" if words[1] == b"tree" else "it is in a submodule, which is not looked into"
            )
            at += int(words[2]) + 1 if contents else 0
        elif contents:
            size = int(words[2])
            found.append(out[at : at + size])
            at += size + 1
        else:
            found.append(int(words[2]))
    return found


_LINKS: Final = {
    b"symlink": "it is a link that leads out of the repository",
    b"dangling": "it is a link to nothing",
    b"loop": "its links lead in a circle",
    b"notdir": "part of its path is a file, not a folder",
}


def top(start: Path) -> Path:
    """The working tree that a folder lies in. UsageError where it lies in none."""
    try:
        return Path(os.fsdecode(run(start, "rev-parse", "--show-toplevel").rstrip(b"\n")))
    except GitFailure as error:
        raise _no_tree(start, str(error)) from None


def _no_tree(start: Path, said: str) -> UsageError:
    if "dubious ownership" in said:
        return UsageError(
            f"git refuses to read the repository of {start}, as it belongs to another user",
            f"if you trust it: git config --global --add safe.directory {start.absolute()}",
        )
    if "work tree" in said:
        return UsageError(
            f"{start} is in a bare repository, which has no files to compare with a revision",
            "clone it or add a worktree, or compare two files: orchestra diff OLD NEW",
        )
    return UsageError(
        f"{start} is in no git repository" + ("" if "not a git repository" in said else f": {said}"),
        "give --base the folder or the file to compare with",
    )


def resolve(start: Path, word: str) -> Revision | None:
    """The commit that a word names in the repository of a folder, or None."""
    # What begins like an option is none here, and no revision either: git forbids such names.
    if word.startswith("-") or "\0" in word or "\n" in word:
        return None
    home = top(start)
    try:
        # In two steps, for `:/message` would take what follows it for its own.
        found = run(home, "rev-parse", "--verify", "--quiet", word).decode().strip()
        commit = run(home, "rev-parse", "--verify", "--quiet", f"{found}^{{commit}}").decode().strip()
    except GitFailure:
        return None
    return Revision(word, commit, home)


def unknown(start: Path, word: str) -> UsageError:
    """Why there is no such revision, and what to do."""
    home = top(start)
    if run(home, "rev-parse", "--is-shallow-repository").strip() == b"true":
        return UsageError(
            f"{word} is no path, and no revision that this clone has: it is a shallow one, without its history",
            _DEEPEN,
        )
    from difflib import get_close_matches

    out = run(home, "for-each-ref", "--format=%(refname:short)")
    close = get_close_matches(word, out.decode("utf-8", "replace").split(), 1)
    remote = word.partition("/")[0]
    return UsageError(
        f"{word} is no path and no revision of this repository",
        f"did you mean {close[0]}?"
        if close
        else f"git fetch {remote} may bring it"
        if "/" in word
        else "give --base a branch, a tag, a commit, or a path",
    )


def full_name(revision: Revision) -> str:
    """`refs/heads/main`, for a word that is something else as well; the commit where there is no name."""
    out = run(revision.top, "rev-parse", "--symbolic-full-name", revision.word)
    return out.decode("utf-8", "replace").strip() or revision.commit


def merge_base(revision: Revision) -> Revision:
    """Where the checked-out branch left a revision."""
    try:
        found = run(revision.top, "merge-base", revision.commit, "HEAD").decode().strip()
    except GitFailure as error:
        shallow = run(revision.top, "rev-parse", "--is-shallow-repository").strip() == b"true"
        raise UsageError(
            f"what is checked out and {revision.word} have no common commit"
            + (f": {error}" if str(error) else ""),
            _DEEPEN if shallow else "leave --merge-base out to compare with the revision itself",
        ) from None
    return Revision(f"{revision.word}, where this branch left it", found, revision.top)
