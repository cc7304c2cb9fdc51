from __future__ import annotations

import sys
from datetime import datetime
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, TextIO

import click

from orchestra.cli import console, options, pausing, whose
from orchestra.cli.completion import offers

if TYPE_CHECKING:
    from orchestra.cli.operating import At
    from orchestra.operate.sending import Target


class _Moment(click.ParamType[datetime]):
    """A time with its time zone."""

    name = "time"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> datetime:
        if isinstance(value, datetime):
            return value
        try:
            found = datetime.fromisoformat(value)
        except ValueError:
            self.fail(f"{value!r} is no time; write 2030-01-31T08:00+01:00", param, ctx)
        if found.tzinfo is None:
            self.fail(f"{value!r} has no time zone; write it behind: {value}Z is UTC", param, ctx)
        return found


@click.command("send")
@options.specs()
@click.option(
    "--workload",
    required=True,
    metavar="NAME",
    shell_complete=offers.workloads,
    help="The workload that gets it.",
)
@click.option("--payload", metavar="JSON", help="What is sent. Default: null.")
@click.option(
    "--from",
    "source",
    metavar="FILE",
    shell_complete=offers.any_file,
    help="Send each item of this file, a JSON array or one JSON value a line; - is standard input.",
)
@click.option("--delay", type=options.Duration(), metavar="DURATION", help="They may begin after this long.")
@click.option("--at", "moment", type=_Moment(), metavar="TIME", help="They may begin at this time.")
@click.option(
    "--idempotency-key",
    "key",
    metavar="TEXT",
    help="Send nothing where this key was sent already, and say its id.",
)
@whose.project
@options.database
@pausing.reason
@options.auto_approve
@options.output_format("text", "json")
def command(
    specs: tuple[Path, ...], project: str | None, db: str | None, environment: str | None, **how: Any
) -> None:
    """Send work to a queue by hand: one payload, or all items of a file. Each is checked against the workload's payload
    schema before anything is sent, and all of them are sent in one transaction or none.

    More than one message to a protected environment is asked for first.

    \b
    Example:
      orchestra send --workload import-product --payload '{"sku": "A1"}'
      orchestra send --workload import-product --from products.jsonl --env production
    """
    _send(specs, project, db, environment, how)


def _send(
    paths: tuple[Path, ...], project: str | None, db: str | None, environment: str | None, how: dict[str, Any]
) -> None:
    from orchestra.cli.operating import at
    from orchestra.errors import UsageError
    from orchestra.operate import payloads, sending

    source: str | None = how["source"]
    if source is not None and how["payload"] is not None:
        raise UsageError("--payload and --from are two sources", "give one of them")
    if source is not None and how["key"] is not None:
        raise UsageError("--idempotency-key is for one message", "give it with --payload")
    if how["delay"] is not None and how["moment"] is not None:
        raise UsageError("--delay and --at are two times", "give one of them")
    with at(paths, project, db, environment) as here:
        target = sending.target(here.database, here.project, how["workload"])
        if source is None:
            text = how["payload"] if how["payload"] is not None else "null"
            one = [payloads.Item(0, text)]
            found = [item.text for item in payloads.judged(one, "--payload", target.schema)]
            ids = _in_one(here, target, iter(found), 1, how)
        else:
            ids = _from(here, target, source, how)
    _told(here.project, target, ids, how["form"])


def _from(here: At, target: Target, source: str, how: dict[str, Any]) -> list[int]:
    """Twice through the file: to judge it, then to send it."""
    from orchestra.errors import OrchestraError
    from orchestra.operate import payloads

    name = "standard input" if source == "-" else source
    with _opened(source) as file:
        try:
            count = sum(1 for _ in payloads.judged(payloads.items(file, name), name, target.schema))
            _ask(here, target, count, how)
            file.seek(0)
            return _in_one(here, target, (item.text for item in payloads.items(file, name)), count, how)
        except UnicodeDecodeError:
            raise OrchestraError(f"{name} is not UTF-8 text", "nothing was sent") from None


