"""Plans made by hand, for the renderings."""

from __future__ import annotations

from orchestra.ir.program import Address
from orchestra.plan.load import Load, LoadChange, LoadReport, Totals
from orchestra.plan.model import (
    Action,
    Blocker,
    Category,
    Change,
    Condition,
    Difference,
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

LOADS = LoadReport(
    (
        LoadChange(
            "bulk-import",
            Load("queue", 8.47, 5.0, 14_400.0, 5_928.0, 71_280.0),
            Load("queue", 14.7, 5.0, 5_154.0, 3_426.0, 71_280.0),
        ),
        LoadChange("embed", None, Load("queue", 1.08)),
        LoadChange("old-import", Load("queue", 0.19, 0.5, None, 10.1, None), None),
    ),
    Totals(3, 2, 3, 1_900_000.0, 2_000_000.0, 0.0),
    Totals(3, 3, 2, 3_400_000.0, 2_000_000.0, 4.0),
)
LOADS_OF_MANY = LoadReport(
    tuple(LoadChange(f"job-{n}", None, Load("queue", 1.0)) for n in range(50)),
    Totals(0, 0, 0, 0.0, None, None),
    Totals(50, 0, 50, 0.0, None, None),
)

DIFFERENCE = Difference(
    "shop",
    "origin/main (1f3a9c2)",
    (DROP, CREATE_QUEUE, RESCHEDULE),
    CONDITIONS[:1],
    (
        Blocker(
            "protected",
            Address("queue", "old-import"),
            "workload old-import is protected in the database",
            "apply a spec with protect: false on the workload first",
        ),
    ),
    LOADS,
    "3f9c2a7be01d-44c8a2f0e6b1",
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


HOSTILE = "`</code>` | **b** @octo/team <script>alert(1)</script> [x](https://evil.example) #1 --> ```\n# h\n::error::x"
"""What a name, a comment or an error message of a database may hold."""

LONG_SQL = (
    "create or replace function app.rollup() returns void language sql as $body$\n"
    + "".join(
        f"  insert into app.rollup (day, n) select '2026-11-{day:02}', count(*) from app.event; -- ``` {day}\n"
        for day in range(1, 29)
    )
    + "$body$"
)

TWENTY = Plan(
    "shop",
    TARGET,
    "0.1.0",
    changes=(
        *FULL.changes,
        Change(
            Address("workload", "price-update"),
            Action.UPDATE,
            Category.CONTRACT,
            ("the spec renamed it", "the spec changed payload_schema"),
            fields=(
                FieldChange(
                    "payload_schema",
                    '{"required": ["sku"]}',
                    '{"required": ["sku", "price"], "type": "object"}',
                ),
            ),
            hazards=(Hazard("contract", "312 messages wait that were sent for the handler as it was"),),
            facts=(Fact("messages", "312 waiting, oldest 45 s, 8 in flight", {"waiting": 312}),),
            statements=("select orchestra.rename('shop', 'reprice', 'price-update')", "select 1"),
            moved_from=Address("workload", "reprice"),
        ),
        Change(
            Address("queue", "price-update"),
            Action.UPDATE,
            Category.METADATA,
            ("the spec renamed it; its messages stay",),
            moved_from=Address("queue", "reprice"),
        ),
        Change(
            Address("workload", "resize-image"),
            Action.UPDATE,
            Category.BEHAVIOUR,
            ("the spec changed max_attempts",),
            fields=(FieldChange("max_attempts", 10, 3),),
            hazards=(
                Hazard(
                    "fewer_attempts",
                    "17 messages have had 3 attempts or more and go to the dead letters next",
                    needs_approval=True,
                    approval="--allow fewer_attempts:workload.resize-image=17",
                ),
            ),
            facts=(Fact("messages", "40 waiting, oldest 12 min, 3 in flight"),),
        ),
        Change(
            Address("workload", "ledger"),
            Action.UPDATE,
            Category.METADATA,
            ("the spec changed protect, summary",),
            fields=(FieldChange("protect", True, False), FieldChange("summary", "Book", "Book a payment")),
            hazards=(Hazard("unprotect", "protection is lifted; a later plan may then remove the workload"),),
        ),
        Change(
            Address("table_trigger", "send-receipt"),
            Action.CREATE,
            Category.BEHAVIOUR,
            ("new in the spec",),
            fields=(FieldChange("on", None, ["insert", "update"]), FieldChange("columns", None, [])),
            hazards=(
                Hazard(
                    "table_lock",
                    'takes a lock on shop."order" that waits for its writers and holds new ones up until commit',
                ),
            ),
            statements=('create or replace trigger "x"\nafter insert on shop."order"', "select 2"),
        ),
        Change(
            Address("cron_job", "purge-sessions"),
            Action.DELETE,
            Category.CONTRACT,
            ("no longer in the spec",),
            fields=(FieldChange("schedule", "*/15 * * * *", None),),
            hazards=(
                Hazard(
                    "delete",
                    "cron_job.purge-sessions is removed from the database",
                    needs_approval=True,
                    approved=True,
                    approval="--allow-destroy",
                ),
            ),
            facts=(
                Fact("last run", "failed at 2026-11-23 03:00:00 UTC: relation does not exist", "failed"),
                Fact("next", "2026-11-24 03:15:00 UTC -> never"),
            ),
        ),
        Change(
            Address("grant", "bulk-import"),
            Action.REPLACE,
            Category.CONTRACT,
            ("the spec changed function, roles",),
            fields=(
                FieldChange("function", "enqueue_import", "enqueue_bulk_import"),
                FieldChange("roles", ["anon"], ["authenticated"]),
            ),
        ),
        Change(
            Address("cron_job", "rollup"),
            Action.UPDATE,
            Category.BEHAVIOUR,
            ("the spec changed command",),
            fields=(FieldChange("command", None, LONG_SQL),),
            statements=(LONG_SQL, "select cron.schedule('orchestra:shop:rollup', '0 1 * * *', 'call x')"),
            drift=True,
        ),
        Change(
            Address("workload", "Größe-寸法"),
            Action.ADOPT,
            Category.CONTRACT,
            (HOSTILE,),
            fields=(
                FieldChange(HOSTILE, HOSTILE, "a|b\\|c"),
                FieldChange("summary", None, HOSTILE.replace("\n", " ")),
                FieldChange("bidi", "a\u202eb", "a\x1b[2Jb"),
            ),
            hazards=(Hazard("unlogged", HOSTILE),),
            facts=(Fact(HOSTILE, HOSTILE, HOSTILE),),
            statements=(HOSTILE,),
        ),
        Change(Address("queue", "audit"), Action.CREATE, Category.METADATA, ("new in the spec",)),
        Change(
            Address("runtime", "orchestra"),
            Action.UPDATE,
            Category.METADATA,
            ("from version 3 to version 4",),
            fields=(FieldChange("version", 3, 4),),
        ),
        Change(
            Address("extension", "pgmq"),
            Action.CREATE,
            Category.BEHAVIOUR,
            ("queues need it",),
            statements=("create extension pgmq",),
        ),
    ),
    conditions=(
        *CONDITIONS,
        Condition("not_deployed", Address("edge_function", "embed-document"), HOSTILE, HOSTILE),
    ),
    blockers=(
        *BLOCKERS,
        Blocker(
            "unowned",
            Address("queue", "emails"),
            "emails exists and was not made by orchestra",
            "take it over with --adopt queue.emails, or choose another name",
        ),
        Blocker(
            "fewer_attempts",
            Address("workload", "resize-image"),
            "17 messages have had 3 attempts or more and go to the dead letters next",
            "approve it with --allow fewer_attempts:workload.resize-image=17",
        ),
        Blocker("sql", Address("workload", "Größe-寸法"), HOSTILE, HOSTILE, exit_code=1),
    ),
    batches=(12, 8),
    unchanged=7,
)
"""Every action and category, hazards of every sort, blockers, conditions, drift, moves, long SQL and hostile text."""

LOADS = LoadReport(
    (
        LoadChange(
            "bulk-import",
            None,
            Load("queue", 47.6, 5.0, 1130.0, 1200.0, 264_000.0),
        ),
        LoadChange("embed-document", Load("queue", 4.1), Load("queue", 33.0)),
        LoadChange(
            "resize-image",
            Load("queue", 12.0, 9.0, None, 95.0, 78_000.0),
            Load("queue", 3.0, 9.0, None, None, 78_000.0),
        ),
        LoadChange("purge-sessions", Load("scheduled_sql"), None),
    ),
    Totals(12, 6, 14, 1_600_000.0, 2_000_000.0, 0.0),
    Totals(13, 7, 15, 2_450_000.0, 2_000_000.0, 0.9),
)


def busy(number: int = 5_000) -> Plan:
    """As many changes that are all different, dangerous and long: nothing in them can be summed up."""
    actions, categories = list(Action), list(Category)
    changes = []
    for i in range(number):
        address = Address("workload" if i % 2 else "queue", f"job-{i:05}")
        hazard = Hazard(
            "messages",
            f"dropping queue job_{i} loses {i:,} waiting messages for ever",
            needs_approval=True,
            approved=i % 3 == 0,
            approval=f"--allow messages:{address}={i}",
        )
        changes.append(
            Change(
                address,
                actions[i % 6],
                categories[i % 5],
                (f"the spec changed sql of {i}",),
                fields=(
                    FieldChange("concurrency", i, i + 1),
                    FieldChange(
                        "sql", f"select {i}\nfrom a\nwhere b | c", f"select {i}\nfrom b\nwhere b | d"
                    ),
                ),
                hazards=(hazard,),
                facts=(Fact("messages", f"{i:,} waiting, oldest 3 h, 2 in flight"),),
                statements=(f"select pgmq.drop_queue('job_{i}')", f"update app.x set y = {i}\n" * 12),
                drift=i % 7 == 0,
                moved_from=Address(address.kind, f"old-{i}") if i % 5 == 0 else None,
            )
        )
    blockers = tuple(
        Blocker("messages", c.address, h.message, f"approve it with {h.approval}")
        for c in changes
        for h in c.hazards
        if not h.approved
    )
    conditions = tuple(
        Condition(
            "not_deployed", Address("edge_function", f"f-{i}"), f"function {i} is not deployed", "deploy it"
        )
        for i in range(number // 5)
    )
    return Plan("shop", TARGET, "0.1.0", tuple(changes), conditions, blockers, batches=(number,))
