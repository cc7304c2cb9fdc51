"""Arguments that may be specs or addresses: `orchestra adopt shop.yaml queue.import`."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import click


def apart(arguments: Sequence[str]) -> tuple[tuple[Path, ...], tuple[str, ...]]:
    """Specs and addresses. An address is `KIND.NAME` of a kind that there is, and no file of that name is there."""
    from orchestra.kinds import BY_NAME

    specs: list[str] = []
    addresses: list[str] = []
    for word in arguments:
        is_address = word.partition(".")[0] in BY_NAME and "/" not in word.partition("=")[0]
        (addresses if is_address and not Path(word).exists() else specs).append(word)
    return tuple(Path(s) for s in specs), tuple(addresses)


def require(addresses: Sequence[str], command: str) -> None:
    """UsageError where none was named."""
    if not addresses:
        raise click.UsageError(f"Name what to {command}, as a plan does: orchestra {command} queue.import")
