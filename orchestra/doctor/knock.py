"""Asks a function for nothing, with a key that is nobody's: is it there, and does it look at keys?"""

from __future__ import annotations

import http.client
import json
import ssl
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlsplit

from orchestra.doctor.network import within

PATIENCE_S: Final = 5.0
MOST: Final = 8
"""Functions that are asked, at once; the others are deployed the same way."""
WRONG_KEY: Final = "orchestra-doctor-asks-with-a-wrong-key"


@dataclass(frozen=True, slots=True)
class Reply:
    """`status` is None where there was no answer, and then `fault` says why. `keyed`: a wake-up was asked for, which
    takes a key; other functions are only asked whether they are there."""

    function: str
    host: str
    status: int | None
    keyed: bool
    fault: str = ""


def knock(url: str, functions: Sequence[tuple[str, bool]]) -> tuple[Reply, ...]:
    """`functions` are names, each with whether the database wakes it. Nothing comes of it: a wake-up with a wrong key
    is refused before anything is read, and a GET is no work for any function."""
    asked = list(functions)[:MOST]
    with ThreadPoolExecutor(max_workers=max(len(asked), 1)) as pool:
        return tuple(pool.map(lambda one: _soon(url, *one), asked))


def _soon(url: str, function: str, keyed: bool) -> Reply:
    """A name that nobody resolves may hang for longer than a socket waits."""
    late = Reply(function, "the secret's address", None, keyed, f"no answer in {2 * PATIENCE_S:.0f} s")
    return within(2 * PATIENCE_S, lambda: _one(url, function, keyed), late)


def _one(url: str, function: str, keyed: bool) -> Reply:
    try:
        parts = urlsplit(url.strip().rstrip("/"))
        host, port = parts.hostname or "", parts.port
    except ValueError:
        return Reply(function, "the secret's address", None, keyed, "it is no URL")
    if parts.scheme not in ("http", "https") or not host:
        return Reply(function, "the secret's address", None, keyed, "it is no URL of http or https")
    shown = host if port is None else f"{host}:{port}"
    path = f"{parts.path}/{function}"
    headers = {"apikey": WRONG_KEY, "User-Agent": "orchestra-doctor", "Connection": "close"}
    body = None
    if keyed:
        headers |= {"x-orchestra": "wake", "Content-Type": "application/json"}
        body = json.dumps({"workload": function})
    connection: http.client.HTTPConnection = (
        http.client.HTTPSConnection(host, port, timeout=PATIENCE_S, context=ssl.create_default_context())
        if parts.scheme == "https"
        else http.client.HTTPConnection(host, port, timeout=PATIENCE_S)
    )
    try:
        connection.request("POST" if keyed else "GET", path, body, headers)
        return Reply(function, shown, connection.getresponse().status, keyed)
    except TimeoutError:
        return Reply(function, shown, None, keyed, f"no answer in {PATIENCE_S:.0f} s")
    except (OSError, http.client.HTTPException, ValueError) as error:
        why = getattr(error, "strerror", None) or str(error) or type(error).__name__
        return Reply(function, shown, None, keyed, why)
    finally:
        connection.close()
