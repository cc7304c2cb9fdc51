"""The Edge Functions of a session: served by Deno as soon as there is one, with new isolates where code has changed."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Final

from orchestra.cli.dev.diary import Diary
from orchestra.cli.dev.place import Place
from orchestra.errors import OrchestraError

if TYPE_CHECKING:
    from orchestra.dev.edge import EdgeServer, LogLine
    from orchestra.spec.model import Spec

PORT: Final = 54321
"""Where `supabase start` serves functions, unless config.toml says otherwise."""
DEFAULT_ENV: Final = ".env"
"""Beside the functions, as `supabase functions serve` reads it."""


class Functions:
    """Nothing is served until `ensure` finds that there is something to serve."""

    def __init__(
        self,
        place: Place,
        dsn: str,
        diary: Diary,
        *,
        port: int | None,
        env_file: Path | None,
        on_log: Callable[[LogLine], None],
        on_url: Callable[[str], None],
    ) -> None:
        """`port` None: the usual one, or any other where that is taken."""
        self._place = place
        self._dsn = dsn
        self._diary = diary
        self._port = port
        self._env_file = env_file
        self._on_log = on_log
        self._on_url = on_url
        self._stack = ExitStack()
        self._server: EdgeServer | None = None
        self._key = ""
        self._without = False
        self._kept: dict[str, str] = {}

    @property
    def env_file(self) -> Path:
        return self._env_file or self._place.functions / DEFAULT_ENV

    @property
    def url(self) -> str:
        return self._server.url if self._server else ""

    @property
    def key(self) -> str:
        return self._key

    def ensure(self, specs: Iterable[Spec]) -> None:
        """Serve where a spec has functions or the folder has, and let the database know where."""
        from orchestra.kinds.edge_function import has_function

        found = list(specs)
        wanted = any(has_function(w) for spec in found for w in spec.workloads)
        if self._server is None and not self._without and (wanted or self._has_some()):
            self._start(found, required=wanted)
        if self._server is not None and wanted:
            self._keep_secrets(found)

    def close(self) -> None:
        self._stack.close()

    def renew(self, changed: Iterable[Path]) -> None:
        """Take up what has changed: a function's own files, or what all of them share."""
        if self._server is None:
            return
        files = list(changed)
        names: set[str] | None = set()
        for path in files:
            parts = path.relative_to(self._place.functions.absolute()).parts
            own = len(parts) > 1 and not parts[0].startswith(("_", "."))
            names = names | {parts[0]} if own and names is not None else None
        self._server.renew(None if names is None else frozenset(names))

    def renew_environment(self) -> None:
        if self._server is not None:
            self._server.renew(None, self._environment())

    def _has_some(self) -> bool:
        folder = self._place.functions
        return folder.is_dir() and any((entry / "index.ts").is_file() for entry in folder.iterdir())

    def _start(self, specs: Sequence[Spec], *, required: bool) -> None:
        from orchestra.dev import function_env
        from orchestra.dev.edge import EdgeError, EdgeServer, find_deno
        from orchestra.kinds.secret import FUNCTION_KEY, VAULT, vault_name

        try:
            find_deno()
            self._read()
        except EdgeError as error:
            self._without = True
            if required:
                self._diary.say(f"Edge Functions are not served: {error.message}", "bold yellow")
                self._diary.say(f"  {error.remedy}; what runs in SQL runs all the same", "green")
            return
        names = dict.fromkeys([vault_name(spec, FUNCTION_KEY) for spec in specs] or [VAULT[FUNCTION_KEY]])
        self._key = function_env.kept_key(self._dsn, list(names))

        def server(port: int) -> EdgeServer:
            made = EdgeServer(
                self._place.functions, self._environment(), port=port, on_log=self._on_log, wall_clock_s=150
            )
            return self._stack.enter_context(made)

        if self._port is not None:
            self._server = server(self._port)
        else:
            usual = _usual_port(self._place.supabase)
            try:
                self._server = server(usual)
            except EdgeError:
                self._server = server(0)
                self._diary.say(
                    f"port {usual} is taken, so functions answer at {self._server.port}", "yellow"
                )
        self._on_url(self._server.url)

    def _environment(self) -> dict[str, str]:
        from orchestra.dev import function_env

        given, left_out = function_env.environment(self._dsn, self._read(), self._key)
        if left_out:
            names = ", ".join(left_out)
            self._diary.say(
                f"left out of {self.env_file.name}, for they belong to another database: {names}", "yellow"
            )
        return given

    def _read(self) -> dict[str, str]:
        from orchestra.dev.edge import EdgeError

        if not self.env_file.is_file():
            if self._env_file is not None:
                raise OrchestraError(f"there is no file {self._env_file}", "it was named by --env-file")
            return {}
        try:
            from dotenv import dotenv_values
        except ModuleNotFoundError:
            raise EdgeError(
                f"{self.env_file} is read by the package python-dotenv, and it is not installed",
                "run: pip install 'orchestra[dev-functions]'",
            ) from None
        try:
            found = dotenv_values(self.env_file)
        except OSError as fault:
            raise OrchestraError(f"{self.env_file} cannot be read: {fault.strerror}") from None
        except UnicodeDecodeError:
            raise OrchestraError(f"{self.env_file} is no text in UTF-8", "save it as UTF-8") from None
        return {name: value for name, value in found.items() if value is not None}

    def _keep_secrets(self, specs: Iterable[Spec]) -> None:
        from orchestra.dev import function_env
        from orchestra.kinds.secret import FUNCTION_KEY, FUNCTION_URL, vault_name

        wanted: dict[str, str] = {}
        for spec in specs:
            wanted[vault_name(spec, FUNCTION_URL)] = self.url
            wanted[vault_name(spec, FUNCTION_KEY)] = self._key
        if wanted != self._kept:
            function_env.keep_secrets(self._dsn, wanted)
            self._kept = wanted


def _usual_port(supabase: Path) -> int:
    import tomllib

    try:
        port = tomllib.loads((supabase / "config.toml").read_text("utf-8")).get("api", {}).get("port", PORT)
    except (OSError, ValueError, AttributeError):
        return PORT
    return port if isinstance(port, int) and 0 < port < 65536 else PORT
