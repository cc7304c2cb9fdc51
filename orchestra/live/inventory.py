"""What somebody else has put into a database: values only, so that a spec may be written of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from orchestra.live.model import ServerFacts


@dataclass(frozen=True, slots=True)
class LiveQueue:
    """A row of `pgmq.meta`. `kind` is `standard`, `unlogged` or `partitioned`; `complete` is false where one of its two
    tables is gone; `owner` is the orchestra project that has it."""

    name: str
    kind: str
    complete: bool = True
    owner: str | None = None


@dataclass(frozen=True, slots=True)
class Runs:
    """What pg_cron noted of a job's runs, as far back as was looked: how many there were, how many of the newest have
    all failed, how long the longest took, and what the newest failure said."""

    seen: int
    failing: int
    longest_ms: int | None
    message: str = ""


@dataclass(frozen=True, slots=True)
class LiveJob:
    """A row of `cron.job`. `here` is false where it runs in another database or on another server; `search_path` holds
    the schemas that its role looks into, those that exist; `runs` is None where none was noted."""

    jobid: int
    name: str | None
    schedule: str
    command: str
    database: str
    username: str
    active: bool = True
    here: bool = True
    owner: str | None = None
    search_path: tuple[str, ...] = ()
    runs: Runs | None = None


@dataclass(frozen=True, slots=True)
class LiveFunction:
    """A function of the app whose body speaks of pgmq or pg_net, or that a trigger calls."""

    schema: str
    name: str
    body: str


@dataclass(frozen=True, slots=True)
class LiveTrigger:
    """A trigger on one of the app's tables. `events` holds `insert`, `update`, `delete`, `truncate`; `columns` those of
    an UPDATE OF; `owner` is the orchestra project that made it."""

    schema: str
    table: str
    name: str
    events: tuple[str, ...]
    columns: tuple[str, ...]
    function_schema: str
    function: str
    enabled: bool = True
    owner: str | None = None


@dataclass(frozen=True, slots=True)
class Inventory:
    """Everything that an import looks at. `markers` are the schemas that hold tables which tell other tools, each with
    those of the tables that it holds; `extensions` are the schemas of the installed ones by name; `projects` are those
    that orchestra knows there."""

    server: ServerFacts
    supabase: bool = False
    queues: tuple[LiveQueue, ...] = ()
    jobs: tuple[LiveJob, ...] = ()
    functions: tuple[LiveFunction, ...] = ()
    triggers: tuple[LiveTrigger, ...] = ()
    markers: Mapping[str, frozenset[str]] = field(default_factory=dict)
    extensions: Mapping[str, str] = field(default_factory=dict)
    projects: frozenset[str] = frozenset()
    reads_runs: bool = True
    """Whether pg_cron's notes about runs may be read."""
