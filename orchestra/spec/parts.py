"""The small values of a workload, from data that keeps to the schema."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, cast

from orchestra.spec.durations import Milliseconds
from orchestra.spec.model import (
    Backoff,
    Concurrency,
    Durations,
    EdgeHandler,
    Handler,
    Hmac,
    HttpTrigger,
    ManualTrigger,
    Retention,
    Retry,
    ScheduleTrigger,
    SqlHandler,
    Step,
    TableTrigger,
    Trigger,
)

Map = Mapping[str, Any]
EDGE = EdgeHandler()


def durations_of(data: Map, ms: Milliseconds) -> Durations:
    typical, cpu = data.get("typical"), data.get("cpu")
    return Durations(ms[data["max"]], ms[typical] if typical else None, ms[cpu] if cpu else 5)


def longest(steps: tuple[Step, ...]) -> Durations:
    """The durations of a pipeline that declares none: those of its longest step, for which the lease and the
    timeout must hold."""
    typical = [s.durations.typical_ms for s in steps if s.durations.typical_ms is not None]
    return Durations(
        max_ms=max(s.durations.max_ms for s in steps),
        typical_ms=max(typical) if len(typical) == len(steps) else None,
        cpu_ms=max(s.durations.cpu_ms for s in steps),
    )


def retry_of(data: Map, base: Retry, ms: Milliseconds) -> Retry:
    """`data` over `base`, key by key."""
    given: Map = data.get("backoff", {})
    old = base.backoff
    backoff = Backoff(
        initial_ms=ms[given["initial"]] if "initial" in given else old.initial_ms,
        factor=float(given.get("factor", old.factor)),
        max_ms=ms[given["max"]] if "max" in given else old.max_ms,
        jitter=given.get("jitter", old.jitter),
    )
    return Retry(int(data.get("max_attempts", base.max_attempts)), backoff)


def concurrency_of(data: Map, base: Concurrency) -> Concurrency:
    return Concurrency(int(data.get("limit", base.limit)), int(data.get("per_worker", base.per_worker)))


def retention_of(data: Map, base: Retention, ms: Milliseconds) -> Retention:
    return Retention(
        ms[data["completed"]] if "completed" in data else base.completed_ms,
        ms[data["failed"]] if "failed" in data else base.failed_ms,
    )


def handler_of(data: Map | None, defaults: Map) -> Handler:
    """`data` is a `run` block or None, `defaults` the one under `defaults`."""
    if data is None:
        return EDGE
    path = data["search_path"] if "search_path" in data else defaults.get("search_path", ())
    return SqlHandler(data["sql"], data.get("role", defaults.get("role")), tuple(path))


def step_of(name: str, data: Map, defaults: Map, ms: Milliseconds) -> Step:
    return Step(
        name=name,
        durations=durations_of(data["duration"], ms),
        depends_on=tuple(data.get("depends_on", ())),
        map=data.get("map"),
        handler=handler_of(data.get("run"), defaults),
        failure_policy=data.get("failure_policy", "fail_run"),
    )


def triggers_of(data: Any, ms: Milliseconds) -> tuple[Trigger, ...]:
    if isinstance(data, list):
        return tuple(_trigger(one, f"trigger.{index}", ms) for index, one in enumerate(data))
    return (_trigger(data, "trigger", ms),)


def _trigger(data: Any, path: str, ms: Milliseconds) -> Trigger:
    if isinstance(data, str):
        return ManualTrigger(path)
    ((kind, value),) = data.items()
    path = f"{path}.{kind}"
    if kind == "http":
        auth = value["auth"]
        return HttpTrigger(Hmac(**auth["hmac"]) if isinstance(auth, dict) else auth, path)
    if kind == "schedule":
        every, window = value.get("every"), value.get("catchup_window")
        return ScheduleTrigger(
            cron=value.get("cron"),
            every_ms=ms[every] if every else None,
            timezone=value.get("timezone"),
            overlap=value.get("overlap", "skip"),
            catchup_window_ms=ms[window] if window else None,
            path=path,
        )
    if kind == "table":
        name = value["name"]
        schema, table = name.split(".") if isinstance(name, str) else cast("list[str]", name)
        return TableTrigger(
            schema=schema,
            table=table,
            on=tuple(value["on"]),
            columns=tuple(value.get("columns", ())),
            payload=value.get("payload", "key"),
            path=path,
        )
    return ManualTrigger(path)
