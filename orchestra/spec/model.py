"""The spec as frozen values: what a team declared, with every default filled in.

Units: every duration is an `int` of milliseconds (`…_ms`), every rate a `float` per second. A workload keeps its
`source`, so that a rule can point at the very key it speaks of: `workload.at("duration.max")`.
"""

from __future__ import annotations

from collections.abc import Set
from dataclasses import dataclass, field
from typing import Literal, Protocol

from orchestra.diagnostics import Span

Provider = Literal["supabase", "postgres"]
PlanName = Literal["free", "pro", "team", "enterprise"]
Pattern = Literal["scheduled_sql", "wait_until", "queue"]
OnDelete = Literal["drain", "archive", "drop", "retain"]
QueueKind = Literal["standard", "unlogged"]
TableEvent = Literal["insert", "update", "delete"]
Overlap = Literal["skip", "allow", "buffer_one"]
FailurePolicy = Literal["fail_run", "continue"]


class Source(Protocol):
    """Where a value was written."""

    def at(self, path: str = "", *, key: bool = False) -> Span:
        """The span of the value at a dotted path (`retry.max_attempts`, `trigger.0.schedule`), of its key
        with `key=True`, or of the nearest thing around it that was written."""
        ...


@dataclass(frozen=True, slots=True)
class Durations:
    """How long one item takes. `cpu_ms` is the CPU of one item (default 5 ms)."""

    max_ms: int
    typical_ms: int | None = None
    cpu_ms: int = 5


@dataclass(frozen=True, slots=True)
class FanOut:
    """How many items one request makes; `max` bounds them."""

    max: int
    typical: int | None = None


@dataclass(frozen=True, slots=True)
class Concurrency:
    """`limit` handlers at once over all workers, `per_worker` in one isolate."""

    limit: int = 1
    per_worker: int = 10


@dataclass(frozen=True, slots=True)
class Backoff:
    initial_ms: int = 5_000
    factor: float = 2.0
    max_ms: int = 900_000
    jitter: Literal["full", "none"] = "full"


@dataclass(frozen=True, slots=True)
class Retry:
    """`max_attempts` counts the first try."""

    max_attempts: int = 5
    backoff: Backoff = field(default_factory=Backoff)


@dataclass(frozen=True, slots=True)
class Arrival:
    """What is expected to come in: `rate` per second in the long run, and the largest `burst` at once."""

    rate: float | None = None
    burst: int | None = None


@dataclass(frozen=True, slots=True)
class Alerts:
    max_depth: int | None = None
    max_age_ms: int | None = None


@dataclass(frozen=True, slots=True)
class Retention:
    """How long finished work is kept: `completed_ms` None deletes at once, `failed_ms` None keeps for ever."""

    completed_ms: int | None = None
    failed_ms: int | None = None


@dataclass(frozen=True, slots=True)
class Hmac:
    header: str
    secret: str
    scheme: Literal["github", "stripe", "standard-webhooks", "sha256"]


@dataclass(frozen=True, slots=True)
class HttpTrigger:
    auth: Literal["jwt", "secret", "none"] | Hmac
    path: str = "trigger.http"


@dataclass(frozen=True, slots=True)
class ScheduleTrigger:
    """Exactly one of `cron` (five fields) and `every_ms` is set. `timezone` None means UTC by elapsed time.

    `path` is where in the workload it was written (`trigger.schedule` or `trigger.1.schedule`), for spans.
    """

    cron: str | None = None
    every_ms: int | None = None
    timezone: str | None = None
    overlap: Overlap = "skip"
    catchup_window_ms: int | None = None
    path: str = "trigger.schedule"


@dataclass(frozen=True, slots=True)
class TableTrigger:
    """Fires after a statement that changed rows of `schema.table`, one message a row whose values differ.

    `columns` empty means any column. `payload` `key` sends the primary key only, `new` the row as well.
    """

    schema: str
    table: str
    on: tuple[TableEvent, ...]
    columns: tuple[str, ...] = ()
    payload: Literal["key", "new"] = "key"
    path: str = "trigger.table"


@dataclass(frozen=True, slots=True)
class ManualTrigger:
    path: str = "trigger.manual"


Trigger = HttpTrigger | ScheduleTrigger | TableTrigger | ManualTrigger


@dataclass(frozen=True, slots=True)
class SqlHandler:
    """One SQL statement as written (`:payload` or `$1`), the role it runs as and its search path."""

    sql: str
    role: str | None = None
    search_path: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class EdgeHandler:
    """A Supabase Edge Function (the default where nothing else is said)."""


Handler = SqlHandler | EdgeHandler


@dataclass(frozen=True, slots=True)
class Step:
    """`failure_policy` is what becomes of the run when one of the step's tasks has failed for good."""

    name: str
    durations: Durations
    depends_on: tuple[str, ...] = ()
    map: str | None = None
    handler: Handler = field(default_factory=EdgeHandler)
    failure_policy: FailurePolicy = "fail_run"


@dataclass(frozen=True, slots=True)
class RateLimit:
    limit: int
    period_ms: int
    key: str | None = None
    on_excess: Literal["queue", "drop"] = "queue"


@dataclass(frozen=True, slots=True)
class IdempotencyKey:
    key: str
    ttl_ms: int


