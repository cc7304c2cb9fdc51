"""Short ways to make pipelines, to work them off, and to say what became of their runs."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from psycopg.types.json import Jsonb

from runtime.runtime_db import RuntimeDb, Worker


def step(name: str, *depends_on: str, map: str | None = None, **rest: Any) -> dict[str, Any]:
    """A step as the compiler writes it; a mapped one depends on what it maps."""
    needs = sorted({*depends_on, *([map] if map else [])})
    found: dict[str, Any] = {"name": name, "depends_on": needs, "timeout_ms": 5_000, **rest}
    return {**found, "map": map} if map else found


def pipeline(db: RuntimeDb, *steps: dict[str, Any], **columns: Any) -> str:
    """A pipeline in Edge Functions; its name."""
    return db.edge(steps=Jsonb(steps), **columns)


def sql_pipeline(db: RuntimeDb, *steps: dict[str, Any], **columns: Any) -> str:
    """A pipeline whose steps are statements, which answer unless they say otherwise."""
    answering = [{"answers": True, **s} for s in steps]
    return db.queue(None, steps=Jsonb(answering), **columns)


MAPPED = (step("collect"), step("render", map="collect"), step("publish", "render"))
TOLERANT = (MAPPED[0], {**MAPPED[1], "failure_policy": "continue"}, MAPPED[2])


@dataclass(frozen=True)
class Task:
    """A message that a worker was handed."""

    id: int
    step: str | None
    i: int | None
    payload: Any
    run: int | None


class Failure(Exception):
    """What a handler of these tests raises to fail for good."""


Handler = Callable[[Any], Any]


def tasks_of(given: Iterable[tuple[int, int, int, Any, Any]]) -> list[Task]:
    tasks = []
    for msg_id, _, _, payload, headers in given:
        own = (headers or {}).get("orchestra", {})
        tasks.append(Task(msg_id, own.get("step"), own.get("i"), payload, own.get("run")))
    return tasks


def work(db: RuntimeDb, name: str, batch: int = 10, **handlers: Handler) -> list[Task]:
    """A worker that goes on until nothing comes any more; what it was handed. A step without a handler answers its
    payload."""
    worker = db.worker(name)
    assert worker.verdict == "go"
    handled: list[Task] = []
    report: dict[str, Any] = {}
    empty = 0
    while empty < 2:
        turn = worker.turn(batch, **report)
        tasks = tasks_of(turn.given)
        empty = 0 if tasks else empty + 1
        report = outcome(tasks, handlers)
        handled += tasks
    worker.leave()
    return handled


def outcome(tasks: Iterable[Task], handlers: Mapping[str, Handler]) -> dict[str, Any]:
    """What a worker reports of these tasks, as the arguments of a turn."""
    ack, fails, results = [], [], {}
    for task in tasks:
        handler = handlers.get(task.step or "item")
        try:
            results[str(task.id)] = handler(task.payload) if handler else task.payload
            ack.append(task.id)
        except Failure as failure:
            fails.append({"id": str(task.id), "error": str(failure), "code": "ORC01"})
    return {"ack": ack, "fails": fails, "results": results}


def fail(payload: Any) -> Any:
    """A handler that always fails for good."""
    raise Failure("no")


def fails_at(*places: Any) -> Handler:
    """A handler that fails for good on these payloads and answers the others."""

    def handler(payload: Any) -> Any:
        if payload in places:
            raise Failure(f"no {payload}")
        return payload

    return handler


def take(worker: Worker, want: int = 10) -> list[Task]:
    """What a turn without reports hands out."""
    return tasks_of(worker.turn(want).given)


def settle(worker: Worker, task: Task, result: Any) -> None:
    """The task is done, and this is what it has answered."""
    worker.turn(0, ack=[task.id], results={str(task.id): result})


def mapped(db: RuntimeDb, name: str, elements: Iterable[Any]) -> tuple[int, Worker]:
    """A run whose first step has answered these elements, so that a step which maps them waits to be worked on; and the
    worker that settled it."""
    run = db.send(name)
    worker = db.worker(name)
    [task] = take(worker)
    assert task.run == run
    settle(worker, task, list(elements))
    return run, worker


def fan_out(db: RuntimeDb, name: str, items: int, caller: str | None = "me") -> int:
    """A request of several items, 1 and upwards, at the door; its run."""
    verdict, run, ids = db.enqueue(name, range(1, items + 1), caller=caller)
    assert (verdict, len(ids)) == ("go", items)
    return int(run)


def result_of(db: RuntimeDb, run: int, step: str) -> Any:
    """What the one task of a step has answered."""
    return db.one("select result from orchestra.task where run = %s and step = %s", run, step)


def run_of(db: RuntimeDb, run: int) -> tuple[str, str | None]:
    """Status and error."""
    [row] = db.rows("select status, error from orchestra.run where id = %s", run)
    return (row[0], row[1])


def steps_of(db: RuntimeDb, run: int) -> dict[str, tuple[str, int, int, int]]:
    """Status, total, done and failed of each step."""
    return {
        name: tuple(rest)
        for name, *rest in db.rows(
            "select step, status, total, done, failed from orchestra.step where run = %s order by position, step",
            run,
        )
    }


def queued(db: RuntimeDb, name: str) -> list[tuple[str | None, int | None, Any]]:
    """Step, place and payload of each message that is in the queue."""
    return db.rows(
        f"select headers #>> '{{orchestra,step}}', (headers #>> '{{orchestra,i}}')::int, message "
        f"from pgmq.q_{name} order by msg_id"
    )