def _opened(source: str) -> TextIO:
    """A file that can be read twice."""
    import io

    from orchestra.errors import OrchestraError, UsageError

    if source == "-":
        if console.is_terminal(sys.stdin):
            raise UsageError("--from - reads standard input, which is a terminal", "pipe a file into it")
        return io.TextIOWrapper(_copy(sys.stdin.buffer), encoding="utf-8-sig")
    try:
        file = Path(source).open("rb")  # noqa: SIM115 - what is given back closes it
        if not file.seekable():  # `--from <(command)`
            with file:
                return io.TextIOWrapper(_copy(file), encoding="utf-8-sig")
        return io.TextIOWrapper(file, encoding="utf-8-sig")
    except OSError as error:
        raise OrchestraError(f"cannot read {source}: {error.strerror or error}") from None


def _copy(file: IO[bytes]) -> IO[bytes]:
    """What can be read once, in a file without a name."""
    import shutil
    import tempfile

    copy = tempfile.TemporaryFile("w+b")  # noqa: SIM115 - the text over it closes it
    shutil.copyfileobj(file, copy)
    copy.seek(0)
    return copy


def _ask(here: At, target: Target, count: int, how: dict[str, Any]) -> None:
    from orchestra.cli.confirm import confirmed
    from orchestra.errors import UsageError
    from orchestra.report.words import count as counted

    if count < 2 or not here.chosen.protect or how["auto_approve"]:
        return
    where = f"{target.workload} in protected environment {here.chosen.environment}"
    if not console.interactive():
        raise UsageError(
            f"{counted(count, 'message')} to {where}, and there is no terminal to ask on",
            "add --auto-approve",
        )
    if not confirmed(
        f"Do you want to send {counted(count, 'message')} to {where}?", "They run as soon as may be."
    ):
        console.note("Not sent. Nothing was changed.")
        raise click.exceptions.Exit(1)


def _in_one(here: At, target: Target, texts: Any, count: int, how: dict[str, Any]) -> list[int]:
    """All in one transaction: what stops it leaves nothing behind."""
    from itertools import islice

    from orchestra.cli.ending import Interrupted
    from orchestra.cli.progress import Progress
    from orchestra.operate import sending

    ids: list[int] = []
    if not count:
        return ids
    progress = Progress()
    try:
        with here.acting(how["reason"]):
            while batch := list(islice(texts, sending.BATCH)):
                ids += sending.send(
                    here.database,
                    here.project,
                    target.workload,
                    batch,
                    delay_s=how["delay"],
                    at=how["moment"],
                    key=how["key"],
                )
                progress(len(ids), count, target.workload)
            sending.note(here.database, here.project, target.workload, len(ids))
    except KeyboardInterrupt:
        raise Interrupted("Interrupted. Nothing was sent.") from None
    finally:
        progress.end()
    return ids


def _told(project: str, target: Target, ids: list[int], form: str) -> None:
    from orchestra.report.words import count

    noun = "run" if target.is_pipeline else "message"
    if form == "json":
        import json

        document = {
            "format_version": 1,
            "project": project,
            "workload": target.workload,
            "kind": noun,
            "count": len(ids),
            "ids": ids,
        }
        console.out(json.dumps(document))
    elif len(ids) == 1:
        verb = "Started run" if target.is_pipeline else "Sent message"
        console.out(f"{verb} {ids[0]} {'of' if target.is_pipeline else 'to'} {target.workload}.")
    elif ids:
        verb = "Started" if target.is_pipeline else "Sent"
        console.out(
            f"{verb} {count(len(ids), noun)} {'of' if target.is_pipeline else 'to'} {target.workload}."
        )
    else:
        console.out("There is nothing to send.")
    if target.paused and ids:
        console.note(
            f"Workload {target.workload} is paused, or its project is: nothing begins before it is resumed."
        )
