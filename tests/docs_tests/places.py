"""The folders that pages ask for by name: `<!-- setup: NAME -->`."""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import sys
import termios
import threading
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from engines import Engine

from docs_tests.blocks import ROOT
from orchestra.dev.binaries import bin_dir


def _read(master: int, into: list[bytes]) -> None:
    """Until nobody holds the terminal any more."""
    try:
        while more := os.read(master, 65536):
            into.append(more)
    except OSError:  # the other end is closed
        pass
    os.close(master)


@dataclass(frozen=True)
class Place:
    base: Path  # where its tools and what the shell has to remember are
    folder: Path
    environment: dict[str, str]
    engine: Engine
    groups: list[int] = field(default_factory=list)  # of processes that went to the background

    def run(self, script: str, *, within: int = 120) -> tuple[int, str]:
        """Run in bash on a terminal, `yes` being typed at every question; exit code and all that was printed. Where it
        has gone with `cd`, the next one begins, with the variables that this one has exported."""
        where, variables = self.base / "where", self.base / "variables"
        if not where.exists():
            where.write_text(str(self.folder), encoding="utf-8")
            variables.touch()
        master, slave = os.openpty()
        look = termios.tcgetattr(slave)
        look[3] &= ~termios.ECHO
        termios.tcsetattr(slave, termios.TCSANOW, look)
        termios.tcsetwinsize(slave, (40, 100))
        os.write(master, b"yes\n" * 4)
        said: list[bytes] = []
        reader = threading.Thread(target=_read, args=(master, said))
        reader.start()
        keep = f'trap \'pwd > "{where}"; export -p > "{variables}"\' EXIT'
        process = subprocess.Popen(
            ["bash", "-euo", "pipefail", "-c", f'. "{variables}"\n{keep}\n{script}'],
            cwd=where.read_text(encoding="utf-8").strip(),
            env=self.environment,
            stdin=slave,
            stdout=slave,
            stderr=slave,
            process_group=0,
        )
        if re.search(r"&\s*$", script, re.MULTILINE):
            self.groups.append(process.pid)
        try:
            process.wait(within)
        except subprocess.TimeoutExpired:
            self._end(process.pid)
            process.wait()
            raise
        finally:
            os.close(slave)
            reader.join(5)  # what goes on in the background may hold the terminal open
        return process.returncode, b"".join(said).decode(errors="replace")

    def write(self, name: str, text: str) -> None:
        """A file, where its commands have gone to."""
        where = self.base / "where"
        path = Path(where.read_text(encoding="utf-8").strip() if where.exists() else self.folder) / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")

    def close(self) -> None:
        """End what its commands have left running."""
        for data in sorted(self.folder.rglob(".orchestra")):
            self.run(f"cd '{data.parent}' && orchestra dev stop")
        for group in self.groups:
            self._end(group)

    @staticmethod
    def _end(group: int) -> None:
        with suppress(ProcessLookupError):
            os.killpg(group, signal.SIGKILL)

    def must(self, script: str) -> None:
        code, said = self.run(script)
        assert code == 0, f"preparing the page: `{script}` ended with {code}:\n{said}"


_DATABASES = ("ORCHESTRA_DATABASE_URL", "DATABASE_URL", "PROD_DATABASE_URL", "PREVIEW_DATABASE_URL")


def _libpq(dsn: str) -> dict[str, str]:
    """The variables by which a bare `psql` finds the database."""
    from psycopg.conninfo import conninfo_to_dict

    parts = conninfo_to_dict(dsn)
    return {
        f"PG{name.upper()}": str(parts[key])
        for name, key in (("host", "host"), ("port", "port"), ("user", "user"), ("database", "dbname"))
        if key in parts
    }


def place(name: str, engine: Engine, base: Path) -> Place:
    """The folder called `name`, fresh, with `orchestra`, `python` and `psql` on PATH and the engine as its database."""
    tools = base / "bin"
    tools.mkdir()
    for tool in ("psql", "pg_dump"):
        (tools / tool).symlink_to(bin_dir() / tool)
    (base / ".gitconfig").write_text("[user]\n  name = Ada\n  email = ada@example.com\n", encoding="utf-8")
    if (npmrc := Path.home() / ".npmrc").is_file():
        (base / ".npmrc").symlink_to(npmrc)
    folder = base / "work"
    folder.mkdir()
    environment = {
        "PATH": f"{tools}:{Path(sys.executable).parent}:{os.environ['PATH']}",
        "HOME": str(base),
        "LANG": "C.UTF-8",
        "COLUMNS": "100",
        "NO_COLOR": "1",
        "TERM": "dumb",
        # What Deno has fetched once is not fetched again, and what it has to fetch comes from where it always does.
        "DENO_DIR": os.environ.get("DENO_DIR", str(Path.home() / ".cache" / "deno")),
        **{k: v for k, v in os.environ.items() if k.lower().startswith(("deno_", "npm_config_", "ssl_cert"))},
        "PAGER": "cat",
        "GIT_PAGER": "cat",
        **_libpq(engine.dsn),
        "ORCHESTRA_ACTOR": "ada",
        "GITHUB_STEP_SUMMARY": str(base / "summary.md"),
        **dict.fromkeys(
            ("ORCHESTRA_DATABASE_URL", "DATABASE_URL", "PROD_DATABASE_URL", "PREVIEW_DATABASE_URL"),
            engine.dsn,
        ),
    }
    made = Place(base, folder, environment, engine)
    PLACES[name](made)
    return made


