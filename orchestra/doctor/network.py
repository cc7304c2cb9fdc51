"""Names and routes of this machine, asked within a time: a resolver may hang for longer than anybody waits."""

from __future__ import annotations

import socket
from collections.abc import Callable
from queue import Empty, SimpleQueue
from threading import Thread
from typing import Final, TypeVar

T = TypeVar("T")
PATIENCE_S: Final = 5.0


def within(seconds: float, ask: Callable[[], T], otherwise: T) -> T:
    """What `ask` gives, or `otherwise` where it takes longer; it is then left to end by itself."""
    answers: SimpleQueue[T] = SimpleQueue()
    Thread(target=lambda: answers.put(ask()), daemon=True).start()
    try:
        return answers.get(timeout=seconds)
    except Empty:
        return otherwise


def only_by_ipv6(host: str) -> bool:
    """Whether a name has IPv6 addresses alone, and this machine has no way to them."""

    def ask() -> bool:
        found = _addresses(host)
        families = {family for family, _ in found}
        return families == {socket.AF_INET6} and not any(_routed(at) for _, at in found)

    return within(PATIENCE_S, ask, False)


def _addresses(host: str) -> list[tuple[int, tuple[object, ...]]]:
    try:
        found = socket.getaddrinfo(host, 5432, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError):
        return []
    return [(int(family), address) for family, _, _, _, address in found]


def _routed(address: tuple[object, ...]) -> bool:
    """Nothing is sent: a datagram socket is only told where it would send to."""
    try:
        with socket.socket(socket.AF_INET6, socket.SOCK_DGRAM) as probe:
            probe.connect(address)
    except OSError:
        return False
    return True
