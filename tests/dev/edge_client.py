"""A caller of functions, and what a test asks of a running server."""

from __future__ import annotations

import json
import os
import urllib.error
import urllib.request
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from engines.waiting import eventually

from orchestra.dev.edge import EdgeServer

FUNCTIONS = Path(__file__).parent / "functions"


@dataclass(frozen=True)
class Reply:
    status: int
    headers: Mapping[str, str]  # as they came; any case finds them
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def pid(self) -> int:
        assert self.status == 200, self
        return int(self.body)


def call(
    server: EdgeServer, path: str, body: bytes | None = None, *, method: str | None = None, **headers: str
) -> Reply:
    """Call a function, on a connection of its own."""
    request = urllib.request.Request(f"{server.url}/{path}", data=body, method=method, headers=headers)
    try:
        with urllib.request.urlopen(request, timeout=20) as answer:
            return Reply(answer.status, answer.headers, answer.read())
    except urllib.error.HTTPError as answer:
        with answer:
            return Reply(answer.code, answer.headers, answer.read())


def said(server: EdgeServer, stream: str | None = None) -> list[str]:
    """What the functions said; with `stream`, of that one only."""
    wanted = (stream,) if stream else ("stdout", "stderr")
    return [line.text for line in server.log if line.stream in wanted]


def hears(server: EdgeServer, *texts: str, within: float = 5.0) -> None:
    """Wait until lines that begin like this have been said, by functions or the runner, in any order."""
    for text in texts:
        eventually(
            lambda text=text: any(line.text.startswith(text) for line in server.log),  # type: ignore[misc]
            within=within,
            what=repr(text),
        )


def write_function(functions: Path, name: str, source: str) -> None:
    (functions / name).mkdir(parents=True, exist_ok=True)
    (functions / name / "index.ts").write_text(source, encoding="utf-8")


def is_alive(pid: int) -> bool:
    """Whether there is such a process; one that nobody has reaped counts too."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True
