"""`orchestra dev` as a person runs it: a process of its own at a terminal, read line by line."""

from __future__ import annotations

import os
import pty
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg

from orchestra.dev import embedded

PATIENCE = 60
SPEC = """\
version: 1
project: shop
platform: {provider: supabase, plan: free}
workloads:
  store:
    trigger: manual
    duration: {max: 5s}
    poll_interval: 1s
    run:
      sql: insert into public.stored (word) values (:payload ->> 'word')
"""
GREET = """\
  greet:
    trigger: manual
    duration: {max: 10s}
    poll_interval: 1s
"""
HANDLER = """\
import type { Context, Payload } from "./workload.gen.ts";

export default async function greet(payload: Payload, { sql }: Context) {
  console.log("GREETING to", (payload as { name: string }).name);
  await sql`insert into stored (word) values (${`GREETING ${(payload as { name: string }).name}`})`;
}
"""
TABLES = "create table stored (id bigint generated always as identity, word text not null);"


def _hears() -> None:
    """Also where the tests were started deaf to a closed terminal, by nohup."""
    signal.signal(signal.SIGHUP, signal.SIG_DFL)


class Session:
    """One run; what it wrote so far is `text`."""

    def __init__(
        self, home: Path, *arguments: str, env: dict[str, str] | None = None, terminal: bool = True
    ) -> None:
        master, slave = pty.openpty() if terminal else os.pipe()
        self.home = home
        self._master = master
        self.process = subprocess.Popen(
            [sys.executable, "-m", "orchestra", "dev", *arguments],
            cwd=home,
            env={**os.environ, "COLUMNS": "120", "NO_COLOR": "1", **(env or {})},
            stdin=slave if terminal else subprocess.DEVNULL,
            stdout=slave,
            stderr=slave,
            start_new_session=True,
            preexec_fn=_hears,
        )
        os.close(slave)
        self._read = bytearray()
        self._mark = 0
        self._reader = threading.Thread(target=self._collect, daemon=True)
        self._reader.start()

    def _collect(self) -> None:
        while True:
            try:
                piece = os.read(self._master, 65536)
            except OSError:
                return
            if not piece:
                return
            self._read += piece

    @property
    def text(self) -> str:
        return self._read.decode(errors="replace").replace("\r\n", "\n")

    def sees(self, words: str) -> str:
        """Waits for these words after those that were seen last, and gives all that came before them."""
        deadline = time.monotonic() + PATIENCE
        while (at := self.text.find(words, self._mark)) < 0:
            assert self.process.poll() is None or words in self.text[self._mark :], self.text
            assert time.monotonic() < deadline, (
                f"no {words!r} in\n{self.text[self._mark :]}\nafter\n{self.text}"
            )
            time.sleep(0.03)
        passed = self.text[self._mark : at]
        self._mark = at + len(words)
        return passed

    def types(self, text: str) -> None:
        os.write(self._master, text.encode())

    def ends(self) -> int:
        code = self.process.wait(PATIENCE)
        self._reader.join(2)
        return code

    def press(self, number: int = signal.SIGINT) -> None:
        self.process.send_signal(number)

    def hang_up(self) -> None:
        """The terminal is closed."""
        os.close(self._master)


@contextmanager
def session(home: Path, *arguments: str, **how: object) -> Iterator[Session]:
    """Whatever is left of it at the end is killed, and its database with it."""
    made = Session(home, *arguments, **how)  # type: ignore[arg-type]
    try:
        yield made
    finally:
        if made.process.poll() is None:
            made.process.kill()
            made.process.wait()
        embedded.stop(home / ".orchestra")


def sql(home: Path, query: str) -> list[tuple[object, ...]]:
    found = embedded.find(home / ".orchestra")
    assert found is not None, "the database does not run"
    with psycopg.connect(found.dsn, autocommit=True) as connection:
        cursor = connection.execute(query.encode())
        return cursor.fetchall() if cursor.description else []


def left_behind(home: Path) -> list[str]:
    """Processes that speak of this folder in their command line or environment."""
    found = []
    for entry in Path("/proc").iterdir():
        if not entry.name.isdecimal() or int(entry.name) == os.getpid():
            continue
        try:
            words = (entry / "cmdline").read_bytes() + (entry / "environ").read_bytes()
        except OSError:
            continue
        if os.fsencode(home) in words:
            found.append((entry / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace"))
    return found


def nothing_is_left(home: Path) -> None:
    deadline = time.monotonic() + PATIENCE
    while rest := left_behind(home):
        assert time.monotonic() < deadline, rest
        time.sleep(0.05)
    assert embedded.find(home / ".orchestra") is None
