"""`extension.NAME`: pgmq and pg_cron, and what calls to Edge Functions need. They are made where they are missing and
never removed."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

from orchestra.ir.category import Category
from orchestra.ir.program import Resource
from orchestra.ir.sql import ident, literal
from orchestra.kinds.kind import Kind, Server, read_sql


@dataclass(frozen=True, slots=True)
class Extension(Resource):
    kind: ClassVar[str] = "extension"
    present: bool = True


def lower(*, queues: bool, jobs: bool, wakes: bool, secrets: bool) -> Iterator[Extension]:
    if queues:
        yield Extension("pgmq")
    if jobs:
        yield Extension("pg_cron")
    if wakes:
        yield Extension("pg_net")
    if secrets:
        yield Extension("supabase_vault")


def ensure(extension: Extension, project: str, server: Server) -> tuple[str, ...]:
    if extension.key != "pgmq":
        return (f"create extension if not exists {ident(extension.key)}",)
    if not server.pgmq_extension:
        return (pgmq_sql(),)
    advice = "install the SQL of the pgmq package first (orchestra apply does so by itself)"
    return (
        "do $orchestra$\nbegin\n"
        "  if to_regclass('pgmq.meta') is null then\n"
        "    create extension pgmq;\n"
        "  end if;\n"
        "exception when undefined_file or feature_not_supported then\n"
        f"  raise exception 'this server has no pgmq extension' using hint = {literal(advice)};\n"
        "end\n$orchestra$",
    )


def pgmq_sql() -> str:
    """The official SQL-only install, as the pgmq package ships it."""
    from pgmq.install import get_embedded_install_sql

    return str(get_embedded_install_sql())


def carried_pgmq() -> str:
    """The version of that SQL, such as `1.13.0`."""
    from importlib.resources import files

    return files("pgmq").joinpath("sql", "pgmq.sql.version").read_text(encoding="utf-8").strip()


KIND = Kind(
    "extension",
    Extension,
    ensure,
    read=read_sql(__name__),
    categories={"present": Category.CONTRACT},
    owned=False,
    locks=400,
    plural="extensions",
)
