"""One running server, in a fresh data directory that belongs to this test process alone."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import time
from abc import ABC, abstractmethod
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import urlsplit

import psycopg

from engines.rundir import RunDir
from orchestra.dev import embedded

PROVISION = "scripts/provision-engines"
START_TIMEOUT = 30  # seconds
STOP_TIMEOUT = 60  # seconds, where it has to be in good order
TRUST_HBA = "local all all trust\nhost all all 127.0.0.1/32 trust\nhost all all ::1/128 trust\n"

# Limits that code has to live with on a hosted server are left at their defaults; only durability is given
# up.
SETTINGS: Mapping[str, str] = {
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
    "max_connections": "100",
    "shared_buffers": "64MB",
    "dynamic_shared_memory_type": "mmap",
    "listen_addresses": "127.0.0.1",
    "timezone": "GMT",
    "log_timezone": "GMT",
    "shared_preload_libraries": "pg_cron",
    "cron.database_name": "postgres",
    "cron.log_statement": "off",
}


class EngineMissing(Exception):
    """The engine is not provisioned on this machine. An error, never a skip."""


class Server(ABC):
    """A server that lives until `stop()` or the end of the process that made it."""

    name: str
    dsn: str  # URL, superuser `postgres`, the database in which cron runs

    @abstractmethod
    def stop(self) -> None: ...

    def restart(self) -> None:
        """In good order, on the same port."""
        raise NotImplementedError(f"{self.name} is not restarted by tests")


class EmbeddedServer(Server):
    """PostgreSQL 18 of the wheel, as the command line would start it."""

    name = "embedded"

    def __init__(self, settings: Mapping[str, str] | None = None) -> None:
        self._run = RunDir("embedded")
        fast = {"fsync": "off", "full_page_writes": "off", **(settings or {})}
        self._server = embedded.start(self._run.path, pgmq_extension=True, settings=fast)
        self.dsn = self._server.dsn

    def stop(self) -> None:
        self._server.stop()
        self._run.remove()


class DebianServer(Server):
    """A server of a Debian package, run as user `postgres`; it dies with the test process."""

    def __init__(
        self,
        name: str,
        major: int,
        *,
        root: Path | None = None,
        settings: Mapping[str, str] | None = None,
    ) -> None:
        """`root` is the tree to change into; None runs the system's own server. `settings` go over SETTINGS."""
        self.name = name
        self._settings = {**SETTINGS, **(settings or {})}
        self._bin = f"/usr/lib/postgresql/{major}/bin"
        self._root = root
        self._require()
        self._run = RunDir(name, parent=root / "srv" / "clusters" if root else None)
        self._data = self._run.path / "data"
        self._process: subprocess.Popen[bytes] | None = None
        self._initdb()
        for attempt in range(3):
            if self._start(_free_port()):
                break
            if attempt == 2:
                raise RuntimeError(f"{name} does not start:\n{self._log()}")

    def _require(self) -> None:
        root = self._root or Path("/")
        wanted = [root / self._bin.lstrip("/") / "postgres"]
        major = self._bin.split("/")[4]
        wanted.append(root / f"usr/share/postgresql/{major}/extension/pg_cron.control")
        if missing := [str(path) for path in wanted if not path.exists()]:
            raise EngineMissing(f"{self.name} is not provisioned ({missing[0]} is missing); run {PROVISION}")
        if self._root is not None and os.geteuid() != 0:
            raise EngineMissing(
                f"{self.name} runs in a tree of its own, which needs root; run the tests as root"
            )

    def _command(self, program: str, *arguments: str) -> list[str]:
        """The program under an unprivileged user; the kernel stops it (fast) when this process dies."""
        run = [f"{self._bin}/{program}", *arguments]
        if os.geteuid() == 0:
            user = ["--reuid=postgres", "--regid=postgres", "--init-groups"]
            run = ["setpriv", *user, "--pdeathsig=INT", *run]
        return ["chroot", str(self._root), *run] if self._root else run

    def _inside(self, path: Path) -> str:
        """The path as the server sees it."""
        return f"/{path.relative_to(self._root)}" if self._root else str(path)

    def _initdb(self) -> None:
        self._data.mkdir()
        self._run.give_to_postgres(self._data, self._root)
        subprocess.run(
            self._command(
                *("initdb", "-D", self._inside(self._data), "-U", "postgres", "-A", "trust", "-N"),
                *("-E", "UTF8", "--locale=C.UTF-8"),
            ),
            check=True,
            capture_output=True,
            stdin=subprocess.DEVNULL,
            cwd="/",
        )
        (self._data / "pg_hba.conf").write_text(TRUST_HBA)

    def _start(self, port: int) -> bool:
        settings = {
            **self._settings,
            "port": str(port),
            "unix_socket_directories": self._inside(self._data),
        }
        options = [f"--{name}={value}" for name, value in settings.items()]
        with (self._run.path / "log").open("ab") as log:
            self._process = subprocess.Popen(
                self._command("postgres", "-D", self._inside(self._data), *options),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                cwd="/",
                start_new_session=True,  # a Ctrl-C at the terminal is pytest's business
            )
        self.dsn = f"postgresql://postgres@127.0.0.1:{port}/postgres"
        deadline = time.monotonic() + START_TIMEOUT
        while time.monotonic() < deadline:
            if self._process.poll() is not None:
                return False
            try:
                with psycopg.connect(self.dsn, connect_timeout=5):
                    return True
            except psycopg.OperationalError:
                time.sleep(0.05)
        said = self._log()  # which goes with the stop
        self.stop()
        raise RuntimeError(f"{self.name} does not answer within {START_TIMEOUT} s:\n{said}")

    def _log(self) -> str:
        return (self._run.path / "log").read_text(errors="replace")[-4000:]

    def restart(self) -> None:
        """As `pg_ctl restart -m fast` does it, and a child of this process again."""
        process, port = self._process, urlsplit(self.dsn).port
        assert process is not None
        assert port is not None
        process.send_signal(signal.SIGINT)
        if (code := process.wait(timeout=STOP_TIMEOUT)) != 0 or not self._start(port):
            raise RuntimeError(f"{self.name} ended with {code} and was to start again:\n{self._log()}")

    def stop(self) -> None:
        process, self._process = self._process, None
        if process is not None and process.poll() is None:
            process.send_signal(signal.SIGINT)
            try:
                process.wait(timeout=10)
            except subprocess.TimeoutExpired:
                process.send_signal(signal.SIGQUIT)
                process.wait(timeout=10)
        self._run.remove()


def start(name: str, settings: Mapping[str, str] | None = None) -> Server:
    """Start an engine by name, with settings that only the start of a server can change.

    Raises EngineMissing when it is not provisioned.
    """
    match name:
        case "embedded":
            return EmbeddedServer(settings)
        case "pg17":
            return DebianServer("pg17", 17, root=engines_home() / "pg17", settings=settings)
        case "pg15":
            return DebianServer("pg15", 15, settings=settings)
    raise ValueError(f"no engine is called {name!r}")


def engines_home() -> Path:
    """Where scripts/provision-engines puts what it builds."""
    if home := os.environ.get("ORCHESTRA_ENGINES"):
        return Path(home)
    cache = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(cache) / "orchestra-engines"


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