@dataclass(frozen=True, slots=True)
class Debounce:
    period_ms: int
    key: str | None = None


@dataclass(frozen=True, slots=True)
class QueueOptions:
    """`name` is the queue's name in pgmq (the workload's with `-` as `_` where not given)."""

    name: str
    kind: QueueKind = "standard"


@dataclass(frozen=True, slots=True)
class Access:
    """Database roles that may enqueue by RPC, and that may read how far the runs are that they asked for."""

    enqueue: tuple[str, ...] = ()
    progress: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Workload:
    """One workload, defaults filled in. `written` holds the dotted keys that stood in the file for this very
    workload (not those that `defaults` gave), so that a rule can tell a choice from a default."""

    name: str
    durations: Durations
    source: Source = field(compare=False, repr=False)
    written: Set[str] = field(default=frozenset(), compare=False)
    summary: str = ""
    triggers: tuple[Trigger, ...] = ()
    handler: Handler = field(default_factory=EdgeHandler)
    fan_out: FanOut | None = None
    batch_size: int = 10
    concurrency: Concurrency = field(default_factory=Concurrency)
    poll_interval_ms: int = 5_000
    payload_schema: str | None = None
    payload_schema_json: str | None = None
    """The included payload schema as canonical JSON text (sorted keys), read by the loader."""
    arrival: Arrival = field(default_factory=Arrival)
    alerts: Alerts = field(default_factory=Alerts)
    timeout_ms: int = 0
    """The handler's timeout; `duration.max` where not written."""
    visibility_timeout_ms: int = 0
    """The lease; timeout + 30 s where not written."""
    retry: Retry = field(default_factory=Retry)
    dead_letter_queue: str | None = None
    rate_limit: RateLimit | None = None
    idempotency_key: IdempotencyKey | None = None
    debounce: Debounce | None = None
    delay_ms: int = 0
    retention: Retention = field(default_factory=Retention)
    on_failure: str | None = None
    paused: bool = False
    protect: bool | None = None
    on_delete: OnDelete | None = None
    """What becomes of its queue when it is removed; None leaves it to whoever applies the removal."""
    pattern: Pattern | None = None
    """An override of the classification; None lets the classifier choose."""
    linger_ms: int | None = None
    access: Access = field(default_factory=Access)
    steps: tuple[Step, ...] = ()
    queue: QueueOptions = field(default_factory=lambda: QueueOptions(""))
    moved: str | None = None
    """The former name of this workload."""

    def at(self, path: str = "", *, key: bool = False) -> Span:
        return self.source.at(path, key=key)


@dataclass(frozen=True, slots=True)
class Platform:
    provider: Provider = "supabase"
    plan: PlanName = "free"


@dataclass(frozen=True, slots=True)
class Environment:
    """`database_env` names the environment variable that holds the URL: a URL is never part of a spec. With
    `approvals_required` no flag approves a hazard there, only a committed file.

    `databases_env` names one that holds many: then this is a fleet, each of its databases an environment of the name
    `NAME-…`. `project_ref` is the Supabase project that it has to be.
    """

    name: str
    database_env: str | None = None
    protect: bool | None = None
    paused: bool = False
    approvals_required: bool = False
    databases_env: str | None = None
    project_ref: str | None = None


@dataclass(frozen=True, slots=True)
class Requirement:
    """One `requires` entry: exactly one of `sql`, `relation`, `extension` and `project` is set. `version` goes with an
    extension, at most one of `workload` and `queue` with a project."""

    name: str
    source: Source = field(compare=False, repr=False)
    sql: str | None = None
    relation: str | None = None
    extension: str | None = None
    version: str | None = None
    project: str | None = None
    workload: str | None = None
    queue: str | None = None


@dataclass(frozen=True, slots=True)
class Composition:
    """`after` and `before` name checks and projects; `priority` is how early it comes among those of its `stage`."""

    stage: str = ""
    priority: str = ""
    after: tuple[str, ...] = ()
    before: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Secret:
    """A secret by its name in Vault; the value is never ours to know."""

    name: str
    vault: str


@dataclass(frozen=True, slots=True)
class Ignore:
    """`# orchestra: ignore[CODE, …] reason` on a line of a file; it silences findings that start on that line."""

    file: str
    line: int
    column: int
    codes: tuple[str, ...]
    reason: str


@dataclass(frozen=True, slots=True)
class Spec:
    """A whole project, its workloads in order of name whatever the order in the files."""

    project: str
    source: Source = field(compare=False, repr=False)
    workloads: tuple[Workload, ...] = ()
    platform: Platform = field(default_factory=Platform)
    environments: tuple[Environment, ...] = ()
    requires: tuple[Requirement, ...] = ()
    composition: Composition = field(default_factory=Composition)
    secrets: tuple[Secret, ...] = ()
    ignores: tuple[Ignore, ...] = field(default=(), compare=False)
    moved: str | None = None
    """The former name of this project."""
    broken: tuple[str, ...] = field(default=(), compare=False)
    """Names of workloads that were declared but left out because of findings about their form."""

    def at(self, path: str = "", *, key: bool = False) -> Span:
        return self.source.at(path, key=key)
