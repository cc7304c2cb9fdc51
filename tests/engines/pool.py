"""The servers of one test process, each started when the first test asks for it."""

from __future__ import annotations

from contextlib import ExitStack

from engines import server
from engines.engine import Engine


class Pool:
    """Lazily started engines; under xdist every worker has a pool, so servers are never shared."""

    def __init__(self) -> None:
        self._servers: dict[str, server.Server] = {}

    def engine(self, name: str) -> Engine:
        """A handle on the engine, its database not yet reset.

        Raises EngineMissing when it is not provisioned.
        """
        if name not in self._servers:
            self._servers[name] = server.start(name)
        return Engine(name, self._servers[name].dsn)

    def stop(self) -> None:
        with ExitStack() as stack:  # one that does not stop keeps no other from being stopped
            while self._servers:
                stack.callback(self._servers.popitem()[1].stop)
