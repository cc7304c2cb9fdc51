"""`queue.WORKLOAD`: a pgmq queue."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

from orchestra.ir.category import Category
from orchestra.ir.program import Resource
from orchestra.ir.sql import call, literal, value
from orchestra.kinds.kind import Kind, Server, read_sql
from orchestra.platform import LOCKS_PER_QUEUE
from orchestra.spec.model import Workload


@dataclass(frozen=True, slots=True)
class Queue(Resource):
    """`type` is `standard`, `unlogged`, or `partitioned` (read back only: orchestra makes none); `complete` is false
    where somebody dropped one of its two tables."""

    kind: ClassVar[str] = "queue"
    name: str
    type: str = "standard"
    complete: bool = True

    @property
    def object_name(self) -> str:
        return self.name


def lower(workload: Workload) -> Iterator[Queue]:
    """The workload's own, and the one that hears of its dead letters."""
    yield Queue(workload.name, workload.queue.name, workload.queue.kind)
    if workload.dead_letter_queue is not None:
        yield Queue(f"{workload.name}.dead-letters", workload.dead_letter_queue)


def ensure(queue: Queue, project: str, server: Server) -> tuple[str, ...]:
    function = "pgmq.create_unlogged" if queue.type == "unlogged" else "pgmq.create"
    return (call(function, literal(queue.name)),)


def remove(queue: Queue, project: str) -> tuple[str, ...]:
    return drop(queue.name, None)


def drop(name: str, losing: int | None) -> tuple[str, ...]:
    """Drops a queue that holds at most `losing` messages; None does not count them."""
    return (call("orchestra.drop_queue", literal(name), value(losing)),)


KIND = Kind(
    "queue",
    Queue,
    ensure,
    remove,
    read=read_sql(__name__),
    needs=("pgmq.meta",),
    categories={"name": Category.DATA, "type": Category.DATA},
    replaced_by=frozenset({"type"}),
    locks=LOCKS_PER_QUEUE,
    plural="queues",
)
