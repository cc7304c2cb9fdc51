"""The types of a workload's payloads: its schema's, and those of what its triggers send by themselves."""

from __future__ import annotations

import json
from typing import Final

from orchestra.emit.functions.declared import Declared
from orchestra.emit.functions.type_nodes import (
    ANY,
    STRING,
    Many,
    Member,
    Shape,
    Type,
    either,
    exactly,
)
from orchestra.emit.functions.types import declared_by
from orchestra.spec.model import HttpTrigger, ManualTrigger, ScheduleTrigger, TableTrigger, Workload

_NAME: Final = "Payload"
_DUE: Final = Shape((Member("scheduled_for", STRING, doc="When it was due, in ISO 8601."),))


def payload_types(workload: Workload, taken: frozenset[str] = frozenset()) -> Declared:
    """`Payload`, and the types that it is made of; none of them gets a name that is `taken`."""
    sent = _sent(workload)
    if workload.payload_schema_json is not None:
        return declared_by(json.loads(workload.payload_schema_json), _NAME, sent, taken)
    # Without a schema nothing is known of what comes from outside.
    outside = (
        any(isinstance(t, HttpTrigger | ManualTrigger) for t in workload.triggers) or workload.access.enqueue
    )
    return declared_by(True, _NAME) if outside or not sent else declared_by(False, _NAME, sent, taken)


def sends(workload: Workload) -> bool:
    """Whether triggers send payloads of their own, which no schema describes."""
    return bool(_sent(workload))


def _sent(workload: Workload) -> list[tuple[str, Type]]:
    """What triggers send by themselves, each with a name for it; several may watch one table."""
    sent: list[tuple[str, Type]] = []
    for trigger in workload.triggers:
        if isinstance(trigger, ScheduleTrigger):
            sent.append(("scheduled", _DUE))
        elif isinstance(trigger, TableTrigger):
            schema = "" if trigger.schema == "public" else f"{trigger.schema} "
            sent.append((f"of {schema}{trigger.table}", _change(trigger)))
    return list(dict.fromkeys(sent))


def _change(trigger: TableTrigger) -> Shape:
    members = [
        Member("op", either(exactly(event) for event in sorted(trigger.on))),
        Member("table", STRING, doc="With its schema."),
        Member("key", ANY, doc="The columns of its primary key."),
        Member("changed", Many(STRING), doc="The columns that an update has changed."),
        Member("at", STRING, doc="When, in ISO 8601."),
    ]
    if trigger.payload == "new" and set(trigger.on) != {"delete"}:
        members.append(Member("row", ANY, optional=True, doc="The new row."))
    return Shape(tuple(members))
