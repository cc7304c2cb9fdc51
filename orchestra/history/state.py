"""What the registry of a project held right after a deployment, from what the ledger and the registry say now.

There are two ways to it: backwards from what is recorded now, where each later change says what it found, and forwards,
where each earlier one says what it left. They differ where something else wrote to the registry as well, such as
compiled SQL that ran between two deployments. Which of them is right a hash decides that the deployment itself noted.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeAlias

from orchestra.errors import OrchestraError
from orchestra.history.model import Deployment
from orchestra.ir.program import Address, Json
from orchestra.kinds import BY_NAME
from orchestra.live.ledger_rows import Traces

State: TypeAlias = Mapping[str, Mapping[str, Json]]
"""What is recorded, by address."""


def refuse_unknowable(deployment: Deployment) -> None:
    """Raises OrchestraError where the rows of a deployment do not say in which state it left the project."""
    number = deployment.number
    if any(t.row.form < 2 for t in deployment.transactions):
        tool = deployment.last.tool_version
        raise OrchestraError(
            f"deployment {number} was recorded by an older orchestra{f' ({tool})' if tool else ''}, which did not note "
            "all that was there: its state could only be guessed",
            by_hand(deployment),
        )
    if not deployment.is_whole:
        done = len(deployment.transactions)
        raise OrchestraError(
            f"deployment {number} stopped after {done} of its {deployment.last.batches} transactions: what it left "
            "behind is no state of a spec",
            "roll back to the deployment before or after it",
        )
    if len({t.row.rest for t in deployment.transactions}) > 1:
        raise OrchestraError(
            f"something else changed the project while deployment {number} was made, so it left no state of its own",
            by_hand(deployment),
        )


def by_hand(deployment: Deployment) -> str:
    """The way that is always open."""
    commit = deployment.last.git_commit
    what = f"git checkout {commit[:12]}" if commit else "check out the spec of that time"
    return f"{what}, and apply it: orchestra apply"


def backwards(now: Traces, later: Traces) -> State:
    """From what is recorded now, undoing what came later."""
    return _present({**now, **later})


def forwards(behind: State, earlier: Traces) -> State:
    """What earlier changes left; of what none of them touched, what the way back found."""
    return _present({**behind, **earlier})


def _present(entries: Traces) -> State:
    return {a: entry for a, entry in entries.items() if entry is not None and _recorded(a)}


def rest(state: State, deployment: Deployment) -> State:
    """All of a state that its deployment did not touch: what the deployment noted the hash of."""
    touched = {str(c.address) for c in deployment.changes}
    return {address: entry for address, entry in state.items() if address not in touched}


def agrees(state: State, deployment: Deployment) -> bool:
    """Whether a state has what the deployment itself says that it left."""
    items = [item for t in deployment.transactions for item in t.row.changes if _recorded(item["address"])]
    return all(_alike(item["address"], state.get(item["address"]), _left(item)) for item in items)


def _alike(address: str, one: Mapping[str, Json] | None, other: Mapping[str, Json] | None) -> bool:
    """What a project's own row says is its environment's: only that it is there counts."""
    if address.startswith("project."):
        return (one is None) == (other is None)
    return one == other


def _left(item: Mapping[str, Any]) -> Mapping[str, Json] | None:
    left: Mapping[str, Json] | None = item.get("is")
    return item["after"] if left is None and item["action"] == "create" else left


def _recorded(address: str) -> bool:
    """Whether the registry knows things of its kind; extensions and the runtime are nobody's."""
    kind = BY_NAME.get(Address.parse(address).kind)
    return kind is None or kind.owned
