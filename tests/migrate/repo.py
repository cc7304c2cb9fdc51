"""A repository in which somebody changes a spec and writes migrations, and a database that runs them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from click.testing import CliRunner, Result
from engines import Engine
from splitter import push

from orchestra.cli import main
from orchestra.spec import parse_spec
from orchestra.spec.model import Spec

EPOCH = "1800000000"  # 2027-01-15 08:00:00 UTC


class Repo:
    """A folder with `orchestra.yaml` and `supabase/`."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.spec_file = root / "orchestra.yaml"
        self.out = root / "supabase"

    def orchestra(self, *args: str, epoch: str | None = EPOCH) -> Result:
        """The command line, on this repository's spec and folder."""
        return CliRunner().invoke(
            main, [*args], prog_name="orchestra", env={"SOURCE_DATE_EPOCH": epoch, "COLUMNS": "100"}
        )

    def migrate(self, spec: str | None = None, *args: str, **options: Any) -> Result:
        """`orchestra migrate` of this spec."""
        if spec is not None:
            self.spec_file.write_text(spec, encoding="utf-8")
        return self.orchestra("migrate", str(self.spec_file), "--out", str(self.out), *args, **options)

    def wrote(self, spec: str, *args: str) -> Path:
        """The migration that this spec makes; there must be one."""
        before = set(self.files)
        done = self.migrate(spec, *args)
        assert done.exit_code == 0, done.output
        (new,) = set(self.files) - before
        return new

    @property
    def files(self) -> list[Path]:
        return sorted((self.out / "migrations").glob("*.sql"))

    @property
    def lock(self) -> Path:
        (found,) = self.out.glob("orchestra.*.lock.json")
        return found

    def contents(self) -> dict[str, str]:
        return {
            str(f.relative_to(self.root)): f.read_text() for f in sorted(self.out.rglob("*")) if f.is_file()
        }


def spec_of(text: str) -> Spec:
    result = parse_spec(text, "orchestra.yaml")
    assert result.spec is not None, result.diagnostics
    assert not any(d.is_error for d in result.diagnostics), result.diagnostics
    return result.spec


def run(engine: Engine, file: Path, *, user: str = "postgres", by: str = "psql") -> None:
    """One migration, as people run them. Raises what stops it."""
    if by == "push":
        push(engine.url(user=user), file.read_text(encoding="utf-8"))
    else:
        engine.psql(file, user=user, options=["--single-transaction"])
