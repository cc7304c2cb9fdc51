"""`runtime.orchestra`: the schema that all projects of a database share, with upgrades of its own."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

from orchestra import runtime
from orchestra.ir.category import Category
from orchestra.ir.program import Resource
from orchestra.ir.sql import dollar, literal
from orchestra.kinds.kind import Kind, Server


@dataclass(frozen=True, slots=True)
class Runtime(Resource):
    """`fingerprint` is the hash of the installed functions, tables and rights."""

    kind: ClassVar[str] = "runtime"
    version: int
    fingerprint: str


def lower() -> Iterator[Runtime]:
    yield Runtime("orchestra", runtime.VERSION, runtime.expected_fingerprint())


def ensure(resource: Runtime, project: str, server: Server) -> tuple[str, ...]:
    statements = ["create schema if not exists orchestra", _guard()]
    statements += [_migration(number, text) for number, text in runtime.migrations()]
    statements += [text.strip().rstrip(";") for _, text in runtime.functions()]
    statements.append(
        "insert into orchestra.version (version, oldest_tool)\n"
        f"values ({runtime.VERSION}, {literal(runtime.OLDEST_TOOL)})\n"
        "on conflict (singleton) do update set version = excluded.version, oldest_tool = excluded.oldest_tool\n"
        "where orchestra.version.version <> excluded.version"
    )
    return tuple(statements)


def _guard() -> str:
    return (
        "do $orchestra$\ndeclare\n  installed int;\nbegin\n"
        "  if to_regclass('orchestra.version') is not null then\n"
        "    select version into installed from orchestra.version;\n"
        f"    if installed > {runtime.VERSION} then\n"
        f"      raise exception 'the runtime here has version %, this SQL knows {runtime.VERSION}', installed\n"
        "        using hint = 'Upgrade orchestra and compile again.';\n"
        "    end if;\n  end if;\nend\n$orchestra$"
    )


def _migration(number: int, text: str) -> str:
    body = dollar("\n" + text.strip() + "\n", "migration")
    return (
        "do $orchestra$\ndeclare\n  installed int := 0;\nbegin\n"
        "  if to_regclass('orchestra.version') is not null then\n"
        "    select coalesce(max(version), 0) into installed from orchestra.version;\n"
        "  end if;\n"
        f"  if installed < {number} then\n"
        f"    execute {body};\n"
        "  end if;\nend\n$orchestra$"
    )


KIND = Kind(
    "runtime",
    Runtime,
    ensure,
    categories={"version": Category.CONTRACT},
    owned=False,
    locks=300,
    plural="runtimes",
)
