"""Everything that doctor asks a database, in one transaction that only reads; each question fails by itself."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from importlib.resources import files
from typing import Any, Final

import psycopg

from orchestra.errors import ConnectError
from orchestra.ir.sql import literal
from orchestra.live.connect import Database, first_line
from orchestra.live.model import ServerFacts
from orchestra.live.server import Sight, look

READ: Final = (
    "begin transaction read only; set local statement_timeout = '5s'; set local lock_timeout = '2s'; "
    "set local jit = off"
)
_QUESTIONS: Final = (
    "server",
    "extensions",
    "workers",
    "sessions",
    "jobs",
    "runs",
    "net",
    "projects",
)
_ABSENT: Final = frozenset({"3F000", "42P01", "42883", "42704"})


@dataclass(frozen=True, slots=True)
class Answer:
    """What a question got: a value, or why there is none. `absent`: what it is about is not there at all."""

    value: Any = None
    why: str = ""
    absent: bool = False


@dataclass(frozen=True, slots=True)
class Facts:
    """`sight` is what a plan looks at first; `pid` the backend's process as the protocol told it; `sent` and `received`
    the moments of this machine around the server's own."""

    sight: Sight | None
    answers: Mapping[str, Answer]
    pid: int = 0
    sent: datetime | None = None
    received: datetime | None = None
    lost: str = ""
    """Why nothing more was asked, where the connection broke."""
    keywords: Mapping[str, str] = field(default_factory=dict)

    @property
    def server(self) -> ServerFacts | None:
        return self.sight.facts if self.sight else None

    @property
    def projects(self) -> frozenset[str] | None:
        """Those that the database has; None where it could not be asked."""
        answer = self.of("projects")
        if answer.value is None:
            return frozenset() if answer.absent else None
        return frozenset(p["project"] for p in answer.value["projects"])

    def of(self, name: str) -> Answer:
        return self.answers.get(name, Answer(why=self.lost or "it was not asked"))


def ask(
    database: Database,
    *,
    vault: Sequence[str],
    function_url: str | None,
    zones: Sequence[str],
    moments: Sequence[datetime],
    now: Callable[[], datetime],
) -> Facts:
    """`vault` are names of secrets, `function_url` that of the one that holds the address of the functions; `zones` are
    looked at in these `moments`."""
    questions = {name: _sql(name) for name in _QUESTIONS}
    if vault:
        questions["vault"] = _sql("vault", names=_array(vault))
    if function_url is not None:
        questions["function_url"] = _sql("function_url", name=literal(function_url))
    if zones:
        texts = [m.isoformat() for m in moments]
        questions["zones"] = _sql("zones", zones=_array(zones), moments=_array(texts))
    answers: dict[str, Answer] = {}
    sight: Sight | None = None
    lost = ""
    sent = received = now()
    # Asked first: a connection that is lost tells nothing any more.
    pid, keywords = database.backend_pid, database.keywords
    try:
        with database.reading(READ):
            sight = look(database)
            sent = now()
            (first,) = database.attempt([(questions["server"],)])
            received = now()
            rest = [name for name in questions if name != "server"]
            found = database.attempt([(questions[name],) for name in rest])
        answers = {n: _answer(n, *a) for n, a in zip(["server", *rest], [first, *found], strict=True)}
    except ConnectError as error:
        lost = error.message
    return Facts(sight, answers, pid, sent, received, lost, keywords)


def _answer(name: str, text: str | None, error: psycopg.Error | None) -> Answer:
    if error is not None:
        return Answer(why=first_line(error), absent=(error.diag.sqlstate or "") in _ABSENT)
    if text is None or name == "function_url":
        return Answer(text)
    return Answer(json.loads(text))


def _sql(question: str, **values: str) -> str:
    text = files("orchestra.doctor").joinpath(f"{question}.sql").read_text("utf-8")
    for word, value in values.items():
        text = text.replace("{" + word + "}", value)
    return text


def _array(values: Sequence[str]) -> str:
    return "array[" + ", ".join(map(literal, values)) + "]"
