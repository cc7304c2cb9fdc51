"""Keys that a reader of the field's literature may expect, and why this version refuses them."""

from __future__ import annotations

from typing import Final

# (the object that the key stands in, the key) -> why it is refused, what to do instead.
# Objects are named as in the schema: "" is the top level, "workload" a workload.
REFUSED: Final[dict[tuple[str, str], tuple[str, str]]] = {
    ("workload", "priority"): (
        "pgmq reads a queue in one order only, so a priority would be accepted and ignored.",
        "Give urgent work a workload of its own, with its own concurrency.",
    ),
    ("workload", "ordering_key"): (
        "Order within a group needs pgmq 1.9 or later, which hosted projects do not have.",
        "Use `concurrency: {limit: 1}` where all items must keep their order.",
    ),
    ("workload", "batch_window"): (
        "Workers claim what is there at once; a window would only add latency.",
        "Use `batch_size`, and `delay` or `debounce` to let items gather.",
    ),
    ("workload", "heartbeat"): (
        "Leases are renewed by the worker itself while a handler runs.",
        "Remove the key; `timeout` bounds the handler.",
    ),
    ("workload", "scheduled_at"): (
        "A spec declares standing work, not single runs.",
        "Pass a delay when enqueueing, or use `delay`.",
    ),
    ("workload", "cancel"): (
        "Cancelling is a verb, not a property of a workload.",
        "Remove the key.",
    ),
    ("workload", "join"): (
        "A step that depends on mapped steps is their join already.",
        "Use `steps` with `depends_on` and `map`.",
    ),
    ("workload", "payload"): (
        "Payloads are described by a JSON Schema.",
        "Use `payload_schema: ./payloads/NAME.json`.",
    ),
    ("workload", "enabled"): (
        "A switch with two names is read wrongly in an incident.",
        "Use `paused: true`.",
    ),
    ("step", "join"): (
        "A step that depends on a mapped step is its join already.",
        "Remove the key and keep `depends_on`.",
    ),
    ("step", "retry"): (
        "The steps of a pipeline share the retries of their workload.",
        "Write `retry` on the workload.",
    ),
    ("step", "timeout"): (
        "The steps of a pipeline share the timeout of their workload.",
        "Write `timeout` on the workload.",
    ),
    ("concurrency", "key"): (
        "Limits for each key need groups inside a queue, which pgmq has from 1.9 on only.",
        "Use `rate_limit` with a `key`, or split the workload.",
    ),
    ("run", "file"): (
        "SQL is read from the spec alone, so that a review shows what will run.",
        "Put the statement into a function and write `run: {sql: select app.my_function(:payload)}`.",
    ),
    ("database", "url"): (
        "A connection string holds a password, and a spec is kept in a repository.",
        "Write `database: {env: NAME}` and set that variable.",
    ),
    ("secret", "env"): (
        "Secrets are read inside the database, where no environment is.",
        "Store the value in Vault and write `{vault: NAME}`.",
    ),
    ("secret", "value"): (
        "A spec is kept in a repository; a secret in it is no secret.",
        "Store the value in Vault and write `{vault: NAME}`.",
    ),
}

# (object, key, value) -> the same, for single values.
REFUSED_VALUES: Final[dict[tuple[str, str, str], tuple[str, str]]] = {
    ("queue", "kind", "partitioned"): (
        "pgmq drops old partitions together with the messages in them that were never delivered.",
        "Use `standard`; set `retention` to keep the archive small.",
    ),
}
