"""A session from its start to its stop: everything runs, and what is saved is taken up."""

from __future__ import annotations

import os
import time
from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from queue import SimpleQueue
from typing import TYPE_CHECKING, Final

from orchestra.cli import console
from orchestra.cli.database import VARIABLE, Chosen
from orchestra.cli.dev import place as places
from orchestra.cli.dev.answers import Answers
from orchestra.cli.dev.diary import Diary
from orchestra.cli.dev.functions import Functions
from orchestra.cli.dev.place import Place
from orchestra.cli.dev.road import Road
from orchestra.cli.dev.stopping import Stopping
from orchestra.cli.ending import INTERRUPTED
from orchestra.cli.specs import relative
from orchestra.dev import instance
from orchestra.dev.watching import Contents, Watch, installed, sources_below
from orchestra.errors import OrchestraError, UsageError

if TYPE_CHECKING:
    from orchestra.cli.specs import Reading
    from orchestra.dev.app_tables import Sources
    from orchestra.dev.cron_run import Notice
    from orchestra.dev.edge import LogLine
    from orchestra.dev.log.event import Event
    from orchestra.dev.log.follower import Follower
    from orchestra.spec.model import Spec

STOP: Final = ("stop", "")
SAVED: Final = ("saved", "")
LOST: Final = ("lost", "")
PATIENCE: Final = 10
"""Starts of a server that has ended, before it is said why they fail."""


@dataclass(frozen=True, slots=True)
class Wishes:
    """What was said on the command line. `port` None: the usual one, or any other where that is taken."""

    fresh: bool = False
    keep: bool = False
    watch: bool = True
    port: int | None = None
    env_file: Path | None = None
    setup: tuple[Path, ...] = ()
    as_json: bool = False


def run(paths: Sequence[Path], wishes: Wishes) -> None:
    """Until it is stopped. Raises LockedError where a session runs there already, UsageError where there is no spec."""
    place = places.find(paths)
    if place.stack and wishes.fresh:
        raise UsageError(
            f"--fresh is about the embedded database, and {place.where} is running",
            "empty that one with: supabase db reset",
        )
    if wishes.port and not place.stack:
        _require_free(wishes.port)
    with instance.only_one(place.directory) as alone:
        Session(place, wishes, alone).run()


def _require_free(port: int) -> None:
    """OrchestraError where somebody listens there; the usual port is no wish, and another is taken in its place."""
    from orchestra.dev.edge.gateway import listen

    try:
        listen(port).close()
    except OSError as fault:
        raise OrchestraError(
            f"functions cannot be served on port {port}: {(fault.strerror or str(fault)).lower()}",
            "name another with --port, or leave it out: then any free one is taken",
        ) from fault


