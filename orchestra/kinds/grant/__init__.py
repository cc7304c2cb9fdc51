"""`grant.WORKLOAD`: a wrapper in `public` that the roles of `access.enqueue` can call by RPC."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

from orchestra.ir.category import Category
from orchestra.ir.program import Resource
from orchestra.ir.sql import dollar, ident, literal
from orchestra.kinds.kind import Kind, Server, read_sql
from orchestra.spec.model import Workload


@dataclass(frozen=True, slots=True)
class Grant(Resource):
    """`function` lies in `public`, where PostgREST looks; `source` is its body; `roles` may execute it. `sealed` says
    that it runs as its owner and under an empty search path."""

    kind: ClassVar[str] = "grant"
    function: str
    source: str
    roles: tuple[str, ...]
    sealed: bool = True

    @property
    def object_name(self) -> str:
        return f"public.{self.function}"


def lower(workload: Workload, project: str) -> Iterator[Grant]:
    if workload.access.enqueue:
        yield Grant(
            workload.name,
            f"enqueue_{workload.name.replace('-', '_')}",
            source_now(workload.name, project),
            tuple(sorted(workload.access.enqueue)),
        )


def source_now(workload: str, project: str) -> str:
    """The body that this version writes."""
    return f" select orchestra.send({literal(f'{project}/{workload}')}, payload) "


def ensure(grant: Grant, project: str, server: Server) -> tuple[str, ...]:
    return (
        f"create or replace function {ident('public', grant.function)}(payload jsonb) returns bigint\n"
        "language sql security definer set search_path = ''\n"
        f"as {dollar(grant.source, '')}",
        *execute_only(f"{ident('public', grant.function)}(jsonb)", grant.roles),
    )


def execute_only(signature: str, roles: tuple[str, ...]) -> tuple[str, ...]:
    """Only these roles may call the function: what an earlier spec or default privileges gave is taken back first."""
    return (
        "do $orchestra$\ndeclare grantee text;\nbegin\n"
        "  for grantee in\n"
        "    select case when a.grantee = 0 then 'public' else quote_ident(pg_get_userbyid(a.grantee)) end\n"
        "    from pg_catalog.pg_proc p, aclexplode(coalesce(p.proacl, acldefault('f', p.proowner))) a\n"
        f"    where p.oid = {literal(signature)}::regprocedure and a.grantee <> p.proowner\n"
        "  loop\n"
        f"    execute format({literal(f'revoke all on function {signature} from %s')}, grantee);\n"
        "  end loop;\nend\n$orchestra$",
        f"grant execute on function {signature} to {', '.join(ident(role) for role in roles)}",
    )


def remove(grant: Grant, project: str) -> tuple[str, ...]:
    return (f"drop function if exists {ident('public', grant.function)}(jsonb)",)


KIND = Kind(
    "grant",
    Grant,
    ensure,
    remove,
    read=read_sql(__name__),
    categories={"roles": Category.CONTRACT},
    replaced_by=frozenset({"function"}),
    locks=3,
    plural="grants",
)
