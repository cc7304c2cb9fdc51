"""What the platform answers in place of a function."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from http import HTTPStatus

from orchestra.dev.edge.errors import BootError
from orchestra.dev.edge.state import LIMITS_REACHED, End
from orchestra.dev.edge.wire import write_head

_PHRASES = {546: "Worker Resource Limit"}  # none of HTTP's own


@dataclass(frozen=True)
class Answer:
    """The code is in the body and in a header, as on the platform."""

    status: int
    code: str
    message: str
    more: dict[str, object] = field(default_factory=dict)

    @property
    def body(self) -> bytes:
        return json.dumps({"code": self.code, "message": self.message, **self.more}).encode()

    def head(self, fields: list[tuple[str, str]]) -> bytes:
        phrase = _PHRASES.get(self.status) or HTTPStatus(self.status).phrase
        own = [
            ("Content-Type", "application/json"),
            ("sb-error-code", self.code),
            ("Content-Length", str(len(self.body))),
        ]
        return write_head(f"HTTP/1.1 {self.status} {phrase}", [*own, *fields])


NOT_FOUND = Answer(404, "NOT_FOUND", "Requested function was not found")
IDLE_TIMEOUT = Answer(504, "IDLE_TIMEOUT", "The function did not answer within the request idle timeout")


def malformed(what: str) -> Answer:
    return Answer(400, "BAD_REQUEST", what)


def boot_error(fault: BootError) -> Answer:
    """With the function's log, which the platform shows elsewhere."""
    return Answer(503, "BOOT_ERROR", f"Function failed to start: {fault}", {"log": list(fault.log)})


def ended(end: End) -> Answer:
    """For the requests that an isolate took with it."""
    if end in LIMITS_REACHED:
        message = "Function was stopped because it reached a resource limit (please check logs)"
        return Answer(546, "WORKER_RESOURCE_LIMIT", message, {"reason": end})
    message = "Function exited due to an error (please check logs)"
    return Answer(500, "WORKER_ERROR", message, {"reason": end})