class Session:
    def __init__(self, place: Place, wishes: Wishes, alone: instance.Instance) -> None:
        self._began = time.monotonic()
        self._place = place
        self._wishes = wishes
        self._alone = alone
        self._events: SimpleQueue[tuple[str, str]] = SimpleQueue()
        self._stopping = Stopping(lambda: self._events.put(STOP), self._end_at_once)
        self._diary = Diary(self._stopping.ask, as_json=wishes.as_json)
        self._answers = Answers(lambda text: self._events.put(("answer", text)))
        self._tracked: dict[str, Contents] = {
            name: Contents() for name in ("spec", "sql", "functions", "env")
        }
        self._watch: Watch | None = None
        self._follower: Follower | None = None
        self._functions: Functions | None = None
        self._sources: Sources | None = None
        self._road: Road | None = None
        self._dsn = ""
        self._tries = 0
        self._new = wishes.fresh or not (place.directory / "postgres").is_dir()

    # ---- from start to stop

    def run(self) -> None:
        with self._stopping.listening(), ExitStack() as stack:
            try:
                with self._stopping.busy():
                    self._start(stack)
                self._until_told()
                self._diary.say("Stopping. Ctrl-C again stops at once.", "bold")
            except KeyboardInterrupt:
                self._diary.say("Stopping. What was in progress is rolled back.", "bold")
            stack.close()
            kept = "" if self._place.stack else f" The data stays in {relative(self._place.directory)}/."
            self._diary.say(f"Stopped.{kept}", "bold")

    def _start(self, stack: ExitStack) -> None:
        from orchestra.dev.log.follower import Follower

        if places.named_elsewhere():
            self._diary.say(
                f"{VARIABLE} is set and not used: orchestra dev works on this machine only.", "yellow"
            )
        with ThreadPoolExecutor(1) as beside:
            database = beside.submit(self._database, stack)
            # The server starts meanwhile.
            readings = self._first_reading()
            self._dsn = self._ready(database)
        lost = partial(self._events.put, LOST)
        self._follower = stack.enter_context(Follower(self._dsn, self._told, lost))
        if not self._place.stack:
            self._serve(stack)
        stack.callback(self._answers.stop)
        chosen = Chosen(
            self._dsn,
            self._place.where,
            embedded=None if self._place.stack else relative(self._place.directory),
        )
        self._road = Road(self._place, chosen, self._diary, self._before_apply)
        self._road.sources = frozenset(Path(name).absolute() for r in readings for name in r.sources)
        # What is saved from here on is noticed.
        self._compare()
        self._app_tables()
        applied = self._follow_the_road(readings)
        self._changed("functions")
        self._watch_again()
        stack.callback(self._watch_no_more)
        self._say_ready(applied)

    def _first_reading(self) -> tuple[Reading, ...]:
        from orchestra.cli import specs

        readings = specs.read_all(self._place.specs)
        self._diary.expect([w.name for r in readings if r.spec for w in r.spec.workloads])
        return readings

    def _database(self, stack: ExitStack) -> str:
        """Started where it is the embedded one; its end is the session's, unless it shall go on."""
        if self._place.stack:
            return self._place.stack
        from orchestra.dev import embedded

        directory = self._place.directory
        if self._wishes.fresh:
            embedded.clear(directory)
        if not self._wishes.keep:
            stack.callback(embedded.stop, directory)
        found = embedded.find(directory)
        if found is not None and not embedded.tells_changes(found):
            embedded.stop(directory)  # an older orchestra started it
        return embedded.start(directory).dsn

    def _ready(self, database: Future[str]) -> str:
        dsn = database.result()
        took = time.monotonic() - self._began
        how = "" if self._place.stack else f" ({'made' if self._new else 'started'} in {took:.1f} s)"
        self._diary.say(f"Database: {self._place.where}{how}")
        return dsn

    def _serve(self, stack: ExitStack) -> None:
        from orchestra.dev.app_tables import Sources
        from orchestra.dev.ticker import Ticker

        stack.enter_context(Ticker(self._dsn, on_notice=self._noticed))
        self._sources = Sources(self._place.supabase, self._wishes.setup)
        self._functions = Functions(
            self._place,
            self._dsn,
            self._diary,
            port=self._wishes.port,
            env_file=self._wishes.env_file,
            on_log=self._logged,
            on_url=self._alone.serves,
        )
        stack.callback(self._functions.close)

    def _say_ready(self, applied: bool) -> None:
        assert self._road is not None
        if self._functions is not None and self._functions.url:
            self._diary.say(f"Functions: {self._functions.url}  (apikey {self._functions.key})")
        elif self._place.stack and self._place.functions.is_dir():
            self._diary.say(
                "Functions are served by the stack from the folder they are compiled to; its log has their lines."
            )
        took = f"{'Ready' if applied else 'Up'} in {time.monotonic() - self._began:.1f} s."
        if not self._wishes.watch:
            self._diary.say(f"{took} Ctrl-C stops it.", "bold")
        elif not installed():
            self._diary.say(f"{took} Ctrl-C stops it.", "bold")
            self._diary.say(
                "What you save is not noticed: run pip install 'orchestra[dev-database]'.", "yellow"
            )
        else:
            self._diary.say(f"{took} What you save is taken up; Ctrl-C stops it.", "bold")

    def _end_at_once(self) -> None:
        """Nothing is waited for: isolates end with this process, and the server ends by itself once it is told to."""
        if not self._place.stack and not self._wishes.keep:
            from orchestra.dev import embedded

            embedded.stop(self._place.directory, wait=False)
        os._exit(INTERRUPTED)

    # ---- what happens meanwhile

    def _until_told(self) -> None:
        while True:
            event = self._events.get()
            if event == STOP:
                return
            with self._stopping.busy():
                self._deal_with(*event)

    def _deal_with(self, kind: str, text: str) -> None:
        assert self._road is not None
        match kind:
            case "saved":
                self._take_up()
            case "lost":
                self._start_again()
            case "answer" if self._road.pending:
                self._answered(text)
            case "deployed" if text.isdecimal() and int(text) not in self._road.deployments:
                self._diary.say(f"Deployment #{text} was applied from elsewhere.", "cyan")
                if self._road.pending:
                    self._follow_the_road()

    def _start_again(self) -> None:
        """The server was killed, or ran out of memory. A connection that was ended is nothing: there will be another.
        It is asked for every half a second until it succeeds: what is left of a killed server takes its time to end."""
        if self._place.stack:
            return
        from orchestra.dev import embedded

        if embedded.find(self._place.directory) is not None:
            return
        try:
            embedded.start(self._place.directory)
        except OrchestraError as error:
            self._tries += 1
            if self._tries == PATIENCE:
                self._diary.fail(error)
        else:
            self._tries = 0
            self._diary.say("The database had ended, and was started again.", "bold yellow")
            # What was saved meanwhile.
            self._app_tables()
            self._follow_the_road()

    def _take_up(self) -> None:
        """What was saved, by its contents: an editor may write a file several times, or what it held before."""
        assert self._road is not None
        changed = self._compare()
        # Where no function is served, it may be the file of the environment that kept them from it.
        again = changed["env"] if self._functions is not None and not self._functions.url else frozenset()
        if changed["env"] and not again:
            self._renew_environment()
        if changed["sql"]:
            self._app_tables()
        if changed["spec"] or changed["sql"] or again:
            self._say_saved(changed["spec"] | changed["sql"] | again)
            self._follow_the_road()
            # What the compiler wrote is no edit of anybody's.
            changed["functions"] |= self._changed("functions")
            self._tracked["spec"].meet(self._spec_files())
        if changed["functions"] and self._functions is not None:
            self._renew(changed["functions"])
        self._watch_again()

    def _renew_environment(self) -> None:
        assert self._functions is not None
        try:
            self._functions.renew_environment()
        except OrchestraError as error:
            self._diary.fail(error)
            self._diary.say("Functions go on with what they had.", "dim")
        else:
            shown = relative(self._functions.env_file.absolute())
            self._diary.say(f"{shown} has changed: functions start anew.")

    def _say_saved(self, paths: frozenset[Path]) -> None:
        names = sorted(str(relative(path)) for path in paths)
        more = f" and {len(names) - 3} more" if len(names) > 3 else ""
        self._diary.say(f"Saved: {', '.join(names[:3])}{more}", "cyan")

    def _renew(self, paths: frozenset[Path]) -> None:
        assert self._functions is not None
        folder = self._place.functions.absolute()
        names = sorted({path.relative_to(folder).parts[0] for path in paths})
        if self._functions.url:
            self._diary.say(f"Functions start anew at their next call: {', '.join(names)}", "cyan")
            self._functions.renew(paths)

    def _follow_the_road(self, readings: Sequence[Reading] = (), allow: Sequence[str] = ()) -> bool:
        assert self._road is not None
        applied = self._road.go(readings, allow)
        if not self._road.pending:
            return applied
        flags = " ".join(self._road.pending)
        paths = " ".join(str(path) for path in self._place.specs)
        if self._answers.possible():
            self._diary.say("Type yes and Enter to do it all the same, or change the spec.", "bold yellow")
        else:
            self._diary.say(
                f"To do it all the same: orchestra apply {paths} --allow-destroy {flags}", "bold yellow"
            )
        return applied

    def _answered(self, text: str) -> None:
        assert self._road is not None
        if text == "yes":
            self._follow_the_road(allow=self._road.pending)
        elif text:
            self._diary.say("Only 'yes' will be accepted.")

    def _app_tables(self) -> None:
        from orchestra.dev.app_tables import bring_up

        if self._sources is None:
            return
        try:
            for line in bring_up(self._dsn, self._sources):
                self._diary.say(line)
        except OrchestraError as error:
            self._diary.fail(error)

    def _before_apply(self, specs: Sequence[Spec]) -> None:
        if self._functions is not None:
            self._functions.ensure(specs)

    # ---- what is watched

    def _compare(self) -> dict[str, frozenset[Path]]:
        return {name: self._changed(name) for name in self._tracked}

    def _changed(self, name: str) -> frozenset[Path]:
        """Which files of this sort hold something else than at the last call."""
        return self._tracked[name].changed(path.absolute() for path in self._files(name))

    def _files(self, name: str) -> list[Path]:
        env = [self._functions.env_file] if self._functions is not None else []
        match name:
            case "spec":
                return self._spec_files()
            case "sql" if self._sources is not None:
                return [*self._sources.migrations(), *self._sources.seeds(), *self._sources.setup]
            case "functions":
                return [path for path in sources_below(self._place.functions) if path not in env]
            case "env":
                return env
            case _:
                return []

    def _spec_files(self) -> list[Path]:
        """Those that were read last, payload schemas among them, and those that folders and patterns hold by now."""
        from orchestra.spec.files import read_specs

        assert self._road is not None
        named = {Path(name).absolute() for name, _ in read_specs(self._place.specs)}
        return sorted(named | self._road.sources)

    def _watch_again(self) -> None:
        """The folders may be others than they were: a new payload schema, the first function."""
        if not self._wishes.watch or not installed():
            return
        files = self._spec_files()
        folders = {path.parent for path in files} | {p.absolute() for p in self._place.specs if p.is_dir()}
        folders |= {path.resolve().parent for path in files if path.is_symlink()}
        folders |= {path.absolute().parent for path in self._wishes.setup} | {self._place.supabase.absolute()}
        if self._functions is not None:
            folders.add(self._functions.env_file.absolute().parent)
        trees = {self._place.functions.absolute(), self._place.supabase.absolute() / "migrations"}
        if self._watch is not None:
            if self._watch.watches(folders, trees):
                return
            self._watch.stop()
        self._watch = Watch(folders, trees, lambda: self._events.put(SAVED))

    def _watch_no_more(self) -> None:
        if self._watch is not None:
            self._watch.stop()

    # ---- what is told

    def _told(self, event: Event) -> None:
        if event.kind == "deployed":
            self._events.put(("deployed", event.text))
        else:
            self._diary.event(event)

    def _noticed(self, notice: Notice) -> None:
        from orchestra.dev.log.notices import told

        if self._follower is not None:
            self._follower.say(told(notice, datetime.now(UTC)))

    def _logged(self, line: LogLine) -> None:
        from orchestra.dev.log.functions import told

        event = told(line, datetime.now(UTC))
        if event is not None and self._follower is not None:
            self._follower.say(event)


def stop(paths: Sequence[Path]) -> None:
    """End the session of this folder and its database, whichever of them runs."""
    from orchestra.dev import embedded

    directory = places.directory(paths)
    ended = instance.end(directory)
    served = embedded.find(directory) is not None if directory.is_dir() else False
    if directory.is_dir():
        embedded.stop(directory)
    if ended:
        console.note(f"Stopped {ended}.")
    elif served:
        console.note("Stopped the embedded database.")
    else:
        console.note(f"Nothing runs for {relative(directory)}/.")
