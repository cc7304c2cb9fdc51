"""One embedded PostgreSQL for each project directory.

Driven by the wheel's own initdb and pg_ctl: its Python class stops the server when the process that started
it exits, while ours has to outlive the command that started it and serve several processes.

    DIRECTORY/postgres/     the data directory          DIRECTORY/share/    extensions to create
    DIRECTORY/postgres.log  the server's log            DIRECTORY/lock      held while starting or stopping
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

import psycopg

from orchestra.dev import extensions
from orchestra.dev.binaries import clean_environment, tool
from orchestra.dev.errors import DevDatabaseError
from orchestra.dev.unprivileged import launcher

DATABASE = "postgres"
USER = "postgres"
SOCKET_NAME = ".s.PGSQL.5432"
SOCKET_PATH_LIMIT = 100  # bytes; the kernel allows 107, some systems 103
START_TIMEOUT = 60  # seconds

# What a hosted server has that the code looks at. The `cron.*` ones are placeholders here: pg_cron's library,
# which would define them, is what the stand-in replaces.
SETTINGS: Mapping[str, str] = {
    "listen_addresses": "",
    "port": "5432",  # names the socket only; each project has a socket directory of its own
    "max_connections": "100",
    "shared_buffers": "64MB",
    "synchronous_commit": "off",
    "wal_level": "logical",  # as on a hosted server; `orchestra dev` reads there what was committed
    "timezone": "GMT",
    "log_timezone": "GMT",
    "cron.database_name": DATABASE,
    "cron.host": "localhost",
    "cron.timezone": "GMT",
    "cron.max_running_jobs": "32",
    "cron.log_run": "on",
    "cron.use_background_workers": "off",
    "cron.enable_superuser_jobs": "on",
}

# The roles to which PostgREST and the platform's keys lead: as on a hosted project.
API_ROLES: Mapping[str, str] = {
    "anon": "nologin noinherit",
    "authenticated": "nologin noinherit",
    "service_role": "nologin noinherit bypassrls",
}


@dataclass(frozen=True)
class Embedded:
    """A running server. Nothing stops it but `stop()`, so that any process of the project may use it."""

    directory: Path
    dsn: str  # a URL, as the superuser `postgres`

    def stop(self) -> None:
        """Stop the server cleanly; clients are disconnected. Does nothing when it is not running."""
        stop(self.directory)


def start(
    directory: Path | str, *, pgmq_extension: bool = True, settings: Mapping[str, str] | None = None
) -> Embedded:
    """Start the server of `directory`, or find it running; its data is made on the first call (about 2 s).

    It has the roles that a Supabase project has for its API.

    With `pgmq_extension`, `create extension pgmq` works, as the migrations of an app have it. `settings` are server
    settings that go over the defaults; they take effect when the server starts, not on one that is running already.

    Raises DevDatabaseError with the server's own words when it does not come up.
    """
    home = Path(directory).absolute()
    try:
        home.mkdir(parents=True, exist_ok=True)
        (home / ".gitignore").write_text("*\n", encoding="utf-8")
    except OSError as fault:
        raise DevDatabaseError(
            f"the embedded database is kept in {home}, where nothing can be written: {fault.strerror}",
            "go to a folder that you may write to, or name another database with --db URL",
        ) from None
    with _locked(home):
        extensions.install(home / "share", with_pgmq=pgmq_extension)
        running = Embedded(home, _dsn(home))
        if not _answers(running.dsn):
            _make_data(home)
            _write_settings(home, {**SETTINGS, **(settings or {})})
            _launch(home)
            try:
                _make_api_roles(running.dsn)
            except psycopg.OperationalError as fault:
                raise DevDatabaseError(
                    f"the embedded database in {home} has started and is of no use: {' '.join(str(fault).split())}",
                    f"begin anew without its data: orchestra dev --fresh; its log is {home / 'postgres.log'}",
                ) from None
        return running


def find(directory: Path | str) -> Embedded | None:
    """The server of `directory` if one is running; starts nothing."""
    home = Path(directory).absolute()
    found = Embedded(home, _dsn(home))
    return found if _answers(found.dsn) else None


def tells_changes(server: Embedded) -> bool:
    """Whether what is committed there can be followed; one that an older version started has to be started anew."""
    with psycopg.connect(server.dsn) as connection:
        return connection.execute("show wal_level").fetchone() == (SETTINGS["wal_level"],)


def clear(directory: Path | str) -> None:
    """Stop the server of `directory` and remove its data, for ever."""
    home = Path(directory).absolute()
    stop(home)
    for name in ("postgres", "postgres.new"):
        shutil.rmtree(home / name, ignore_errors=True)


def stop(directory: Path | str, *, wait: bool = True) -> None:
    """Stop the server of `directory`, if it runs; without `wait` it is only told to."""
    home = Path(directory).absolute()
    if not _runs(home / "postgres"):
        return
    if not wait:
        _pg_ctl(home, "stop", "-m", "fast", "-W")
        return
    with _locked(home):
        done = _pg_ctl(home, "stop", "-m", "fast")
        if done.returncode != 0 and _runs(home / "postgres"):
            raise DevDatabaseError(f"the embedded database in {home} does not stop: {done.stderr.strip()}")


def _runs(data: Path) -> bool:
    """Whether the server of this data is there. After a crash of the machine its file is left, and the number in it
    may be another process by then, which pg_ctl would stop."""
    try:
        pid = int((data / "postmaster.pid").read_text(encoding="utf-8").split("\n", 1)[0])
        os.kill(pid, 0)
    except (FileNotFoundError, ProcessLookupError, ValueError, OverflowError):
        return False
    except PermissionError:
        pass  # another user's
    try:
        return Path(f"/proc/{pid}/cwd").samefile(data)
    except OSError:
        return True  # a system without /proc, or a process that may not be looked at


@contextmanager
def _locked(home: Path) -> Iterator[None]:
    with (home / "lock").open("w") as handle:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield


def _socket_dir(home: Path) -> Path:
    """Beside the data; if that is too long for a socket, a private directory named by a hash of the path."""
    beside = home / "run"
    if len(os.fsencode(beside / SOCKET_NAME)) <= SOCKET_PATH_LIMIT:
        return beside
    digest = hashlib.sha256(os.fsencode(home)).hexdigest()[:16]
    return Path(tempfile.gettempdir()) / f"orchestra-{os.getuid()}-{digest}"


def _dsn(home: Path) -> str:
    return f"postgresql://{USER}@/{DATABASE}?host={quote(str(_socket_dir(home)), safe='')}&port=5432"


def _answers(dsn: str) -> bool:
    try:
        with psycopg.connect(dsn, connect_timeout=5):
            return True
    except psycopg.OperationalError:
        return False


def _make_data(home: Path) -> None:
    data = home / "postgres"
    wheel = subprocess.run([tool("postgres"), "--version"], capture_output=True, text=True, check=True).stdout
    if (data / "PG_VERSION").exists():
        major = (data / "PG_VERSION").read_text().strip()
        if f" {major}." not in wheel:
            raise DevDatabaseError(
                f"the data in {data} was made by PostgreSQL {major}, the installed one says {wheel.strip()}",
                f"remove {data} to begin with an empty database",
            )
        return
    # Made under another name and moved, so that an initdb that was interrupted is never taken for a database.
    building = home / "postgres.new"
    shutil.rmtree(building, ignore_errors=True)
    building.mkdir(mode=0o700)
    launcher().hand_over(building)
    made = _run(
        [
            *(tool("initdb"), "-D", str(building), "-U", USER, "--auth=trust"),
            *("--no-sync", "--no-instructions"),
            *("--encoding=UTF8", "--locale-provider=builtin", "--builtin-locale=C.UTF-8", "--locale=C"),
        ]
    )
    if made.returncode != 0:
        raise DevDatabaseError(f"initdb failed in {building}: {made.stderr.strip()}")
    building.rename(data)


def _write_settings(home: Path, settings: Mapping[str, str]) -> None:
    sockets = _socket_dir(home)
    sockets.mkdir(mode=0o700, parents=True, exist_ok=True)
    if sockets.stat().st_uid not in (os.getuid(), launcher().uid):
        raise DevDatabaseError(
            f"{sockets} belongs to another user", "remove it, or use a shorter project directory"
        )
    launcher().hand_over(sockets)
    fixed = {
        "unix_socket_directories": str(sockets),
        "extension_control_path": f"$system:{home / 'share'}",
    }
    lines = [f"{name} = '{_escaped(value)}'" for name, value in {**settings, **fixed}.items()]
    own = home / "postgres" / "orchestra.conf"
    own.write_text("# written by orchestra at each start\n" + "\n".join(lines) + "\n", encoding="utf-8")
    own.chmod(0o644)
    main = home / "postgres" / "postgresql.conf"
    text = main.read_text(encoding="utf-8")
    include = "include_if_exists = 'orchestra.conf'"
    if include not in text:
        main.write_text(f"{text}\n{include}\n", encoding="utf-8")


def _escaped(value: str) -> str:
    return value.replace("\\", "\\\\").replace("'", "''")


def _launch(home: Path) -> None:
    log = home / "postgres.log"
    log.touch()
    launcher().hand_over(log)
    began = log.stat().st_size
    done = _pg_ctl(home, "start", "-l", str(log))
    if done.returncode != 0:
        with log.open(encoding="utf-8", errors="replace") as handle:
            handle.seek(began)
            said = handle.read().strip()
        raise DevDatabaseError(
            f"the embedded database in {home} does not start: {said or done.stderr.strip()}",
            f"the whole log is in {log}",
        )


def _make_api_roles(dsn: str) -> None:
    with psycopg.connect(dsn, autocommit=True) as connection:
        known = {name for (name,) in connection.execute("select rolname from pg_roles")}
        for name, options in API_ROLES.items():
            if name not in known:
                connection.execute(f"create role {name} {options}".encode())


def _pg_ctl(home: Path, action: str, *options: str) -> subprocess.CompletedProcess[str]:
    data = str(home / "postgres")
    return _run([tool("pg_ctl"), action, "-D", data, "-w", "-t", str(START_TIMEOUT), "-s", *options])


def _run(command: list[str]) -> subprocess.CompletedProcess[str]:
    # Output goes to a file, not a pipe: the server that pg_ctl leaves behind would keep a pipe open for ever.
    with tempfile.TemporaryFile("w+") as output:
        done = subprocess.run(
            [*launcher().prefix, *command],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            env=clean_environment(),
            cwd="/",  # the server's user may not be able to enter ours
            check=False,
        )
        output.seek(0)
        return subprocess.CompletedProcess(command, done.returncode, stderr=output.read())
