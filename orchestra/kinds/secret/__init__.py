"""`secret.NAME`: a name in Vault. Only its presence is ever looked at; a missing one is a condition, not a change."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar, Final

from orchestra.ir.program import Resource
from orchestra.kinds.kind import Kind, Server, read_sql
from orchestra.spec.model import Spec

FUNCTION_URL: Final = "function_url"
FUNCTION_KEY: Final = "function_key"
VAULT: Final = {FUNCTION_URL: "orchestra_function_url", FUNCTION_KEY: "orchestra_function_key"}
"""Secrets that wake-up calls need, by the name in Vault that they have unless the spec gives another."""


@dataclass(frozen=True, slots=True)
class Secret(Resource):
    kind: ClassVar[str] = "secret"
    vault: str

    @property
    def object_name(self) -> str:
        return self.vault


def lower(spec: Spec, *, wakes: bool) -> Iterator[Secret]:
    """Those of the spec, and those that wake-up calls need where there are any."""
    names = {secret.name: secret.vault for secret in spec.secrets}
    if wakes:
        names = {name: vault_name(spec, name) for name in VAULT} | names
    for name, vault in sorted(names.items()):
        yield Secret(name, vault)


def vault_name(spec: Spec, name: str) -> str:
    """What Vault calls the secret that the spec calls `name`."""
    return next((s.vault for s in spec.secrets if s.name == name), VAULT.get(name, name))


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
