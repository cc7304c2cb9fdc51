"""`secret.NAME`: a name in Vault. Only its presence is ever looked at; a missing one is a condition, not a change."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

from orchestra.ir.program import Resource
from orchestra.kinds.kind import Kind, Server, read_sql
from orchestra.spec.model import Spec


@dataclass(frozen=True, slots=True)
class Secret(Resource):
    kind: ClassVar[str] = "secret"
    vault: str

    @property
    def object_name(self) -> str:
        return self.vault


def lower(spec: Spec) -> Iterator[Secret]:
    for secret in spec.secrets:
        yield Secret(secret.name, secret.vault)


def ensure(secret: Secret, project: str, server: Server) -> tuple[str, ...]:
    """Nothing: the value is never ours to know."""
    return ()


KIND = Kind(
    "secret",
    Secret,
    ensure,
    read=read_sql(__name__),
    needs=("vault.secrets",),
    owned=False,
    plural="secrets",
)
