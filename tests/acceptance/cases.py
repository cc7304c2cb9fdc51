"""The examples and the golden cases, as one list: each is a spec with the tables of its app."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from engines import Engine
from engines.supabase import install_pgmq

from orchestra import library, pipeline
from orchestra.ir.program import Program
from orchestra.kinds.cron_job import CronJob
from orchestra.spec.model import Spec

ROOT = Path(__file__).parents[2]
EXAMPLES = ROOT / "examples"
GOLDEN = ROOT / "tests" / "golden"

_ADOPTS = {"legacy": ("queue.send-email",)}
_BY_HAND = """
    create extension if not exists pg_cron;
    do $$
    begin
      if to_regclass('pgmq.meta') is null then
        create extension pgmq;
      end if;
    end
    $$;
"""


@dataclass(frozen=True)
class Case:
    """`setup` makes what the app itself has; `adopt` are the addresses that exist before the first apply."""

    name: str
    spec_file: Path
    setup: Path
    golden: Path
    adopt: tuple[str, ...] = ()
    beside: tuple[Path, ...] = ()
    """Further files of the spec."""

    def __str__(self) -> str:
        return self.name

    @cached_property
    def spec(self) -> Spec:
        return library.load([self.spec_file, *self.beside])

    @cached_property
    def program(self) -> Program:
        return library.compile(self.spec)

    @cached_property
    def sql(self) -> str:
        """What `orchestra compile` prints."""
        return pipeline.emit_sql(self.program, self.spec)

    @property
    def needs_seconds(self) -> bool:
        return any(isinstance(r, CronJob) and "second" in r.schedule for r in self.program)

    @property
    def needs_calls(self) -> bool:
        """Whether Edge Functions are woken: only by pg_net, which pg15 has not."""
        return any(str(address) == "extension.pg_net" for address in self.program.resources)

    @property
    def needs_pgmq(self) -> bool:
        return any(str(address) == "extension.pgmq" for address in self.program.resources)

    def runs_on(self, engine: Engine) -> bool:
        return engine.name != "pg15" or not (self.needs_seconds or self.needs_calls)

    def prepare(self, engine: Engine, *, user: str = "postgres") -> None:
        """The database as the app has it before orchestra comes.

        Only the embedded server has pgmq as an extension. The legacy app made its queue by hand, and the page's
        contract asks for the extensions to be there first.
        """
        if self.name.startswith(("legacy", "background-orchestration")):
            self.install_pgmq(engine, user=user)
        if self.name == "legacy":
            engine.psql(_BY_HAND, user=user)
        if self.setup.exists():
            engine.psql(self.setup, user=user)

    @staticmethod
    def install_pgmq(engine: Engine, *, user: str = "postgres") -> None:
        """Where the server has no extension of that name: the official SQL, as compiled SQL asks for it."""
        if not engine.is_embedded and engine.execute("select to_regclass('pgmq.meta')") == [(None,)]:
            install_pgmq(engine, user=user)


def _example(folder: Path) -> Case:
    return Case(
        folder.name,
        folder / "orchestra.yaml",
        folder / "setup.sql",
        GOLDEN / "examples" / f"{folder.name}.sql",
        _ADOPTS.get(folder.name, ()),
    )


def _edge(file: Path) -> Case:
    """The Edge part of an example, with the rest of it unless it comes in its place."""
    folder = file.parent
    alone = "In the place of orchestra.yaml" in file.read_text(encoding="utf-8")
    return Case(
        f"{folder.name}-edge",
        file,
        folder / "setup.sql",
        GOLDEN / "examples" / f"{folder.name}-edge.sql",
        beside=() if alone else (folder / "orchestra.yaml",),
    )


def _golden(spec: Path) -> Case:
    return Case(spec.stem, spec, spec.with_suffix(".setup.sql"), spec.with_suffix(".sql"))


EXAMPLE_CASES = tuple(_example(f.parent) for f in sorted(EXAMPLES.glob("*/orchestra.yaml")))
GOLDEN_CASES = tuple(_golden(f) for f in sorted(GOLDEN.glob("*.yaml")))
EDGE_CASES = tuple(_edge(f) for f in sorted(EXAMPLES.glob("*/edge.yaml")))
CASES = EXAMPLE_CASES + EDGE_CASES + GOLDEN_CASES
BY_NAME = {case.name: case for case in CASES}
