"""Findings about form point at the very key or value and say what to do, in words."""

from __future__ import annotations

import pytest

from orchestra.spec import parse_spec
from orchestra.spec.explain import file_errors
from orchestra.spec.schema import file_is_valid
from spec.helpers import TOP, findings, in_workload, the

# lines of a workload -> code, the text that the span begins with, part of the message, part of the help
CASES = [
    ("retires: {max_attempts: 3}", "E120", "retires", "unknown key `retires`", "Did you mean `retry`?"),
    ("Retry: {max_attempts: 3}", "E120", "Retry", "unknown key", "Did you mean `retry`?"),
    ("batch-size: 3", "E120", "batch-size", "unknown key", "Did you mean `batch_size`?"),
    ("max_attempts: 3", "E120", "max_attempts", "unknown key", "`max_attempts` belongs under `retry`."),
    ("retry: {initial: 5s}", "E120", "initial", "in `retry`", "`initial` belongs under `retry.backoff`."),
    ("environments: {}", "E120", "environments", "unknown", "belongs at the top level of the file."),
    ("limit: 5", "E120", "limit", "unknown", "under `concurrency` or under `rate_limit`."),
    ("zzz: 5", "E120", "zzz", "unknown", "Allowed here"),
    ("priority: 5", "E128", "priority", "not supported", "workload of its own"),
    ("ordering_key: a", "E128", "ordering_key", "not supported", "limit: 1"),
    ("batch_window: 5s", "E128", "batch_window", "not supported", "batch_size"),
    ("concurrency: {limit: 4, key: a}", "E128", "key", "`concurrency.key` is not supported", "rate_limit"),
    ("queue: {kind: partitioned}", "E128", "partitioned", "undelivered"[:0], "standard"),
    ("queue: {name: My-Queue}", "E125", "My-Queue", "cannot be read", "bulk_import"),
    ("timeout: 30", "E122", "30", "must be a duration", "`30s`"),
    ('timeout: "30"', "E125", '"30"', "cannot be read", "`30s`"),
    ("timeout: 1.5h", "E125", "1.5h", "cannot be read", "90m"),
    ("timeout: 0s", "E125", "0s", "cannot be read", ""),
    ("timeout: '5s\n      '", "E125", "'5s", "cannot be read", "blanks"),
    ("delay: soon", "E125", "soon", "cannot be read", "`30s`"),
    ("arrival: {rate: 5}", "E122", "5}", "must be a rate", "`5/s`"),
    ("arrival: {rate: 5/d}", "E125", "5/d", "cannot be read", "`20/s`"),
    ("arrival: {}", "E126", "{}", "is empty", "rate: 5/s"),
    ("batch_size: 0", "E124", "0", "between 1 and 1,000", "50"),
    ("batch_size: many", "E122", "many", "a whole number", "50"),
    ("batch_size:", "E122", "batch_size", "not nothing", "50"),
    ("batch_size: 1.5", "E122", "1.5", "a whole number", "50"),
    ("retry: 5", "E122", "5", "must be a mapping", "max_attempts"),
    ("retry: {backoff: {jitter: Full}}", "E123", "Full", "must be `full` or `none`", "Did you mean `full`?"),
    ("paused: no", "E122", "no", "must be `true` or `false`", "Write `false`"),
    ("payload_schema: https://example.com/a.json", "E125", "https", "cannot be read", "nothing is fetched"),
    ("payload_schema: /etc/passwd", "E125", "/etc", "cannot be read", "relative"),
    ("access: {enqueue: [a, a]}", "E126", "[a, a]", "twice", ""),
    ("idempotency_key: order_id", "E122", "order_id", "must be a mapping", "{key: order_id, ttl: 1d}"),
    ("rate_limit: {limit: 5}", "E121", "rate_limit", "needs `period`", "Add `period: 1m`"),
    ("run: {role: app}", "E121", "run", "needs `sql`", "sql"),
    ("steps: {}", "E126", "{}", "`steps` is empty", ""),
    ("steps: {A: {duration: {max: 5s}}}", "E125", "A", "cannot be a name", "collect"),
    ("steps: {a: {duration: {max: 5s}, retry: {}}}", "E128", "retry", "not supported", "on the workload"),
    ("moved: old", "E122", "old", "must be a mapping", "{from: import-products}"),
    ("on_failure: Notify", "E125", "Notify", "cannot be read", "`bulk-import`"),
]  # fmt: skip


@pytest.mark.parametrize(("lines", "code", "at", "message", "remedy"), CASES, ids=[c[0][:30] for c in CASES])
def test_a_faulty_key_is_pointed_at_and_explained(
    lines: str, code: str, at: str, message: str, remedy: str
) -> None:
    text = in_workload(lines)
    finding = the(text)
    assert finding.code == code
    line = text.split("\n")[finding.span.line - 1]
    assert line[finding.span.column - 1 :].startswith(at)
    assert message in finding.message
    assert remedy in finding.help
    assert finding.why


