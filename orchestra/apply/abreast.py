"""Work for several connections at once: the first failure ends it, and Ctrl-C ends what is running on the server."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Generic, TypeVar

import psycopg

from orchestra.live.connect import Database

T = TypeVar("T")
_CANCEL_S = 5.0


class Abreast(Generic[T]):
    """Calls `work` once for each item, on whichever connection is free, in order of the items.

    After a failure nothing new is begun; what is running ends as it may, and the first failure is raised.
    """

    def __init__(
        self, crew: Sequence[Database], items: Sequence[T], work: Callable[[Database, T], None]
    ) -> None:
        self._crew = crew
        self._work = work
        self._items = iter(items)
        self._turn = threading.Lock()
        self._failure: BaseException | None = None

    def run(self) -> None:
        if len(self._crew) == 1:  # in this thread, where Ctrl-C arrives
            for item in self._items:
                self._work(self._crew[0], item)
            return
        threads = [threading.Thread(target=self._member, args=[database]) for database in self._crew]
        for thread in threads:
            thread.start()
        try:
            for thread in threads:
                thread.join()
        except KeyboardInterrupt:
            self._fail(KeyboardInterrupt())
            for database in self._crew:
                with suppress(psycopg.Error):
                    database.connection.cancel_safe(timeout=_CANCEL_S)
            for thread in threads:
                thread.join()
        if self._failure is not None:
            raise self._failure

    def _member(self, database: Database) -> None:
        while (item := self._next()) is not None:
            try:
                self._work(database, item)
            except BaseException as error:
                self._fail(error)

    def _next(self) -> T | None:
        with self._turn:
            return None if self._failure is not None else next(self._items, None)

    def _fail(self, error: BaseException) -> None:
        with self._turn:
            self._failure = self._failure or error
