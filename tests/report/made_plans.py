"""Plans made by hand, for the renderings."""

from __future__ import annotations

from orchestra.ir.program import Address
from orchestra.plan.model import (
    Action,
    Blocker,
    Category,
    Change,
    Condition,
    Fact,
    FieldChange,
    Hazard,
    Plan,
    Target,
)

TARGET = Target(
    "db.example.com", "postgres", "postgres", "17.6", "production", "--env production, from PROD_DATABASE_URL"
)

CREATE_QUEUE = Change(
    Address("queue", "bulk-import"),
    Action.CREATE,
    Category.BEHAVIOUR,
    ("new in the spec",),
    fields=(FieldChange("name", None, "bulk_import"), FieldChange("type", None, "standard")),
    statements=("select pgmq.create('bulk_import');",),
)

CREATE_WORKLOAD = Change(
    Address("workload", "bulk-import"),
    Action.CREATE,
    Category.BEHAVIOUR,
    ("new in the spec",),
    fields=(
        FieldChange("batch_size", None, 50),
        FieldChange("concurrency_limit", None, 4),
        FieldChange("payload_schema", None, '{"required": ["sku"], "type": "object"}'),
        FieldChange(
            "sql",
            None,
            "insert into app.products (sku, body)\nvalues ($1->>'sku', $1)\non conflict (sku) do nothing",
        ),
    ),
)

RESCHEDULE = Change(
    Address("cron_job", "nightly-report"),
    Action.UPDATE,
    Category.RESCHEDULE,
    ("the spec changed schedule, command",),
    fields=(
        FieldChange("schedule", "0 3 * * *", "0 4 * * *"),
        FieldChange("database", "postgres", None),
        FieldChange(
            "command",
            "select a\nfrom app.one\nwhere b\n  and c\n  and d\n  and e\n  and f\nlimit 1",
            "select a\nfrom app.two\nwhere b\n  and c\n  and d\n  and e\n  and f\nlimit 2",
        ),
        FieldChange("roles", ["anon"], ["anon", "authenticated"]),
    ),
    facts=(
        Fact("last run", "succeeded 7 h ago, took 3.2 s"),
        Fact("next", "2026-11-24 03:00 UTC -> 2026-11-24 04:00 UTC"),
    ),
)

DRIFT = Change(
    Address("workload", "embed-document"),
    Action.UPDATE,
    Category.BEHAVIOUR,
    ("changed outside orchestra since the last apply: concurrency_limit",),
    fields=(FieldChange("concurrency_limit", 1, 8),),
    drift=True,
)

DROP = Change(
    Address("queue", "old-import"),
    Action.DELETE,
    Category.DATA,
    ("no longer in the spec",),
    fields=(FieldChange("name", "old_import", None),),
    hazards=(
        Hazard(
            "delete",
            "queue.old-import is removed from the database",
            needs_approval=True,
            approved=True,
            approval="--allow delete:queue.old-import",
        ),
        Hazard(
            "messages",
            "dropping queue old_import loses 1,204 waiting and 0 archived messages for ever; pause the workload and "
            "let it drain, or copy them first",
            needs_approval=True,
            approval="--allow messages:queue.old-import=1204",
        ),
    ),
    facts=(Fact("messages", "1,204 waiting, oldest 3 h, 2 in flight"),),
    statements=("select pgmq.drop_queue('old_import')",),
)

ADOPT = Change(Address("queue", "emails"), Action.ADOPT, Category.CONTRACT, ("adopted as you said",))

REPLACE = Change(
    Address("queue", "thumbnails"),
    Action.REPLACE,
    Category.DATA,
    ("its name changes from thumbs to thumbnails",),
    fields=(FieldChange("name", "thumbs", "thumbnails"),),
)

FORGET = Change(
    Address("cron_job", "gone"),
    Action.FORGET,
    Category.METADATA,
    ("no longer in the spec, and already gone from the database",),
)

CONDITIONS = (
    Condition(
        "missing_secret",
        Address("secret", "function_key"),
        "Vault has no secret named orchestra_function_key",
        "select vault.create_secret('…', 'orchestra_function_key')",
    ),
    Condition(
        "paused_by_hand",
        Address("cron_job", "purge"),
        "the job orchestra:shop:purge was made inactive by hand; it stays so",
    ),
)

BLOCKERS = (
    Blocker(
        "messages",
        Address("queue", "old-import"),
        "dropping queue old_import loses 1,204 waiting and 0 archived messages for ever",
        "drain it first, or approve with: --allow messages:queue.old-import=1204",
    ),
)

FULL = Plan(
    "shop",
    TARGET,
    "0.1.0",
    changes=(DROP, FORGET, CREATE_QUEUE, CREATE_WORKLOAD, RESCHEDULE, DRIFT, ADOPT, REPLACE),
    conditions=CONDITIONS,
    blockers=BLOCKERS,
    batches=(8,),
    desired=(
        (Address("queue", "old-import"), None),
        (Address("queue", "bulk-import"), {"name": "bulk_import", "type": "standard"}),
    ),
    unchanged=12,
    round_trips=9,
)

EMPTY = Plan("shop", TARGET, "0.1.0", unchanged=23)


def large(number: int = 5_000) -> Plan:
    """As many new queues, each with a workload of its own, in batches of 1,000 changes."""
    changes: list[Change] = []
    for i in range(number):
        name = f"import-{i:05}"
        queue = (FieldChange("name", None, name.replace("-", "_")), FieldChange("type", None, "standard"))
        changes.append(
            Change(Address("queue", name), Action.CREATE, Category.BEHAVIOUR, ("new in the spec",), queue)
        )
        row = (FieldChange("batch_size", None, 10 + i % 3),)
        changes.append(
            Change(Address("workload", name), Action.CREATE, Category.BEHAVIOUR, ("new in the spec",), row)
        )
    changes.append(DROP)
    whole, rest = divmod(len(changes), 1000)
    batches = (1000,) * whole + ((rest,) if rest else ())
    return Plan("shop", TARGET, "0.1.0", tuple(changes), batches=batches)
