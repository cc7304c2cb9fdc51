"""`workload.NAME`: a workload's configuration, one row that the runtime reads at every claim and failure."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import ClassVar

from orchestra.classify.features import has_door, has_edge
from orchestra.ir.category import Category
from orchestra.ir.contract import contract_of
from orchestra.ir.program import Resource
from orchestra.ir.sql import call, canonical_json, literal, value
from orchestra.kinds.kind import Kind, Server, read_sql
from orchestra.kinds.secret import FUNCTION_KEY, FUNCTION_URL, vault_name
from orchestra.kinds.workload.steps import Statement, step_statements, steps_json
from orchestra.platform import EDGE_LINGER_MS
from orchestra.spec.model import Pattern, Spec, SqlHandler
from orchestra.spec.model import Workload as Declared
from orchestra.sql import bind


@dataclass(frozen=True, slots=True)
class Workload(Resource):
    """Fields are the columns of `orchestra.workload`; times in milliseconds. `sql` takes `$1 $2 $3`.

    `protect` lives in the registry, not in the row: None keeps what the database says.
    """

    kind: ClassVar[str] = "workload"
    pattern: str
    handler: str
    sql: str | None = None
    run_role: str | None = None
    search_path: tuple[str, ...] = ()
    queue_name: str | None = None
    batch_size: int = 1
    concurrency: int = 1
    poll_interval_ms: int | None = None
    timeout_ms: int = 0
    visibility_timeout_ms: int = 0
    max_attempts: int = 1
    backoff_initial_ms: int = 0
    backoff_factor: float = 1.0
    backoff_max_ms: int = 0
    backoff_jitter: str = "full"
    delay_ms: int = 0
    retention_completed_ms: int | None = None
    retention_failed_ms: int | None = None
    paused: bool = False
    max_depth: int | None = None
    max_age_ms: int | None = None
    summary: str = ""
    payload_schema: str | None = None
    per_worker: int = 10
    linger_ms: int = EDGE_LINGER_MS
    cpu_ms: int = 5
    contract: str | None = None
    url_secret: str | None = None
    key_secret: str | None = None
    max_items: int | None = None
    rate_limit: int | None = None
    rate_period_ms: int | None = None
    rate_key: str | None = None
    rate_on_excess: str = "queue"
    idempotency_key: str | None = None
    idempotency_ttl_ms: int | None = None
    debounce_ms: int | None = None
    debounce_key: str | None = None
    on_failure: str | None = None
    dead_letter_queue: str | None = None
    steps: str | None = None
    """JSON: the steps of a pipeline, each after those that it depends on."""
    on_delete: str | None = None
    """What becomes of the queue when the workload is taken out of the spec; it lives in the registry."""
    removal: str | None = None
    """`drain` while it is on its way out: it takes nothing new, and goes when its queue is empty."""
    protect: bool | None = None

    def statements(self) -> tuple[Statement, ...]:
        """What runs in SQL: its handler, or the steps that do."""
        if self.steps is not None:
            return tuple(step_statements(self.steps))
        return (Statement(self.sql, self.run_role, self.search_path),) if self.sql is not None else ()


def lower(workload: Declared, pattern: Pattern, spec: Spec) -> Iterator[Workload]:
    handler = workload.handler
    sql = handler if isinstance(handler, SqlHandler) and not workload.steps else None
    edge = has_edge(workload)
    queue = pattern == "queue"
    wakes = edge and queue
    rate, once, last = workload.rate_limit, workload.idempotency_key, workload.debounce
    # A message that has one attempt is handed out alone, so that none dies of another: one at a time in a worker.
    alone = workload.retry.max_attempts == 1
    # A scheduled statement is retried only where its own `retry` says so; a default does not apply to it.
    retried = queue or "retry" in workload.written
    backoff = workload.retry.backoff
    yield Workload(
        workload.name,
        pattern=pattern,
        handler="edge" if edge else "sql",
        sql=bind(sql.sql).text if sql else None,
        run_role=sql.role if sql else None,
        search_path=sql.search_path if sql else (),
        queue_name=workload.queue.name if queue else None,
        batch_size=workload.batch_size if wakes and not alone else 1,
        concurrency=workload.concurrency.limit if queue else 1,
        poll_interval_ms=workload.poll_interval_ms if queue else None,
        timeout_ms=workload.timeout_ms,
        visibility_timeout_ms=workload.visibility_timeout_ms,
        max_attempts=workload.retry.max_attempts if retried else 1,
        backoff_initial_ms=backoff.initial_ms,
        backoff_factor=float(backoff.factor),
        backoff_max_ms=backoff.max_ms,
        backoff_jitter=backoff.jitter,
        delay_ms=workload.delay_ms,
        retention_completed_ms=workload.retention.completed_ms,
        retention_failed_ms=workload.retention.failed_ms,
        paused=workload.paused,
        max_depth=workload.alerts.max_depth,
        max_age_ms=workload.alerts.max_age_ms,
        summary=workload.summary,
        payload_schema=_canonical(workload.payload_schema_json),
        per_worker=1 if wakes and alone else workload.concurrency.per_worker if wakes else 10,
        linger_ms=EDGE_LINGER_MS if workload.linger_ms is None else workload.linger_ms,
        cpu_ms=workload.durations.cpu_ms if wakes else 5,
        contract=contract_of(workload) if edge or has_door(workload) else None,
        url_secret=vault_name(spec, FUNCTION_URL) if wakes else None,
        key_secret=vault_name(spec, FUNCTION_KEY) if wakes else None,
        max_items=workload.fan_out.max if workload.fan_out and queue and has_door(workload) else None,
        rate_limit=rate.limit if rate else None,
        rate_period_ms=rate.period_ms if rate else None,
        rate_key=rate.key if rate else None,
        rate_on_excess=rate.on_excess if rate else "queue",
        idempotency_key=once.key if once else None,
        idempotency_ttl_ms=once.ttl_ms if once else None,
        debounce_ms=last.period_ms if last else None,
        debounce_key=last.key if last else None,
        on_failure=workload.on_failure,
        dead_letter_queue=workload.dead_letter_queue,
        steps=steps_json(workload.steps, workload.timeout_ms if "timeout" in workload.written else None)
        if workload.steps
        else None,
        on_delete=workload.on_delete,
        protect=workload.protect,
    )


@lru_cache(maxsize=256)
def _canonical(text: str | None) -> str | None:
    return None if text is None else canonical_json(json.loads(text))


def ensure(workload: Workload, project: str, server: Server) -> tuple[str, ...]:
    """The row is written from what was just recorded for it."""
    return (call("orchestra.set_workload", literal(project), literal(workload.key)),)


def turn(workload: Workload, project: str) -> str:
    """Undoes what an operator turned by hand: nothing else in an apply touches it."""
    return (
        f"update orchestra.workload set paused = {value(workload.paused)} "
        f"where project = {literal(project)} and name = {literal(workload.key)}"
    )


def remove(workload: Workload, project: str) -> tuple[str, ...]:
    return (
        "delete from orchestra.workload "
        f"where project = {literal(project)} and name = {literal(workload.key)}",
    )


KIND = Kind(
    "workload",
    Workload,
    ensure,
    remove,
    read=read_sql(__name__),
    needs=("orchestra.workload",),
    categories={
        "summary": Category.METADATA,
        "max_depth": Category.METADATA,
        "max_age_ms": Category.METADATA,
        "protect": Category.METADATA,
        "on_delete": Category.METADATA,
        "removal": Category.CONTRACT,
        "poll_interval_ms": Category.RESCHEDULE,
        "payload_schema": Category.CONTRACT,
        "contract": Category.CONTRACT,
        "steps": Category.CONTRACT,
        "handler": Category.CONTRACT,
        "pattern": Category.CONTRACT,
        "queue_name": Category.DATA,
        "retention_completed_ms": Category.DATA,
        "retention_failed_ms": Category.DATA,
    },
    operator=frozenset({"paused"}),
    kept_when_unset=frozenset({"protect"}),
    plural="workloads",
)
