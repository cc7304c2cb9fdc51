"""Renames since a deployment: what has another name now goes back to the one that it had, and takes all that is its own
along."""

from __future__ import annotations

from collections.abc import Sequence

from orchestra.errors import OrchestraError
from orchestra.history.model import Deployment
from orchestra.history.state import by_hand
from orchestra.ir.program import Address


def moved_since(
    moves: Sequence[tuple[str | None, str]], deployment: Deployment
) -> tuple[tuple[str, str], ...]:
    """The name of each renamed workload now, and the one that it had right after the deployment. `moves` are addresses
    before and after, in the order in which they were carried out. Raises OrchestraError where the project itself has
    another name since."""
    then: dict[str, str] = {}
    for old, after in ((b, Address.parse(a)) for b, a in moves):
        if old is None:
            then.pop(after.name, None)  # whoever has the name now is another
            continue
        before = Address.parse(old)
        if after.kind == "project":
            raise OrchestraError(
                f"the project was called {before.name} at deployment {deployment.number}, and is {after.name} now: "
                "there is no way back across that by number",
                by_hand(deployment),
            )
        if after.kind == "workload":
            then[after.name] = then.pop(before.name, before.name)
    return tuple((now, former) for now, former in sorted(then.items()) if now != former)
