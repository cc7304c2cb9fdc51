"""One workload's data -> `Workload`, with the defaults filled in."""

from __future__ import annotations

from typing import Final

from orchestra.spec.durations import Milliseconds, per_second
from orchestra.spec.model import (
    Access,
    Alerts,
    Arrival,
    Concurrency,
    Debounce,
    FanOut,
    IdempotencyKey,
    QueueOptions,
    RateLimit,
    Retention,
    Retry,
    Source,
    Workload,
)
from orchestra.spec.parts import (
    Map,
    concurrency_of,
    durations_of,
    handler_of,
    longest,
    retention_of,
    retry_of,
    step_of,
    triggers_of,
)
from orchestra.spec.written import Written

LEASE_MARGIN_MS: Final = 30_000
"""What the lease has over the timeout where it is not written: the time to abort and to say so."""
POLL_INTERVAL_MS: Final = 5_000
BATCH_SIZE: Final = 10
TTL: Final = "1d"

_NO_ACCESS: Final = Access()
_NO_ALERTS: Final = Alerts()
_NO_ARRIVAL: Final = Arrival()
_EMPTY: Final[Map] = {}


class Builder:
    """Builds workloads over one set of defaults (a `defaults` block, empty where there is none)."""

    def __init__(self, defaults: Map) -> None:
        ms = self.ms = Milliseconds()
        self.retry = retry_of(defaults.get("retry", {}), Retry(), ms)
        self.concurrency = concurrency_of(defaults.get("concurrency", {}), Concurrency())
        self.retention = retention_of(defaults.get("retention", {}), Retention(), ms)
        self.run: Map = defaults.get("run", {})
        self.timeout = ms[defaults["timeout"]] if "timeout" in defaults else None
        self.lease = ms[defaults["visibility_timeout"]] if "visibility_timeout" in defaults else None
        self.poll = ms[defaults["poll_interval"]] if "poll_interval" in defaults else POLL_INTERVAL_MS
        self.batch = int(defaults.get("batch_size", BATCH_SIZE))
        self.linger = ms[defaults["linger"]] if "linger" in defaults else None

    def build(self, name: str, data: Map, source: Source, payload_schema_json: str | None = None) -> Workload:
        """`data` keeps to the schema; `payload_schema_json` is the included schema, if it could be read."""
        ms, get = self.ms, data.get
        steps = get("steps")
        made = tuple(step_of(n, s, self.run, ms) for n, s in steps.items()) if steps else ()
        durations = durations_of(data["duration"], ms) if "duration" in data else longest(made)
        timeout = ms[data["timeout"]] if "timeout" in data else self.timeout or durations.max_ms
        lease = get("visibility_timeout")
        queue = get("queue", _EMPTY)
        return Workload(
            name=name,
            durations=durations,
            source=source,
            written=Written(data),
            summary=get("summary", ""),
            triggers=triggers_of(data["trigger"], ms),
            handler=handler_of(get("run"), self.run),
            fan_out=_fan_out(data["fan_out"]) if "fan_out" in data else None,
            batch_size=int(get("batch_size", self.batch)),
            concurrency=concurrency_of(data["concurrency"], self.concurrency)
            if "concurrency" in data
            else self.concurrency,
            poll_interval_ms=ms[data["poll_interval"]] if "poll_interval" in data else self.poll,
            payload_schema=get("payload_schema"),
            payload_schema_json=payload_schema_json,
            arrival=_arrival(data["arrival"]) if "arrival" in data else _NO_ARRIVAL,
            alerts=_alerts(data["alerts"], ms) if "alerts" in data else _NO_ALERTS,
            timeout_ms=timeout,
            visibility_timeout_ms=ms[lease] if lease else self.lease or timeout + LEASE_MARGIN_MS,
            retry=retry_of(data["retry"], self.retry, ms) if "retry" in data else self.retry,
            dead_letter_queue=get("dead_letter_queue"),
            rate_limit=_rate_limit(data["rate_limit"], ms) if "rate_limit" in data else None,
            idempotency_key=_idempotency(data["idempotency_key"], ms) if "idempotency_key" in data else None,
            debounce=_debounce(data["debounce"], ms) if "debounce" in data else None,
            delay_ms=ms[data["delay"]] if "delay" in data else 0,
            retention=retention_of(data["retention"], self.retention, ms)
            if "retention" in data
            else self.retention,
            on_failure=get("on_failure"),
            paused=get("paused", False),
            protect=get("protect"),
            on_delete=get("on_delete"),
            pattern=get("pattern"),
            linger_ms=ms[data["linger"]] if "linger" in data else self.linger,
            access=_access(data["access"]) if "access" in data else _NO_ACCESS,
            steps=made,
            queue=QueueOptions(queue.get("name") or name.replace("-", "_"), queue.get("kind", "standard")),
            moved=data["moved"]["from"] if "moved" in data else None,
        )


def _access(data: Map) -> Access:
    return Access(tuple(data.get("enqueue", ())), tuple(data.get("progress", ())))


def _fan_out(data: Map) -> FanOut:
    typical = data.get("typical")
    return FanOut(int(data["max"]), None if typical is None else int(typical))


def _arrival(data: Map) -> Arrival:
    rate, burst = data.get("rate"), data.get("burst")
    return Arrival(per_second(rate) if rate else None, None if burst is None else int(burst))


def _alerts(data: Map, ms: Milliseconds) -> Alerts:
    depth, age = data.get("max_depth"), data.get("max_age")
    return Alerts(None if depth is None else int(depth), ms[age] if age else None)


def _rate_limit(data: Map, ms: Milliseconds) -> RateLimit:
    return RateLimit(int(data["limit"]), ms[data["period"]], data.get("key"), data.get("on_excess", "queue"))


def _idempotency(data: Map, ms: Milliseconds) -> IdempotencyKey:
    return IdempotencyKey(data["key"], ms[data.get("ttl", TTL)])


def _debounce(data: Map, ms: Milliseconds) -> Debounce:
    return Debounce(ms[data["period"]], data.get("key"))
