"""One consumer of a queue, in a process of its own: `python -m benchmarks.consumers HOW DSN QUEUE MOST`.

All ways go through libpq by prepared statements and read every row's id and body. It says `ready`, waits for a line,
works until nothing is visible any more (or `MOST` are done, where it is not 0), and says how many it has done and when,
on the clock that all processes of the machine share.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable, Iterator

from benchmarks.prepared import Claim, Database, Rows, Worker, array, column

BATCH = "100"
FEW = "10"
LEASE_S = "30"

_READ = "select msg_id, message from pgmq.read($1, $2, $3)"
_DELETE = "select pgmq.delete($1, $2::bigint[])"


def raw(db: Database, queue: str) -> Iterator[int]:
    """pgmq by arrays: read, then delete."""
    db.prepare("read", _READ)
    db.prepare("delete", _DELETE)
    yield 0
    while ids := _taken(db.call("read", queue, LEASE_S, BATCH)):
        db.call("delete", queue, array(ids))
        yield len(ids)


def raw_in_one_commit(db: Database, queue: str) -> Iterator[int]:
    """The most that pgmq gives: the delete and the next read in one round trip and one transaction."""
    db.prepare("read", _READ)
    db.prepare("delete", _DELETE)
    yield 0
    read = ("read", queue, LEASE_S, BATCH)
    ids = _taken(db.call(*read))
    while ids:
        number = len(ids)
        ids = _taken(db.both(("delete", queue, array(ids)), read)[1])
        yield number


def one_by_one(db: Database, queue: str) -> Iterator[int]:
    """As many do it: read a few, acknowledge each by itself."""
    db.prepare("read", _READ)
    db.prepare("delete", "select pgmq.delete($1, $2::bigint)")
    yield 0
    while ids := _taken(db.call("read", queue, LEASE_S, FEW)):
        for one in ids:
            db.call("delete", queue, one)
        yield len(ids)


def turns(db: Database, workload: str) -> Iterator[int]:
    """This project's: enter, turns that settle the last hundred and claim the next, leave."""
    worker = Worker(db, workload)
    yield 0
    worker.enter()
    held = worker.turn(Claim(), int(BATCH))
    while held.ids:
        number = len(held.ids)
        held = worker.turn(held, int(BATCH))
        yield number
    worker.leave()
    yield 0


def _taken(rows: Rows) -> list[str]:
    """Their ids; the bodies are read too, as every consumer has to."""
    column(rows, 1)
    return column(rows, 0)


WAYS: dict[str, Callable[[Database, str], Iterator[int]]] = {
    "raw": raw,
    "raw-in-one-commit": raw_in_one_commit,
    "one-by-one": one_by_one,
    "turns": turns,
}


def main(way: str, dsn: str, queue: str, most: str) -> None:
    consumer = WAYS[way](Database(dsn), queue)
    next(consumer)  # it connects and prepares
    print("ready", flush=True)
    sys.stdin.readline()
    done = 0
    for number in consumer:
        done += number
        if done >= int(most) > 0:
            break
    print(json.dumps({"ended": time.monotonic(), "done": done}), flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
