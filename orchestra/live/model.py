"""What is read from a live database, as values: nothing here holds a connection, so plans may be made of it."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

from orchestra.ir.program import Address, Json

COUNTED: Final = 100_000
"""Messages are counted up to here; beyond it the plan says "more than"."""


@dataclass(frozen=True, slots=True)
class ServerFacts:
    """`relations` are those of ours and of the extensions that exist; `lock_slots` is the size of the lock table.
    `pg_cron` is the extension's version, None where it is absent; `pg_cron_default` is the one that the server would
    create."""

    role: str
    database: str
    server_version: str
    version_num: int
    superuser: bool
    lock_slots: int
    cron_timezone: str | None
    cron_database: str | None
    pg_cron: str | None
    pgmq_available: bool
    pg_cron_default: str | None
    pgmq: bool
    relations: frozenset[str]
    now: datetime
    identity: str = ""
    """See `plan.model.Target`."""
    headers: bool = True
    """Whether pgmq's messages carry headers here, or will (1.5 and later): what pipelines need."""
    available: frozenset[str] = frozenset()
    """Those of pg_net and supabase_vault that are there or could be created."""

    @property
    def cron_seconds(self) -> bool:
        """Whether pg_cron knows `N seconds` schedules (1.5 and later)."""
        version = self.pg_cron or self.pg_cron_default
        if version is None:
            return True
        major, minor = [*version.replace("-", ".").split("."), "0"][:2]
        return (int(major), int(minor)) >= (1, 5)


@dataclass(frozen=True, slots=True)
class Entry:
    """A row of the registry. `applied` is what the last apply wrote."""

    project: str
    address: Address
    name: str
    applied: Mapping[str, Json]
    protect: bool
    tombstoned: bool
    gone: bool = False
    """A tombstone of what was removed: an object of its name is somebody else's."""
    accepted: Mapping[str, Json] = field(default_factory=dict)
    """What an operator turned and somebody accepted, by field."""


@dataclass(frozen=True, slots=True)
class Found:
    """A live object: its fields in the words of its kind, and what else is worth knowing of it."""

    kind: str
    name: str
    values: Mapping[str, Json]
    extra: Mapping[str, Any] = field(default_factory=dict)

    @property
    def digest(self) -> str:
        text = json.dumps([self.values, self.extra], sort_keys=True, default=str)
        return hashlib.sha256(text.encode()).hexdigest()[:16]


@dataclass(frozen=True, slots=True)
class Live:
    """What is there. `entries` are the project's own; `others` are active ones of other projects by kind and name."""

    server: ServerFacts
    entries: Mapping[Address, Entry]
    others: Mapping[tuple[str, str], Entry]
    objects: Mapping[tuple[str, str], Found]

    def find(self, kind: str, name: str) -> Found | None:
        return self.objects.get((kind, name))


@dataclass(frozen=True, slots=True)
class QueueFacts:
    """`waiting` counts every message in the queue up to COUNTED + 1, `archived` likewise, `in_flight` those that are
    out under a lease; `oldest_s` is the age of the oldest in seconds; `attempts` counts messages by their hand-outs:
    (read_ct, count)."""

    waiting: int
    in_flight: int
    archived: int
    oldest_s: float | None
    attempts: tuple[tuple[int, int], ...] = ()

    @property
    def messages(self) -> int:
        """What dropping the queue loses."""
        return self.waiting + self.archived

    @property
    def uncounted(self) -> bool:
        """Whether there are more than were counted."""
        return max(self.waiting, self.archived) > COUNTED


@dataclass(frozen=True, slots=True)
class JobFacts:
    status: str
    message: str
    at: datetime | None


@dataclass(frozen=True, slots=True)
class Due:
    """A schedule as the guard in the database reads it: exactly one of `cron` and `every_ms`."""

    cron: str | None
    every_ms: int | None
    timezone: str | None


@dataclass(frozen=True, slots=True)
class HandlerFault:
    """Why PostgreSQL refuses a handler: the message, its SQLSTATE, and where in the statement (1-based), if known."""

    workload: str
    message: str
    sqlstate: str
    position: int | None
    hint: str
    step: str | None = None

    @property
    def said(self) -> str:
        """What is said of it, after the workload's address."""
        whose = "its SQL" if self.step is None else f"the SQL of step {self.step}"
        return f"PostgreSQL refuses {whose}: {self.message}"


@dataclass(frozen=True, slots=True)
class Table:
    """One of the app's tables: `kind` as in pg_class, its columns, whether it has a primary key and whether this role
    may put triggers on it."""

    kind: str
    columns: frozenset[str]
    has_primary_key: bool
    may_trigger: bool


@dataclass(frozen=True, slots=True)
class ForeignColumn:
    """A column whose type brings operators of its own from `type_schema`."""

    schema: str
    table: str
    column: str
    type: str
    type_schema: str


@dataclass(frozen=True, slots=True)
class Dependent:
    """`project` requires this of the project that was asked about: a workload, a queue by its name, or all of it."""

    project: str
    kind: str
    name: str
