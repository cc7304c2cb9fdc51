"""`table_trigger.WORKLOAD`: statement triggers on one of the app's tables that enqueue what changed."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

from orchestra.ir.category import Category
from orchestra.ir.program import Resource
from orchestra.ir.sql import ident, literal
from orchestra.kinds.kind import Kind, Server, read_sql
from orchestra.platform import IDENTIFIER_BYTES
from orchestra.spec.model import TableTrigger as Declared
from orchestra.spec.model import Workload

_TRANSITION = {
    "insert": "new table as orchestra_new",
    "update": "old table as orchestra_old new table as orchestra_new",
    "delete": "old table as orchestra_old",
}


@dataclass(frozen=True, slots=True)
class TableTrigger(Resource):
    """One AFTER statement trigger for each event of `on`; `columns` empty means any column."""

    kind: ClassVar[str] = "table_trigger"
    schema: str
    table: str
    base: str
    workload: str
    on: tuple[str, ...]
    columns: tuple[str, ...] = ()
    payload: str = "key"
    enabled: bool = True

    @property
    def object_name(self) -> str:
        return f"{ident(self.schema, self.table)}:{self.base}"


def lower(workload: Workload, project: str) -> Iterator[TableTrigger]:
    triggers = [t for t in workload.triggers if isinstance(t, Declared)]
    for position, trigger in enumerate(triggers, 1):
        # The first one keeps its name when another is written beside it.
        key = workload.name if position == 1 else f"{workload.name}.table-{position}"
        yield TableTrigger(
            key,
            trigger.schema,
            trigger.table,
            _base(project, key),
            workload.name,
            tuple(sorted(trigger.on)),
            tuple(sorted(trigger.columns)),
            trigger.payload,
        )


def _base(project: str, key: str) -> str:
    """The triggers' common name; `_insert` and the like follow. Cut to what PostgreSQL keeps, a hash keeps it apart."""
    base = f"orchestra_{project}_{key}".replace("-", "_").replace(".", "_")
    room = IDENTIFIER_BYTES - len("_insert")
    if len(base) <= room:
        return base
    digest = hashlib.sha256(f"{project}:{key}".encode()).hexdigest()[:8]
    return f"{base[: room - 9]}_{digest}"


def ensure(trigger: TableTrigger, project: str, server: Server) -> tuple[str, ...]:
    table = ident(trigger.schema, trigger.table)
    arguments = ", ".join(
        literal(a) for a in (project, trigger.workload, trigger.payload, json.dumps(list(trigger.columns)))
    )
    made = [
        f"create or replace trigger {ident(f'{trigger.base}_{event}')}\n"
        f"after {event} on {table}\n"
        f"referencing {_TRANSITION[event]}\n"
        f"for each statement execute function orchestra.on_table_change({arguments})"
        for event in trigger.on
    ]
    dropped = [
        f"drop trigger if exists {ident(f'{trigger.base}_{event}')} on {table}"
        for event in _TRANSITION
        if event not in trigger.on
    ]
    return (*dropped, *made)


def remove(trigger: TableTrigger, project: str) -> tuple[str, ...]:
    table = ident(trigger.schema, trigger.table)
    return tuple(f"drop trigger if exists {ident(f'{trigger.base}_{e}')} on {table}" for e in trigger.on)


KIND = Kind(
    "table_trigger",
    TableTrigger,
    ensure,
    remove,
    read=read_sql(__name__),
    categories={"payload": Category.CONTRACT, "columns": Category.BEHAVIOUR},
    replaced_by=frozenset({"schema", "table", "base"}),
    locks=4,
    plural="table triggers",
)
