"""What was committed, told as a person would: a message was sent, failed, is done; a schedule fired; a job failed.

The ticks, slots and leases behind it are not told of.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import Final

from orchestra.dev.log.changes import Change, Transaction
from orchestra.dev.log.event import SELF, Event
from orchestra.dev.log.known import Known

Row = Mapping[str, str | None]

SOON: Final = timedelta(milliseconds=100)
"""What comes again sooner than this was handed back, and has not failed."""
PAYLOAD: Final = 200
"""Characters of a payload that a line may hold."""
_OUTCOMES: Final = {
    "enqueued": "enqueued",
    "run": "runs",
    "buffered": "waits for the run before it",
    "skipped": "skipped: the run before it goes on",
    "paused": "not run: paused",
}
_ENDINGS: Final = {
    "done": ("done", "green"),
    "failed": ("failed", "red"),
    "cancelled": ("cancelled", "yellow"),
}
_ELSEWHERE: Final = ("the scheduled run of", "server restarted", "job canceled", "terminating connection")
"""Failures of a job that are told of by themselves, or come of our own stop."""


class Narrator:
    """Given transactions in the order of their commits."""

    def __init__(self, known: Known) -> None:
        self._known = known
        self._tellers: dict[str, Callable[[datetime, Change, _Beside], Iterator[Event]]] = {
            "orchestra.dead_letter": self._dead_letter,
            "orchestra.fired": self._fired,
            "orchestra.scheduled_run": self._scheduled_run,
            "orchestra.call": self._call,
            "orchestra.run": self._run,
            "orchestra.step": self._step,
            "orchestra.wake": self._wake,
            "orchestra.operator_log": self._by_hand,
            "orchestra.deployment": self._deployment,
            "cron.job_run_details": self._job_run,
        }

    def tell(self, transaction: Transaction) -> Iterator[Event]:
        at = transaction.at
        for change in transaction.changes:
            if change.table == "orchestra.workload" and change.verb != "DELETE":
                self._known.workload(change.row)
            elif change.table == "cron.job" and change.verb != "DELETE":
                self._known.job(change.row)
        beside = _Beside(transaction)
        for change in transaction.changes:
            if change.table in self._known.queues:
                yield from self._message(at, change, beside)
            elif (teller := self._tellers.get(change.table)) is not None:
                yield from teller(at, change, beside)

    def _message(self, at: datetime, change: Change, beside: _Beside) -> Iterator[Event]:
        queue, row = self._known.queues[change.table], change.row
        message = row.get("msg_id") or "?"
        match change.verb:
            case "INSERT":
                what, payload = _what(row, at)
                yield Event(at, queue.workload, "sent", f"message {message} sent{what}", aside=payload)
            case "UPDATE":
                yield from self._handed(at, change, message, beside)
            case _:
                handed = self._known.out.pop((change.table, message), None)
                if (queue.workload, message) in beside.dead:
                    return
                if handed is not None:
                    took = _took(at - handed[0])
                    yield Event(at, queue.workload, "done", f"message {message} done, {took}", "green")
                elif not queue.has_steps:
                    yield Event(at, queue.workload, "removed", f"message {message} was removed", "yellow")

    def _handed(self, at: datetime, change: Change, message: str, beside: _Beside) -> Iterator[Event]:
        """A message that was handed out, or that comes again."""
        queue = self._known.queues[change.table]
        read_ct = int(change.row.get("read_ct") or 0)
        known = self._known.out.get((change.table, message))
        delivery = beside.deliveries.get((queue.workload, message))
        if delivery is None:
            if read_ct and (known is None or known[1] != read_ct):
                self._known.hand_out(change.table, message, at, read_ct)
            return
        wait = _moment(change.row.get("vt")) - at
        if delivery.get("refunded") == str(read_ct):
            if wait > SOON:
                text = f"message {message} snoozed, again in {_took(wait)}"
                yield Event(at, queue.workload, "snoozed", text, "yellow")
            return
        attempt = read_ct - int(delivery.get("free") or 0)
        again = f"again in {_took(wait)}" if wait > SOON else "again at once"
        error = delivery.get("last_error") or "its worker went away without a verdict"
        text = f"message {message} failed (attempt {attempt} of {queue.max_attempts}, {again}): {error}"
        yield Event(at, queue.workload, "failed", text, "yellow")

    def _dead_letter(self, at: datetime, change: Change, beside: _Beside) -> Iterator[Event]:
        row = change.row
        if change.verb == "INSERT":
            attempts = row.get("attempts") or "0"
            tries = f"after {attempts} attempt{'' if attempts == '1' else 's'}"
            text = f"message {row['msg_id']} is dead letter {row['id']} {tries}: {row['error']}"
            yield Event(at, row["workload"] or "", "dead", text, "bold red")

    def _fired(self, at: datetime, change: Change, beside: _Beside) -> Iterator[Event]:
        row = change.row
        if change.verb == "INSERT":
            due = _moment(row.get("scheduled_for"))
            outcome = row.get("outcome") or ""
            text = f"due at {due.astimezone():%H:%M:%S}: {_OUTCOMES.get(outcome, outcome)}"
            yield Event(at, row["workload"] or "", "fired", text)

    def _scheduled_run(self, at: datetime, change: Change, beside: _Beside) -> Iterator[Event]:
        row, status = change.row, change.row.get("status")
        if change.verb != "UPDATE" or status == "running" or not row.get("finished_at"):
            return
        who = row["workload"] or ""
        if status == "done":
            took = _took(_moment(row["finished_at"]) - _moment(row["started_at"]))
            yield Event(at, who, "done", f"done, {took}", "green")
        elif row.get("retry_at") or not beside.superseded:
            again = (
                f", again at {_moment(row['retry_at']).astimezone():%H:%M:%S}" if row.get("retry_at") else ""
            )
            text = (
                f"{status} (attempt {row['attempt']}{again}): {row.get('error') or 'no error was recorded'}"
            )
            yield Event(at, who, "failed", text, "yellow" if again else "bold red")

    def _call(self, at: datetime, change: Change, beside: _Beside) -> Iterator[Event]:
        row, who = change.row, change.row.get("workload") or ""
        if change.verb == "INSERT":
            yield Event(at, who, "call", f"request {row['id']} accepted")
        elif change.verb == "UPDATE" and row.get("finished_at"):
            if row.get("status") == "done":
                took = _took(_moment(row["finished_at"]) - _moment(row["accepted_at"]))
                yield Event(at, who, "done", f"request {row['id']} done, {took}", "green")
            else:
                yield Event(
                    at, who, "dead", f"request {row['id']} {row['status']}: {row.get('error')}", "bold red"
                )

    def _run(self, at: datetime, change: Change, beside: _Beside) -> Iterator[Event]:
        row = change.row
        number, status, who = row.get("id") or "", row.get("status") or "", row.get("workload") or ""
        before = self._known.runs.get(number)
        if change.verb == "DELETE":
            self._known.runs.pop(number, None)
            return
        self._known.runs[number] = (who, status)
        if status in _ENDINGS and (before is None or before[1] != status):
            word, look = _ENDINGS[status]
            error = f": {row['error']}" if row.get("error") else ""
            yield Event(at, who, "run", f"run {number} {word}{error}", look)
        elif before is None and status == "running":
            yield Event(at, who, "run", f"run {number} begins")

    def _step(self, at: datetime, change: Change, beside: _Beside) -> Iterator[Event]:
        row, status = change.row, change.row.get("status") or ""
        who = self._known.runs.get(row.get("run") or "", ("", ""))[0]
        ended = change.verb == "UPDATE" and status in ("done", "failed", "skipped") and row.get("finished_at")
        if not ended or not who or row.get("step") == "items":
            return
        total = f", {row['done']} of {row['total']}" if row.get("total") not in ("0", "1") else ""
        look = "red" if status == "failed" else ""
        yield Event(at, who, "step", f"run {row['run']}: step {row['step']} {status}{total}", look)

    def _wake(self, at: datetime, change: Change, beside: _Beside) -> Iterator[Event]:
        row, who = change.row, change.row.get("workload") or ""
        last = row.get("last_at")
        if change.verb == "UPDATE" and last and self._known.woken.get(who) != last:
            self._known.woken[who] = last
            if row.get("error"):
                yield Event(at, who, "unwoken", f"no worker can be woken: {row['error']}", "red")
            else:
                yield Event(at, who, "woken", "a worker is woken", "dim")

    def _by_hand(self, at: datetime, change: Change, beside: _Beside) -> Iterator[Event]:
        row = change.row
        if change.verb == "INSERT":
            verb = (row.get("verb") or "").replace("_", " ")
            who = row.get("actor") or row.get("role_name")
            yield Event(
                at, row.get("workload") or row.get("project") or "", "by hand", f"{verb} by {who}", "magenta"
            )

    def _deployment(self, at: datetime, change: Change, beside: _Beside) -> Iterator[Event]:
        if change.verb == "INSERT":
            yield Event(at, SELF, "deployed", change.row.get("id") or "")

    def _job_run(self, at: datetime, change: Change, beside: _Beside) -> Iterator[Event]:
        row, status = change.row, change.row.get("status")
        if change.verb != "UPDATE" or status not in ("succeeded", "failed"):
            return
        job = self._known.jobs.get(row.get("jobid") or "", "") or f"job {row.get('jobid')}"
        said = " ".join((row.get("return_message") or "").split())
        ours = job.startswith("orchestra:")
        if status == "failed" and not any(words in said for words in _ELSEWHERE):
            yield Event(at, "cron", f"failed {job}", f"{job} failed: {said}", "red")
        elif status == "succeeded" and not ours:
            yield Event(at, "cron", f"ran {job}", f"{job} ran: {said}")


class _Beside:
    """What else a transaction holds, by which one row is told from another."""

    def __init__(self, transaction: Transaction) -> None:
        self.dead: set[tuple[str, str]] = set()
        self.deliveries: dict[tuple[str, str], Row] = {}
        self.superseded = False
        for change in transaction.changes:
            row = change.row
            key = (row.get("workload") or "", row.get("msg_id") or "")
            if change.table == "orchestra.dead_letter" and change.verb == "INSERT":
                self.dead.add(key)
            elif change.table == "orchestra.delivery" and change.verb != "DELETE":
                self.deliveries[key] = row
            elif change.table == "orchestra.scheduled_run" and change.verb == "INSERT":
                self.superseded = True


def _what(row: Row, at: datetime) -> tuple[str, str]:
    """Where it belongs to a run, which step it is; else when it comes, if that is later, and its payload."""
    task = _json(row.get("headers")).get("orchestra")
    if isinstance(task, dict) and task.get("step"):
        return f" for step {task['step']} of run {task.get('run')}", ""
    wait = _moment(row.get("vt")) - at
    later = f" for {_moment(row.get('vt')).astimezone():%H:%M:%S}" if wait > timedelta(seconds=1) else ""
    return later, (row.get("message") or "")[:PAYLOAD]


def _json(text: str | None) -> dict[str, object]:
    try:
        found = json.loads(text) if text else {}
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


def _moment(text: str | None) -> datetime:
    """A time as PostgreSQL writes it for us, in UTC."""
    try:
        return datetime.fromisoformat(f"{text}:00" if text and text.endswith("+00") else text or "")
    except ValueError:
        return datetime.max.replace(tzinfo=UTC)  # infinity


def _took(time: timedelta) -> str:
    """`12 ms`, `3.4 s`, `2 min`."""
    seconds = max(time.total_seconds(), 0)
    if seconds < 0.9995:
        return f"{seconds * 1000:.0f} ms"
    if seconds < 60:
        return f"{seconds:.1f} s"
    return f"{seconds / 60:.0f} min" if seconds < 5400 else f"{seconds / 3600:.1f} h"
