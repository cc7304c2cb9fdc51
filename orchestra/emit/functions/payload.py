"""The types of a workload's payloads: its schema's, and those of what comes by itself, from triggers or because
another workload has failed."""

from __future__ import annotations

import json
from typing import Final

from orchestra.emit.functions.declared import Declared
from orchestra.emit.functions.function import Function
from orchestra.emit.functions.step_types import PAYLOADS
from orchestra.emit.functions.type_nodes import (
    ANY,
    NUMBER,
    STRING,
    Many,
    Member,
    Shape,
    Type,
    either,
    exactly,
)
from orchestra.emit.functions.types import declared_by
from orchestra.spec.model import HttpTrigger, ManualTrigger, ScheduleTrigger, TableTrigger

_NAME: Final = "Payload"
_DUE: Final = Shape((Member("scheduled_for", STRING, doc="When it was due, in ISO 8601."),))
# As orchestra.bury_message writes it.
_LETTER: Final = Shape(
    (
        Member("project", STRING),
        Member("workload", STRING, doc="Whose message it was."),
        Member("dead_letter", NUMBER, doc="Its id in orchestra.dead_letter."),
        Member("message_id", NUMBER),
        Member("payload", ANY),
        Member("attempts", NUMBER, doc="How many it has had."),
        Member("reason", either(exactly(reason) for reason in ("exhausted", "permanent"))),
        Member("error", STRING, doc="Of the last attempt."),
        Member("dead_at", STRING, doc="When, in ISO 8601."),
    )
)


def payload_types(function: Function) -> Declared:
    """`Payload`, and the types that it is made of; none of them has a name that the types of steps have."""
    workload = function.workload
    taken = frozenset({PAYLOADS, *(e.payload for e in function.exports)})
    sent = _sent(function)
    if workload.payload_schema_json is not None:
        return declared_by(json.loads(workload.payload_schema_json), _NAME, sent, taken)
    # Without a schema nothing is known of what comes from outside.
    outside = (
        any(isinstance(t, HttpTrigger | ManualTrigger) for t in workload.triggers) or workload.access.enqueue
    )
    return declared_by(True, _NAME) if outside or not sent else declared_by(False, _NAME, sent, taken)


def comes_by_itself(function: Function) -> bool:
    """Whether some payloads are none of the spec's author, so that no schema describes them."""
    return bool(_sent(function))


def _sent(function: Function) -> list[tuple[str, Type]]:
    """What comes by itself, each with a name for it; several triggers may watch one table."""
    sent: list[tuple[str, Type]] = []
    for trigger in function.workload.triggers:
        if isinstance(trigger, ScheduleTrigger):
            sent.append(("scheduled", _DUE))
        elif isinstance(trigger, TableTrigger):
            schema = "" if trigger.schema == "public" else f"{trigger.schema} "
            sent.append((f"of {schema}{trigger.table}", _change(trigger)))
    if function.hears:
        sent.append(("failure", _LETTER))
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
