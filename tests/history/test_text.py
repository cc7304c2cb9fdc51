"""The history as people and programs read it."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from orchestra.errors import VersionError
from orchestra.history.group import deployments, merged
from orchestra.history.model import History
from orchestra.live.ledger_rows import LedgerRow, VerbRow
from orchestra.report import history_json, history_text
from orchestra.report.style import Style

GOLDEN = Path(__file__).parent / "golden"
AT = datetime(2026, 11, 28, 9, 30, tzinfo=UTC)
COMMIT = "3f0e7f6e1c2d4b5a6978877665544332211fedcb"
CHANGES = (
    {
        "address": "queue.old-import",
        "action": "delete",
        "category": "data",
        "reasons": ["no longer in the spec"],
        "before": {"name": "old_import", "type": "standard", "complete": True},
        "after": {},
        "hazards": [
            {
                "code": "messages",
                "message": "dropping queue old_import loses 1,204 waiting and 0 archived messages for ever",
                "approval": "--allow messages:queue.old-import=1204",
            }
        ],
    },
    {
        "address": "workload.import",
        "action": "update",
        "category": "behaviour",
        "reasons": [
            "the spec changed timeout_ms",
            "changed outside orchestra since the last apply: max_attempts",
        ],
        "before": {"timeout_ms": 5000, "max_attempts": 2},
        "after": {"timeout_ms": 6000, "max_attempts": 5},
        "drift": True,
    },
    {
        "address": "cron_job.purge",
        "action": "create",
        "category": "behaviour",
        "reasons": ["new in the spec"],
        "before": {},
        "after": {"command": "call orchestra.fire('shop', 'purge', 1)", "schedule": "0 3 * * *", "job": "x"},
    },
)
COUNTS = {"delete": 1, "update": 1, "create": 1}


def row(number: int, **more: object) -> LedgerRow:
    values: dict[str, object] = {
        "id": number,
        "environment": "production",
        "deployed_at": AT + timedelta(hours=number),
        "role": "postgres",
        "tool_version": "0.1.0",
        "git_commit": COMMIT,
        "plan_hash": f"sha256:{number:064x}",
        "batch": 1,
        "batches": 1,
        "form": 2,
        "actor": "ada",
        "back_to": None,
        "runtime": 2,
        "rest": "0" * 64,
        "counts": {"create": 3},
        "changes": (),
    }
    return LedgerRow(**{**values, **more})  # type: ignore[arg-type]


def verb(number: int, hours: float, name: str, workload: str | None, **detail: object) -> VerbRow:
    return VerbRow(number, AT + timedelta(hours=hours), "postgres", None, name, workload, detail)  # type: ignore[arg-type]


LARGE = [
    row(n, batch=n - 3, batches=4, plan_hash="sha256:abc", counts={"create": 1_000}) for n in range(4, 8)
]
STOPPED = [row(n, batch=n - 8, batches=9, plan_hash="sha256:def", actor=None) for n in (9, 10, 12)]
ROWS = [
    row(1, form=1, actor=None, git_commit=None, counts={"create": 12}),
    row(3, actor="Ada Lovelace", counts=COUNTS, back_to=1),
    *LARGE,
    *STOPPED,
]
VERBS = [
    verb(9, 13.5, "cancel_run", "nightly", run=88, ended=True),
    *(verb(n, 3 + n / 10, "pause" if n % 2 else "resume", "import") for n in range(8, 2, -1)),
    verb(2, 1.5, "pause", None),
    verb(1, 1.25, "redrive", "import", count=14, ids=list(range(1, 15))),
]
HISTORY = History("shop", merged(deployments(ROWS), VERBS), more=True)


def test_the_list_for_people(golden: Callable[[Path, str], None]) -> None:
    golden(GOLDEN / "history.txt", history_text.render(HISTORY))


def test_the_list_on_a_narrow_terminal_with_all_verbs(golden: Callable[[Path, str], None]) -> None:
    text = history_text.render(HISTORY, Style(width=50), full=True)
    golden(GOLDEN / "history-narrow.txt", text)


def test_the_list_for_programs(golden: Callable[[Path, str], None]) -> None:
    golden(GOLDEN / "history.json", history_json.render(HISTORY))


def test_one_deployment(golden: Callable[[Path, str], None]) -> None:
    (found,) = deployments([row(3, counts=COUNTS, changes=CHANGES)])
    golden(GOLDEN / "show.txt", history_text.show("shop", found))
    golden(GOLDEN / "show.json", history_json.show("shop", found))


def test_rows_of_several_transactions_are_one_deployment_in_any_order() -> None:
    found = deployments(reversed(ROWS))
    assert [d.number for d in found] == [12, 7, 3, 1]
    assert [len(d.transactions) for d in found] == [3, 4, 1, 1]
    assert [d.is_whole for d in found] == [False, True, True, True]
    assert found[1].counts == {"added": 4_000, "changed": 0, "destroyed": 0}


def test_what_a_newer_orchestra_recorded_is_said_and_not_guessed() -> None:
    newer = ({"address": "queue.import", "action": "shard", "category": "data"},)
    with pytest.raises(VersionError, match="deployment 3 was recorded by another orchestra: 'shard'"):
        deployments([row(3, changes=newer)])


def test_colour_changes_no_word() -> None:
    plain = history_text.render(HISTORY)
    coloured = history_text.render(HISTORY, Style(colour=True))
    assert "\x1b[" in coloured
    assert re.sub(r"\x1b\[[0-9;]*m", "", coloured) == plain
