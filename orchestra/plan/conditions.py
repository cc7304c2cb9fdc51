"""What holds in the live database and is no change, in words."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from datetime import UTC
from typing import Final

from orchestra.ir.program import Address, Json, Resource
from orchestra.kinds.secret import FUNCTION_KEY, FUNCTION_URL
from orchestra.live.ledger_rows import VerbRow
from orchestra.live.model import Found
from orchestra.plan.model import Condition

BY_HAND: Final = frozenset({"paused_by_hand", "resumed_by_hand"})
"""The codes of what operators turned, as long as nobody has accepted it."""


def foreign_jobs(resource: Resource, found: Found, role: str) -> Iterator[Condition]:
    """A job is a role's: another role's job of the same name runs beside it, or instead of it."""
    also = found.extra.get("also") or []
    owner = found.extra.get("username", role)
    for other in [*also, *([owner] if owner != role else [])]:
        yield Condition(
            "foreign_job",
            resource.address,
            f"role {other} has a job {found.name} too"
            if owner == role
            else f"job {found.name} runs as {other}",
            f"as {other}: select cron.unschedule('{found.name}')",
        )


def turned_by_hand(resource: Resource, turned: Mapping[str, Json], found: Found) -> Iterator[Condition]:
    """A condition for each field that an operator has turned, as it is now."""
    remedy = f"undo it with: orchestra apply --revert {resource.address}; keep it with: --accept {resource.address}"
    for name, now in turned.items():
        if name == "active":
            said = f"the job {found.name} was made inactive by hand; it stays so"
            yield Condition("paused_by_hand", resource.address, said, remedy)
            continue
        code = "paused_by_hand" if now in ("paused", True) else "resumed_by_hand"
        yield Condition(code, resource.address, _turned(code, resource.address), remedy)


def told_by(conditions: Iterable[Condition], turns: Mapping[str | None, VerbRow]) -> Iterator[Condition]:
    """The same, each gate that an operator turned with who did it, when and why; `turns` is the last that the log says
    of a workload, or of the project (None). A gate that stands otherwise than the log says was turned past it."""
    for condition in conditions:
        address = condition.address
        last = turns.get(None if address.kind == "project" else address.name)
        gate = condition.code in BY_HAND and address.kind in ("project", "workload")
        if not gate or last is None or condition.code != f"{last.verb}d_by_hand":
            yield condition
            continue
        role = f"role {last.role}"
        who = f"{last.actor} ({role})" if last.actor else role
        said = f" by {who} at {last.at.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC"
        reason = " ".join(str(last.detail.get("reason") or "").split())
        yield replace(condition, message=_turned(condition.code, address, said, reason))


def _turned(code: str, address: Address, by: str = "", reason: str = "") -> str:
    how = code.removesuffix("_by_hand")
    why = f" ({reason})" if reason else ""
    return f"{address.kind} {address.name} was {how} by hand{by}{why}; it stays so"


def environment_paused(project: str) -> Condition:
    """It names no environment: those of a fleet share one entry of the spec, and one sentence."""
    return Condition(
        "environment_paused",
        Address("project", project),
        "this environment is paused: jobs and queues exist, messages are taken in, and nothing fires",
        "to open it, take `paused: true` out of its entry under `environments` and apply",
    )


_SHAPES: Final = {
    FUNCTION_URL: "https://<project>.supabase.co/functions/v1",
    FUNCTION_KEY: "sb_secret_… (a key of its own)",
}


def missing_secret(secret: Resource) -> Condition:
    return Condition(
        "missing_secret",
        secret.address,
        f"Vault has no secret named {secret.object_name}",
        f"select vault.create_secret('{_SHAPES.get(secret.key, '…')}', '{secret.object_name}')",
    )


def not_deployed(function: Resource, found: Found | None) -> Iterator[Condition]:
    """Nothing of this version has announced itself yet; an older one goes on until it does."""
    wanted = function.values()["contract"]
    versions = found.extra.get("versions") or [] if found else []
    if wanted not in versions:
        yield Condition(
            "not_deployed",
            function.address,
            f"the Edge Function {function.key} was never seen"
            if found is None
            else f"the Edge Function {function.key} that is deployed has contract {found.values['contract']}, "
            f"the spec asks for {wanted}",
            f"after the apply: orchestra compile --out supabase && supabase functions deploy {function.key}",
        )
