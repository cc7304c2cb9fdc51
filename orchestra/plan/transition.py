"""The transition of a plan: one fingerprint of what it leaves and one of what it brings about, the key of approvals.

It is made of values alone (address, action, fields before and after), so it is the same for every database to which
the same happens, and an offline diff knows it beforehand. What differs from one database to the next is no part of
it: numbers of messages, oids, times, the environment's gate and protection, what an operator paused, and the ground
that every project stands on (extensions and the runtime, which another project or an older tool may have left there).
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterable, Iterator
from typing import Final

from orchestra.ir.program import Json
from orchestra.kinds import BY_NAME
from orchestra.plan.compare import Draft
from orchestra.plan.model import Action

FORM: Final = re.compile(r"[0-9a-f]{12}-[0-9a-f]{12}")
"""`3f9c2a7be01d-44c8a2f0e6b1`: before, after."""

_GROUND: Final = frozenset({"extension", "runtime"})
_Half = dict[str, Json]


def transition(project: str, drafts: Iterable[Draft]) -> str:
    """The key of all that a plan touches of its project's own; empty where that is nothing.

    `drafts` are those of a database in whose leaving queues nothing waits (see `plan.removal`).
    """
    rows = sorted(_rows(drafts), key=lambda row: row[:2])
    if not rows:
        return ""
    before = _digest([project, [[a, action, was] for a, action, was, _ in rows]])
    after = _digest([project, [[a, action, shall] for a, action, _, shall in rows]])
    return f"{before}-{after}"


def _rows(drafts: Iterable[Draft]) -> Iterator[tuple[str, str, _Half, _Half]]:
    for draft in drafts:
        kind = draft.address.kind
        # What began to leave in an earlier plan was approved there.
        if kind in _GROUND or draft.leaving:
            continue
        if kind == "project" and draft.action is Action.UPDATE and draft.moved_from is None:
            continue
        left_out = _of_one_database(draft)
        fields = [f for f in draft.fields if f.path not in left_out]
        was: _Half = {f.path: f.before for f in fields if f.before is not None}
        shall: _Half = {f.path: f.after for f in fields if f.after is not None}
        yield (
            str(draft.address),
            draft.action.value,
            {"fields": was, "moved_from": str(draft.moved_from or "")},
            {"fields": shall, "removal": draft.removal if kind == "queue" else ""},
        )


def _of_one_database(draft: Draft) -> frozenset[str]:
    """Fields of what comes or goes whole that the spec leaves to the database, or to an operator."""
    if draft.action is Action.UPDATE and draft.address.kind != "project":
        return frozenset()
    kind = BY_NAME[draft.address.kind]
    return kind.operator | kind.kept_when_unset


def _digest(value: Json) -> str:
    text = json.dumps(_plain(value), sort_keys=True, separators=(",", ":"), ensure_ascii=True)
    return hashlib.sha256(text.encode()).hexdigest()[:12]


def _plain(value: Json) -> Json:
    """Numbers as the database gives them back: 2.0 is 2."""
    match value:
        case float() if value.is_integer():
            return int(value)
        case list():
            return [_plain(item) for item in value]
        case dict():
            return {key: _plain(item) for key, item in value.items()}
    return value
