"""A git repository, and pull requests as GitHub keeps them: each with a merge that was tried beforehand."""

from __future__ import annotations

import subprocess
from pathlib import Path

_IDENTITY = {
    "GIT_AUTHOR_NAME": "Ada",
    "GIT_AUTHOR_EMAIL": "ada@example.com",
    "GIT_COMMITTER_NAME": "Ada",
    "GIT_COMMITTER_EMAIL": "ada@example.com",
    "GIT_CONFIG_GLOBAL": "/dev/null",
    "GIT_CONFIG_SYSTEM": "/dev/null",
}


class Repository:
    """`path` has `main` checked out, and fetches are served from it."""

    def __init__(self, path: Path) -> None:
        self.path = path
        path.mkdir()
        self.git("init", "-q", "-b", "main")
        self.git("config", "uploadpack.allowAnySHA1InWant", "true")

    def git(self, *arguments: str) -> str:
        done = subprocess.run(
            ["git", *arguments],
            cwd=self.path,
            env={**_IDENTITY, "PATH": "/usr/bin:/bin", "HOME": str(self.path)},
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, f"git {arguments}: {done.stderr}"
        return done.stdout.strip()

    def commit(self, message: str, files: dict[str, str | None]) -> str:
        """Write files, or remove those that are None, and commit; the hash."""
        for name, text in files.items():
            file = self.path / name
            if text is None:
                file.unlink()
            else:
                file.parent.mkdir(parents=True, exist_ok=True)
                file.write_text(text, encoding="utf-8")
        self.git("add", "--all")
        self.git("commit", "-q", "-m", message)
        return self.git("rev-parse", "HEAD")

    def push(self, branch: str, message: str, files: dict[str, str | None], *, number: int) -> str:
        """A commit on a branch, and the merge of it into main as `refs/pull/NUMBER/merge`; its hash."""
        exists = bool(self.git("branch", "--list", branch))
        self.git("checkout", "-q", *([] if exists else ["-b"]), branch)
        self.commit(message, files)
        self.git("checkout", "-q", "--detach", "main")
        self.git("merge", "-q", "--no-ff", "-m", f"Merge {branch} into main", branch)
        merge = self.git("rev-parse", "HEAD")
        self.git("update-ref", f"refs/pull/{number}/merge", merge)
        self.git("checkout", "-q", "main")
        return merge

    def squash(self, branch: str, message: str) -> str:
        """Merge as people mostly do: one new commit, of another hash and the same tree."""
        self.git("checkout", "-q", "main")
        self.git("merge", "-q", "--squash", branch)
        self.git("commit", "-q", "-m", message)
        return self.git("rev-parse", "HEAD")