def _empty(place: Place) -> None:
    """Nothing but a repository."""
    place.must("git init -q -b main")


def _laptop(place: Place) -> None:
    """A folder, and no database that anybody has named: orchestra brings its own."""
    for name in [n for n in place.environment if n.endswith("DATABASE_URL") or n.startswith("PG")]:
        del place.environment[name]


def _example_on_a_laptop(place: Place, *, name: str) -> None:
    """A folder of examples/, as it is in the repository, and no database that anybody has named."""
    _laptop(place)
    kept = shutil.ignore_patterns(".orchestra", ".env", "_shared", "config.toml", "*.gen.ts", "index.ts")
    shutil.copytree(ROOT / "examples", place.folder / "examples", ignore=kept)
    shutil.copytree(ROOT / "scripts", place.folder / "scripts", ignore=shutil.ignore_patterns("__pycache__"))
    place.must(f"cd examples/{name}")


def _shop(place: Place) -> None:
    """examples/shop, committed, its tables in the database, and nothing applied."""
    shutil.copytree(ROOT / "examples" / "shop", place.folder, dirs_exist_ok=True)
    (place.folder / "edge.yaml").unlink()
    shutil.rmtree(place.folder / "supabase")
    place.must("git init -q -b main && git add -A && git commit -q -m shop && git branch -q origin/main")
    place.must("psql -q -v ON_ERROR_STOP=1 -f setup.sql")


def _applied(place: Place) -> None:
    """The shop, applied as production."""
    _shop(place)
    place.must("orchestra apply --env production --auto-approve")


def _removed(place: Place) -> None:
    """The shop, applied with a workload `old-import`, which the working tree has not any more."""
    _shop(place)
    spec = place.folder / "orchestra.yaml"
    kept = spec.read_text(encoding="utf-8")
    old = "  old-import:\n    trigger: manual\n    duration: {max: 5s}\n    run: {sql: select 1}\n"
    spec.write_text(f"{kept.rstrip()}\n{old}", encoding="utf-8")
    place.must("git commit -q -a -m old && git branch -q -f origin/main && orchestra apply --auto-approve")
    spec.write_text(kept, encoding="utf-8")


def _drifted(place: Place) -> None:
    """The shop, applied; then one job was given another schedule and another was switched off."""
    _shop(place)
    place.must("orchestra apply --auto-approve")
    for job, change in (("purge-carts", "active => false"), ("housekeep.1m", "schedule => '*/2 * * * *'")):
        place.engine.execute(
            f"select cron.alter_job(jobid, {change}) from cron.job where jobname = %s",
            [f"orchestra:shop:{job}"],
        )


def _plan(place: Place) -> None:
    """The shop with a saved plan of it."""
    _shop(place)
    place.must("orchestra plan --out plan.json")


def _dead_letters(place: Place) -> None:
    """The shop, applied, with three messages that have failed for good."""
    _applied(place)
    place.engine.execute(
        "insert into orchestra.dead_letter (project, workload, queue_name, msg_id, payload, attempts, reason, error)"
        " select 'shop', 'import-product', 'import_product', n, jsonb_build_object('sku', n), 3,"
        " 'exhausted', 'timed out'"
        " from generate_series(1, 3) n"
    )


def _project_on_a_laptop(place: Place) -> None:
    """A spec that `init` wrote, applied to the embedded database."""
    _laptop(place)
    place.must(
        "git init -q -b main && orchestra init --project hello --provider postgres --ci none --auto-approve"
    )
    place.must("orchestra apply --auto-approve")


def _compiled(place: Place) -> None:
    """The shop with what it compiles to in its folder `supabase`."""
    _shop(place)
    place.must("orchestra compile --out supabase")


def _by_hand(place: Place) -> None:
    """No spec; a database with two queues, a job that can be imported, and three that cannot."""
    place.engine.psql(
        "create extension pgmq; create extension pg_cron; create schema app;"
        " create table app.session (id int, expires_at timestamptz);"
        " select pgmq.create('emails'), pgmq.create('my_tasks');"
        " select cron.schedule('Purge Sessions', '0 3 * * *', 'delete from app.session where expires_at < now()'),"
        " cron.schedule('two', '0 4 * * *', 'select 1; select 2'),"
        " cron.schedule('clean', '0 5 * * *', 'vacuum app.session'),"
        " cron.schedule('block', '0 6 * * *', 'do $$begin null; end$$')"
    )


PLACES: Mapping[str, Callable[[Place], None]] = {
    "an empty folder": _empty,
    "a project on a laptop": _project_on_a_laptop,
    "a database made by hand": _by_hand,
    "the shop, compiled": _compiled,
    "a laptop": _laptop,
    "the shop": _shop,
    "the shop, applied": _applied,
    "the shop, without old-import": _removed,
    "the shop, drifted": _drifted,
    "the shop, planned": _plan,
    "the shop, with dead letters": _dead_letters,
    "a clone on a laptop": partial(_example_on_a_laptop, name=".."),
    "examples on a laptop": partial(_example_on_a_laptop, name="."),
    **{
        f"examples/{folder.name} on a laptop": partial(_example_on_a_laptop, name=folder.name)
        for folder in sorted((ROOT / "examples").iterdir())
        if folder.is_dir()
    },
}
