"""The ledger's row of one transaction: who changed what, and what the registry said before and after.

`changes` of the row is an object of form 2 (an array of changes, as older rows hold it, is form 1):

    {"form": 2, "actor": "ada" | null, "back_to": 11 | null, "runtime": 2, "rest": "sha256 in hexadecimal",
     "changes": [CHANGE, …]}

`back_to` is the deployment to which it went back, whose commit is then its own. `rest` is a hash over all that the
project had in the registry besides what the plan touched, so that a state that is put together from the ledger later on
can be proved to be the one that was there.

A change has `address`, `action`, `category`, `reasons` and the live fields that differ under `before` and `after`.
Where the registry knows its kind, `was` is what stood there before, and `is` what stands there now: all that is
recorded of the address, `protect` included where it is true. Each is left out where there is nothing, and `is` of a new
object also where `after` says the same. `moved_was` is what stood at the address from which it moved.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from importlib.resources import files
from typing import Any, Final

from orchestra import runtime
from orchestra.ir.program import Address, Json
from orchestra.ir.sql import literal
from orchestra.kinds import BY_NAME
from orchestra.live.connect import Database
from orchestra.plan.model import Action, Change
from orchestra.plan.told import told

FORM: Final = 2

Registered = Mapping[str, Json]
"""What the registry records, by address; see `registered`."""


def registered(database: Database, project: str, addresses: Iterable[Address]) -> Registered:
    """What stands in the registry of these addresses, tombstones apart. The registry must exist."""
    rows = database.rows(
        """
        select address, applied || case when protect then '{"protect": true}' else '{}' end::jsonb as applied
        from orchestra.registry
        where project = %(project)s and tombstoned_at is null and address = any(%(addresses)s)
        """,
        {"project": project, "addresses": sorted(str(a) for a in addresses)},
    )
    return {row["address"]: row["applied"] for row in rows}


def insert(
    columns: Mapping[str, str],
    changes: Iterable[Change],
    touched: Iterable[Address],
    *,
    actor: str | None,
    back_to: int | None,
    was: Registered,
    now: Registered,
) -> str:
    """The statement that writes the row and returns its id; `columns` are expressions in SQL, `project` among them.
    `touched` are all addresses of the plan, those of its other transactions as well: `rest` is the same in each."""
    body = {
        "form": FORM,
        "actor": actor,
        "back_to": back_to,
        "runtime": runtime.VERSION,
        "changes": [_change(c, was, now) for c in changes],
    }
    if back_to is not None:
        project = columns["project"]
        commit = f"(select git_commit from orchestra.deployment where project = {project} and id = {back_to})"
        columns = {**columns, "git_commit": commit}
    rest = files("orchestra.live").joinpath("digest.sql").read_text("utf-8").strip()
    known = files("orchestra.apply").joinpath("rest.sql").read_text("utf-8").strip()
    known = known.replace(":project", columns["project"])
    known = known.replace(":touched", literal(json.dumps(sorted(str(a) for a in touched))))
    return (
        f"with entry as (\n{known}\n)\n"
        f"insert into orchestra.deployment ({', '.join(columns)}, changes)\n"
        f"select {', '.join(columns.values())}, "
        f"{literal(json.dumps(body))}::jsonb || jsonb_build_object('rest', ({rest}))\n"
        "returning id, pg_current_xact_id()::text as xact"
    )


def _change(change: Change, before: Registered, registered_now: Registered) -> dict[str, Any]:
    was, now = before.get(str(change.address)), registered_now.get(str(change.address))
    found = told(change)
    if change.moved_from is not None and (moved := before.get(str(change.moved_from))) is not None:
        found["moved_was"] = moved
    if BY_NAME[change.address.kind].owned:
        if was is not None:
            found["was"] = was
        if now is not None and not (change.action is Action.CREATE and now == found["after"]):
            found["is"] = now
    return found
