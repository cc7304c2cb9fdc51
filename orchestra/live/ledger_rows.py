"""What is read from the ledger, as values: a row for each transaction of an apply."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeAlias

from orchestra.ir.program import Json


@dataclass(frozen=True, slots=True)
class LedgerRow:
    """One row of `orchestra.deployment`. `form` is 2, or 1 where an orchestra wrote it that did not note whole states:
    then `actor`, `back_to` (the deployment to which it went back), `runtime` (its version) and `rest` are None; see
    `apply.record`.

    `counts` are the changes by action. `changes` are empty in a list, where only the counts are read.
    """

    id: int
    environment: str | None
    deployed_at: datetime
    role: str
    tool_version: str | None
    git_commit: str | None
    plan_hash: str | None
    batch: int
    batches: int
    form: int
    actor: str | None
    back_to: int | None
    runtime: int | None
    rest: str | None
    counts: Mapping[str, int]
    changes: tuple[Mapping[str, Any], ...] = ()


@dataclass(frozen=True, slots=True)
class VerbRow:
    """What an operator did by hand: a row of `orchestra.operator_log`. `actor` is the person, as the command line knew
    it."""

    id: int
    at: datetime
    role: str
    actor: str | None
    verb: str
    workload: str | None
    detail: Mapping[str, Json]


@dataclass(frozen=True, slots=True)
class AdoptedRow:
    """An object that existed before row `number` took it over; `found` are the fields that this changed, as they
    were."""

    address: str
    number: int
    found: Mapping[str, Json]


Traces: TypeAlias = "Mapping[str, Mapping[str, Json] | None]"
"""What is recorded of each address at some time; None: nothing."""