TRIGGERS = [
    ("http", "E123", "http", "auth: jwt"),
    ("{http: {}}", "E121", "http", "auth"),
    ("{http: {auth: basic}}", "E123", "basic", "jwt"),
    ("{http: {auth: {hmac: {scheme: github}}}}", "E121", "hmac", "header"),
    ("{schedule: {}}", "E121", "schedule", "cron"),
    ("{schedule: {cron: '* * * * *', every: 5s}}", "E127", "every", "Remove all but one"),
    ("{schedule: {cron: '* * * * *'}, manual: true}", "E127", "manual", "list"),
    ("{}", "E121", "trigger", "http"),
    ("[]", "E126", "[]", ""),
    ("5", "E122", "5", ""),
    ("[manual, {cron: a}]", "E120", "cron", "trigger.schedule"),
    ("{manual: no}", "E122", "no", "Write `false`"[:0]),
    ("{table: {name: documents, on: [insert]}}", "E125", "documents", "`public.documents`"),
    ("{table: {name: public.a, on: []}}", "E126", "[]", ""),
    ("{table: {name: public.a, on: [truncate]}}", "E123", "truncate", "insert"),
    ("{table: {name: public.a}}", "E121", "table", "on"),
]  # fmt: skip


@pytest.mark.parametrize(("trigger", "code", "at", "remedy"), TRIGGERS, ids=[t[0][:30] for t in TRIGGERS])
def test_of_several_forms_the_one_that_was_meant_is_explained(
    trigger: str, code: str, at: str, remedy: str
) -> None:
    text = f"{TOP}workloads:\n  work:\n    duration: {{max: 5s}}\n    trigger: {trigger}\n"
    finding = next(iter(findings(text)))
    assert finding.code == code
    line = text.split("\n")[finding.span.line - 1]
    assert line[finding.span.column - 1 :].startswith(at)
    assert remedy in finding.help
    assert "given schemas" not in finding.message


def test_everything_is_found_in_one_run_in_the_order_of_the_file() -> None:
    text = (
        in_workload("retires: 1\nbatch_size: 0\nqueue: {kind: x}")
        + "  other: {trigger: manual}\nsecrets: 5\n"
    )
    found = findings(text)
    assert [d.code for d in found] == ["E120", "E124", "E123", "E121", "E122"]
    assert [d.span.line for d in found] == sorted(d.span.line for d in found)


@pytest.mark.parametrize(
    ("lines", "code", "message", "remedy"),
    [
        (
            "{database: {env: A}, databases: {env: B}}",
            "E127",
            "`database` and `databases`",
            "Remove all but one.",
        ),
        ("{databases: {}}", "E121", "`environments.t.databases` needs `env`", "TENANT_DATABASE_URLS"),
        ("{databases: [A, B]}", "E122", "must be a mapping, not a list", "{env: TENANT_DATABASE_URLS}"),
        ("{databases: {env: 'postgres://x'}}", "E125", "cannot be read", "`PROD_DATABASE_URL`"),
        ("{databases: {env: A, urls: B}}", "E120", "unknown key `urls`", "Allowed here: `env`."),
    ],
)
def test_what_is_wrong_with_a_fleet(lines: str, code: str, message: str, remedy: str) -> None:
    found = the(f"{TOP}environments:\n  t: {lines}\nworkloads: {{}}\n")
    assert (found.code, message in found.message, remedy in found.help) == (code, True, True), found


def test_a_fault_that_an_alias_repeats_is_told_once() -> None:
    text = f"{TOP}workloads:\n  a: &a {{trigger: manual, duration: {{max: 5}}}}\n  b: *a\n"
    assert [d.span.line for d in findings(text)] == [4]


def test_sound_workloads_are_built_beside_faulty_ones() -> None:
    result = parse_spec(in_workload("retires: 1") + "  sound: {trigger: manual, duration: {max: 5s}}\n")
    assert result.spec is not None
    assert [w.name for w in result.spec.workloads] == ["sound"]
    assert result.spec.broken == ("work",)


def test_a_broken_top_level_gives_no_spec() -> None:
    assert parse_spec(in_workload("") + "platform: {plan: gold}\n").spec is None


def test_after_five_hundred_findings_the_rest_is_counted_as_one() -> None:
    found = findings(TOP + "".join(f"k{n}: 1\n" for n in range(2000)))
    assert len(found) == 501
    assert found[-1].code == "E199"


@pytest.mark.parametrize("lines", [c[0] for c in CASES])
def test_the_fast_and_the_explaining_validator_agree(lines: str) -> None:
    from orchestra.spec import parse

    tree = parse(in_workload(lines), "orchestra.yaml").tree
    assert tree is not None
    assert file_is_valid(tree.data) == (not file_errors(tree.data))
    assert not file_is_valid(tree.data)
