"""The servers of one test process, each started when the first test asks for it."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import ExitStack

from engines import server
from engines.engine import Engine


class Pool:
    """Lazily started engines; under xdist every worker has a pool, so servers are never shared."""

    def __init__(self) -> None:
        self._servers: dict[tuple[str, tuple[tuple[str, str], ...]], server.Server] = {}

    def engine(self, name: str, settings: Mapping[str, str] | None = None) -> Engine:
        """A handle on the engine, its database not yet reset. With `settings`, which only the start of a server can
        change, it is a server beside the usual one.

        Raises EngineMissing when it is not provisioned.
        """
        key = (name, tuple(sorted((settings or {}).items())))
        if key not in self._servers:
            self._servers[key] = server.start(name, settings)
        return Engine(name, self._servers[key])

    def stop(self) -> None:
        with ExitStack() as stack:  # one that does not stop keeps no other from being stopped
            while self._servers:
                stack.callback(self._servers.popitem()[1].stop)
