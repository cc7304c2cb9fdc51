"""JSON over HTTP, with patience that ends.

urllib rather than a library: these are five kinds of plain requests, it trusts the certificates that the machine trusts
(a company's own host has its own authority), and a tool that is trusted with databases should not pull in an HTTP stack
for a comment. What urllib does badly is switched off: it would follow redirects and take the token along.
"""

from __future__ import annotations

import json
import urllib.error
import urllib.request
from collections.abc import Mapping
from dataclasses import dataclass
from http.client import HTTPException
from typing import Any, Final
from urllib.parse import urlsplit

from orchestra.errors import HostingError
from orchestra.hosting.model import Clock, Uncertain

ATTEMPTS: Final = 4
TIMEOUT_S: Final = 20.0
"""For the connection, and for each read."""
PATIENCE_S: Final = 120.0
"""All that one request waits, rate limits included."""
_LARGEST: Final = 32 * 1024 * 1024
_NO_API: Final = "look at the address of the API; a proxy may have answered in its place"


@dataclass(frozen=True, slots=True)
class Answer:
    status: int
    headers: Mapping[str, str]
    """Names in lower case."""
    body: Any
    """The JSON, or None where there is none."""

    @property
    def ok(self) -> bool:
        return 200 <= self.status < 300

    @property
    def said(self) -> str:
        """The host's own words about a refusal, on one line."""
        found = self.body.get("message") or self.body.get("error") if isinstance(self.body, dict) else None
        return " ".join(str(found).split())[:300] if found else f"HTTP {self.status}"

    @property
    def item(self) -> dict[str, Any]:
        """The one object that was asked for. HostingError where it is something else, as a proxy may send it."""
        if not isinstance(self.body, dict):
            raise HostingError(f"what answered sent no object but {self._short}", _NO_API)
        return self.body

    @property
    def items(self) -> list[dict[str, Any]]:
        """The objects of a page; likewise."""
        if not isinstance(self.body, list) or not all(isinstance(item, dict) for item in self.body):
            raise HostingError(f"what answered sent no list of objects but {self._short}", _NO_API)
        return self.body

    @property
    def _short(self) -> str:
        return repr(self.body)[:80]

    @property
    def has_next(self) -> bool:
        """Whether there is a page after this one."""
        return 'rel="next"' in self.headers.get("link", "")


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *_: Any, **__: Any) -> None:
        return None


class Client:
    """Speaks to one API. `secret` is starred out of whatever is said about a failure."""

    def __init__(self, host: str, base: str, headers: Mapping[str, str], secret: str, clock: Clock) -> None:
        if urlsplit(base).scheme not in ("http", "https"):
            raise HostingError(
                f"{host}'s API cannot be at {base!r}", "it is an address such as https://host/api"
            )
        self._host = host
        self._base = base.rstrip("/")
        self._headers = {"User-Agent": "orchestra", "Accept": "application/json", **headers}
        self._secret = secret
        self._clock = clock
        self._opener = urllib.request.build_opener(_NoRedirect)

    def call(
        self,
        method: str,
        path: str,
        body: Any = None,
        *,
        base: str | None = None,
        repeatable: bool | None = None,
    ) -> Answer:
        """The answer, whatever its status, after waiting out rate limits and passing faults of the server.

        What is not `repeatable` (by default: a POST) and may have been carried out all the same is not done again:
        Uncertain. HostingError where the patience is at its end.
        """
        once_only = method == "POST" if repeatable is None else not repeatable
        url = (base or self._base) + path
        waited = 0.0
        for attempt in range(1, ATTEMPTS + 1):
            fault: Answer | str = self._once(method, url, body)
            if isinstance(fault, Answer):
                limited = _limited(fault)
                if not limited and fault.status < 500:
                    return fault
                pause = self._pause(fault, attempt) if limited else 2.0 ** (attempt - 1)
            else:
                limited, pause = False, 2.0 ** (attempt - 1)
            said = fault if isinstance(fault, str) else self.clean(fault.said)
            if limited and waited + pause > PATIENCE_S:
                raise HostingError(
                    f"{self._host} limits the rate of requests and asks to wait {pause:,.0f} s: {said}",
                    "run the job again later; a pipeline that runs less often asks less",
                )
            if attempt < ATTEMPTS:
                self._clock.sleep(pause)
                waited += pause
            if once_only and not limited:
                raise Uncertain(said)
        raise HostingError(
            f"{self._host} did not answer as it should, {ATTEMPTS} times: {said}",
            f"run the job again; if it goes on, see whether {urlsplit(url).netloc} can be reached from here",
        )

    def _once(self, method: str, url: str, body: Any) -> Answer | str:
        """One try: the answer, or why there is none, in words."""
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(url, data, {"Content-Type": "application/json"}, method=method)
        for name, value in self._headers.items():
            request.add_unredirected_header(name, value)
        try:
            with self._opener.open(request, timeout=TIMEOUT_S) as response:
                return self._answer(response.status, response.headers, response.read(_LARGEST))
        except urllib.error.HTTPError as error:
            with error:
                return self._answer(error.code, error.headers, _read(error))
        except (OSError, HTTPException) as error:
            reason = getattr(error, "reason", None) or error
            return self.clean(" ".join(f"{reason}".split()) or type(error).__name__)

    def _answer(self, status: int, headers: Any, content: bytes) -> Answer:
        named = {name.lower(): value for name, value in headers.items()} if headers else {}
        if 300 <= status < 400:
            where = self.clean(named.get("location", "another address"))
            raise HostingError(
                f"{self._host} says that this moved to {where}",
                "the token is not sent there; give the repository's name and the API's address as they are now",
            )
        try:
            return Answer(status, named, json.loads(content) if content.strip() else None)
        except ValueError:
            if 200 <= status < 300:
                raise HostingError(
                    f"what answers at {self._base} is not the API of {self._host}: it sent no JSON",
                    _NO_API,
                ) from None
            return Answer(status, named, None)

    def _pause(self, answer: Answer, attempt: int) -> float:
        """Seconds that a rate limit asks for: Retry-After, else until the reset that it names, else minutes."""
        after = answer.headers.get("retry-after", "")
        if after.isdecimal():
            return max(1.0, float(after))
        reset = answer.headers.get("x-ratelimit-reset", answer.headers.get("ratelimit-reset", ""))
        if reset.isdecimal() and _spent(answer):
            return max(1.0, float(reset) - self._clock.now() + 1.0)
        return 60.0 * attempt

    def clean(self, text: str) -> str:
        """`text` without the token, should the host have said it back."""
        return text.replace(self._secret, "********") if self._secret else text


def _read(error: urllib.error.HTTPError) -> bytes:
    """The body of a refusal, or nothing where the connection broke meanwhile."""
    try:
        return error.read(_LARGEST)
    except (OSError, HTTPException):
        return b""


def _limited(answer: Answer) -> bool:
    """A 403 is a rate limit where it says so, and else a permission that is missing."""
    if answer.status == 429:
        return True
    named = "retry-after" in answer.headers or _spent(answer) or "rate limit" in answer.said.lower()
    return answer.status == 403 and named


def _spent(answer: Answer) -> bool:
    headers = answer.headers
    return headers.get("x-ratelimit-remaining", headers.get("ratelimit-remaining")) == "0"
