"""What a migration asks of a database before it changes anything, and what it leaves in the ledger."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from importlib.resources import files
from typing import Final

from orchestra import runtime
from orchestra.ir.program import Address, Json, Resource
from orchestra.ir.sql import canonical_json, literal, value
from orchestra.kinds import BY_NAME
from orchestra.kinds.ownership import recorded
from orchestra.migrate.filled import filled
from orchestra.plan.model import Change
from orchestra.plan.told import told

DIGEST: Final = "left(encode(sha256(convert_to(r.name || E'\\n' || r.applied::text, 'UTF8')), 'hex'), 16)"
"""What `digest` computes, of a row `r` of the registry."""
_ELSEWHERE: Final = "@"
"""Behind the digest of what stands under its former address, or in the project's former name."""


@dataclass(frozen=True, slots=True)
class Touched:
    """One address of the registry: what stands there before and after a migration (None: nothing). `former` is where it
    stood before, if it moves."""

    address: Address
    before: Resource | None
    after: Resource | None
    removes: bool
    former: Address | None = None


def digest(resource: Resource) -> str:
    """16 hexadecimal digits of what the registry holds of it; `+` for the project, of which an apply records more."""
    if resource.kind == "project":
        return "+"
    text = f"{resource.object_name}\n{_jsonb(recorded(resource))}"
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def _jsonb(item: Json) -> str:
    """As PostgreSQL writes a jsonb: shorter keys first."""
    if isinstance(item, dict):
        rows = sorted(item.items(), key=lambda row: (len(row[0].encode()), row[0].encode()))
        return "{" + ", ".join(f"{canonical_json(k)}: {_jsonb(v)}" for k, v in rows) + "}"
    if isinstance(item, list):
        return "[" + ", ".join(map(_jsonb, item)) + "]"
    return canonical_json(item)


def guard(
    project: str,
    migration: str,
    touched: Iterable[Touched],
    *,
    former: str | None,
    needs: int,
    brings_runtime: bool,
) -> str:
    """Refuses a database in another state, another role and what is protected; changes nothing. `needs` is the version
    of the runtime that earlier migrations have brought, 0 for the first migration; `former` is the name that the
    project has until now, if this migration moves it."""
    rows = [_row(t, former) for t in touched]
    return filled(
        "guard.sql",
        expected=literal("[\n" + ",\n".join(rows) + "\n  ]"),
        lock=str(runtime.APPLY_LOCK),
        needs=str(needs),
        brings_runtime=value(brings_runtime),
        migration=literal(migration),
        project=literal(project),
        former=literal(former or project),
        digest=DIGEST,
    )


def _row(touched: Touched, former: str | None) -> str:
    before = ""
    if touched.before is not None:
        moves = touched.former is not None or former is not None
        before = digest(touched.before) + (_ELSEWHERE if moves else "")
    after = "" if touched.after is None else digest(touched.after)
    removes = "removes" if touched.removes else ""
    cells = (str(touched.address), before, after, removes, str(touched.former or touched.address))
    return f"    {json.dumps(cells, ensure_ascii=False)}"


def ledger(project: str, migration: str, tool: str, changes: Sequence[Change]) -> str:
    """The row of the ledger, once; of the changes those that had not been made before."""
    lines = [json.dumps(told(c), ensure_ascii=False) for c in changes]
    only_shared = not any(BY_NAME[c.address.kind].owned for c in changes)
    return filled(
        "ledger.sql",
        project=literal(project),
        entry=literal(f"migration:{migration}"),
        tool=literal(tool),
        changes=literal("[\n" + ",\n".join(lines) + "\n]") + "::jsonb",
        only_shared=value(only_shared),
        runtime=str(runtime.VERSION),
        rest=files("orchestra.live").joinpath("digest.sql").read_text("utf-8").strip(),
    )
