"""Waiting for what another process will do."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")


def eventually(look: Callable[[], T], *, within: float = 8.0, what: str = "it") -> T:
    """The first true answer of `look`, asked again and again; an AssertionError after `within` seconds."""
    deadline = time.monotonic() + within
    while True:
        answer = look()
        if answer:
            return answer
        assert time.monotonic() < deadline, (
            f"{what} did not happen within {within} s; last answer: {answer!r}"
        )
        time.sleep(0.05)
