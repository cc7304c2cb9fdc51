"""Repositories in which somebody begins."""

from __future__ import annotations

import os
import pty
import select
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

ROOT = Path(__file__).parents[2]

SUPABASE = {
    "supabase/config.toml": '# ours\nproject_id = "corner-shop"\n\n[functions.hello-function]  # by hand\n',
    "supabase/functions/hello-function/index.ts": "Deno.serve(() => new Response());\n",
    "supabase/functions/_shared/cors.ts": "export {};\n",
    "supabase/migrations/0001_queue.sql": "select pgmq.create('mails');\n",
    "supabase/migrations/0002_other.sql": "select 1;\n",
}


def repository(
    folder: Path, files: Mapping[str, str] | None = None, *, remote: str = "", git: bool = True
) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    if git:
        (folder / ".git").mkdir()
        (folder / ".git/config").write_text(f'[remote "origin"]\n\turl = {remote}\n' if remote else "")
    for path, text in (files or {}).items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_bytes(text.encode())
    return folder


def contents(folder: Path) -> dict[str, bytes]:
    """Every file and link below a folder, but for git's own."""
    return {
        str(p.relative_to(folder)): str(p.readlink()).encode() if p.is_symlink() else p.read_bytes()
        for p in sorted(folder.rglob("*"))
        if (p.is_file() or p.is_symlink()) and ".git" not in p.relative_to(folder).parts
    }


def in_terminal(folder: Path, answers: list[str], *arguments: str) -> tuple[int, str]:
    """`orchestra init` with somebody at a terminal who types one answer for each question. "^C" is Ctrl-C."""
    ours, theirs = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "-m", "orchestra", "init", *arguments],
        cwd=folder,
        env={"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT), "TERM": "xterm", "HOME": str(folder)},
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        start_new_session=True,
        preexec_fn=_controlled,
    )
    os.close(theirs)
    shown, waiting, keys, silent = "", list(answers), b"", 0
    try:
        while True:
            ready, _, _ = select.select([ours], [], [], 3)
            if not ready:
                silent += 1
                assert silent < 20, f"it waits for something: {shown}"
                # Python loses a Ctrl-C that comes between the prompt and the read behind it; people press it again.
                if keys == b"\x03":
                    os.write(ours, keys)
                continue
            try:
                read = os.read(ours, 65536)
            except OSError:  # the terminal is closed
                break
            if not read:
                break
            shown += read.decode("utf-8", "replace")
            if shown.endswith("]: ") and waiting:
                answer = waiting.pop(0)
                keys = b"\x03" if answer == "^C" else f"{answer}\n".encode()
                os.write(ours, keys)
        return process.wait(60), shown
    finally:
        process.kill()
        process.wait()
        os.close(ours)


def _controlled() -> None:
    import fcntl
    import termios

    fcntl.ioctl(0, termios.TIOCSCTTY, 0)
