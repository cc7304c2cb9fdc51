"""`orchestra dlq`: what was asked for, a question where something changes, and what came of it."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, TypeAlias

import click

from orchestra.cli import console
from orchestra.errors import BlockedError, OrchestraError, UsageError

if TYPE_CHECKING:
    from orchestra.cli.operating import At
    from orchestra.operate.dead_letters import Filter, Meant

Where: TypeAlias = "tuple[tuple[Path, ...], str | None, str | None, str | None]"
"""Specs, project, URL, environment."""
_NAMED: Final = 10
"""Up to how many letters are told one by one."""


def listing(where: Where, how: Mapping[str, Any]) -> None:
    from orchestra.cli.operating import at
    from orchestra.operate import dead_letters
    from orchestra.report import dead_letters_json, dead_letters_text

    with at(*where) as here:
        found = dead_letters.listing(here.database, here.project, _filter(here, how), how["limit"])
    if how["form"] == "json":
        console.document(dead_letters_json.listing(found, here.project), end="")
    elif found.letters:
        console.out(dead_letters_text.listing(found, here.project, console.style(sys.stdout)), end="")
    else:
        narrowed = any(how[name] for name in ("workloads", "error", "since"))
        console.note(f"Project {here.project} has no {'such ' if narrowed else ''}dead letters.")


def show(where: Where, number: int, form: str) -> None:
    from orchestra.cli.operating import at
    from orchestra.operate import dead_letters
    from orchestra.report import dead_letters_json, dead_letters_text

    with at(*where) as here:
        found = dead_letters.letter(here.database, here.project, number)
    if found is None:
        raise UsageError(
            f"project {here.project} has no dead letter {number}", "orchestra dlq list shows those that wait"
        )
    if form == "json":
        console.document(dead_letters_json.show(found, here.project), end="")
    else:
        console.out(dead_letters_text.letter(found, console.style(sys.stdout)), end="")


def redrive(where: Where, how: Mapping[str, Any]) -> None:
    from orchestra.cli.confirm import confirmed, require_someone
    from orchestra.cli.operating import at
    from orchestra.operate import dead_letters
    from orchestra.report.cells import visible
    from orchestra.report.words import count

    _require_some(how, "redrive")
    require_someone(how["auto_approve"], "add --auto-approve")
    with at(*where) as here:
        meant = _meant(here, how, to_redrive=True)
        if meant.count and not how["auto_approve"]:
            _show_meant(meant)
            detail = "They run again, with all their attempts before them."
            if not confirmed(f"Do you want to redrive {count(meant.count, 'dead letter')}?", detail):
                console.note("Not redriven. Nothing was changed.")
                raise click.exceptions.Exit(1)
        back: list[dict[str, int | str]] = []

        def send_back(name: str, ids: list[int]) -> int:
            found = dead_letters.redrive(here.database, here.project, name, ids, how["delay"])
            back.extend({"id": one, "workload": name, "message_id": new} for one, new in found.items())
            return len(found)

        def told(done: int) -> None:
            if how["form"] == "json":
                _json(here.project, "redrive", meant, done, redriven=back, **_staying(meant))

        done = _in_batches(here, meant, how["reason"], "redriven", send_back, told)
    if how["form"] == "text":
        _told("redrive", "redriven", meant, done)
        if len(back) <= _NAMED:
            for one in back:
                console.out(
                    f"  {one['id']} is message {one['message_id']} of {visible(str(one['workload']))}"
                )
    _notes(meant, done)


def purge(where: Where, how: Mapping[str, Any]) -> None:
    from orchestra.cli.operating import at
    from orchestra.operate import dead_letters

    _require_some(how, "purge")
    if how["expect"] is None and not console.interactive():
        raise UsageError(
            "there is no terminal to ask on, and --expect was not given",
            "add --expect N with the number of letters that orchestra dlq list shows",
        )
    with at(*where) as here:
        meant = _meant(here, how, to_redrive=False)
        if meant.count or how["expect"]:
            _require_count(meant, how["expect"])
        done = _in_batches(
            here,
            meant,
            how["reason"],
            "purged",
            lambda name, ids: dead_letters.purge(here.database, here.project, name, ids),
            lambda done: _json(here.project, "purge", meant, done) if how["form"] == "json" else None,
        )
    if how["form"] == "text":
        _told("purge", "purged", meant, done)
    _notes(meant, done)


def export(where: Where, how: Mapping[str, Any]) -> None:
    from orchestra.cli.operating import at
    from orchestra.operate import dead_letters
    from orchestra.report import dead_letters_json
    from orchestra.report.words import count

    target: Path | None = how["out"]
    if target is not None and (target.exists() or target.is_symlink()):
        raise UsageError(f"{target} exists", "give --out another name, or remove it first")
    line = dead_letters_json.payload if how["payloads"] else dead_letters_json.line
    written = 0
    with at(*where) as here:
        found = dead_letters.exported(here.database, here.project, _filter(here, how))
        if target is None:
            for one in found:
                console.document(line(one))
                written += 1
        else:
            from orchestra.cli import files

            def lines() -> Iterator[str]:
                nonlocal written
                for one in found:
                    yield line(one) + "\n"
                    written += 1

            files.write_new(target, lines())
    console.note(f"Exported {count(written, 'dead letter')}{f' to {target}' if target else ''}.")


def _filter(here: At, how: Mapping[str, Any]) -> Filter:
    from orchestra.operate import pausing
    from orchestra.operate.dead_letters import Filter

    names = tuple(how["workloads"])
    if names:
        # Letters outlive their workloads, so a name that is gone is asked for all the same.
        known = {w.workload for w in pausing.gate(here.database, here.project).workloads}
        gone = [name for name in names if name not in known]
        if gone:
            console.note(
                f"Project {here.project} has no workload {gone[0]} by now; letters of it may be left."
            )
    since = datetime.now(UTC) - timedelta(seconds=how["since"]) if how["since"] else None
    return Filter(names, tuple(how.get("ids", ())), how["error"], since)


def _require_some(how: Mapping[str, Any], verb: str) -> None:
    if not (how["ids"] or how["error"] or how["since"] or how["every"]):
        raise UsageError(
            f"{verb} has to be told which dead letters",
            "give --id, --error, --since, or --all for all of them",
        )
    if how["ids"] and how["every"]:
        raise UsageError("--id and --all mean different letters", "give one of them")


def _meant(here: At, how: Mapping[str, Any], *, to_redrive: bool) -> Meant:
    """UsageError for an id that is not there or was sent back already."""
    from orchestra.operate import dead_letters

    meant = dead_letters.meant(here.database, here.project, _filter(here, how), to_redrive=to_redrive)
    found = {one for ids in meant.ids.values() for one in ids} | {*meant.left_behind, *meant.homeless}
    if missing := [one for one in dict.fromkeys(how["ids"]) if one not in found]:
        raise UsageError(
            f"no dead letter {missing[0]} of project {here.project} waits{_narrowed(how)}",
            f"orchestra dlq show {missing[0]} says what became of it, if it is one of this project",
        )
    if how["ids"] and meant.left_behind:
        raise OrchestraError(
            f"dead letter {meant.left_behind[0]} belongs to a run that goes on, or has ended, without it",
            "try the run again as a whole: orchestra runs retry RUN; orchestra dlq show has its number",
        )
    if how["ids"] and meant.homeless:
        raise OrchestraError(
            f"dead letter {meant.homeless[0]} has no queue to go back to: its workload is gone, or has none by now",
            "orchestra dlq export --payloads keeps what was sent; orchestra send --from sends it to another workload",
        )
    return meant


def _narrowed(how: Mapping[str, Any]) -> str:
    return " that the other options leave" if how["workloads"] or how["error"] or how["since"] else ""


def _show_meant(meant: Meant) -> None:
    from orchestra.report.cells import visible
    from orchestra.report.words import count

    console.note("")
    for name, ids in meant.ids.items():
        queue = meant.copied_to.get(name)
        copies = f"; copies of theirs in queue {visible(queue)} stay" if queue else ""
        console.note(f"  {visible(name)}  {count(len(ids), 'dead letter')}{copies}")


def _require_count(meant: Meant, expect: int | None) -> None:
    """Somebody has to know how many are lost."""
    from orchestra.cli.confirm import asked
    from orchestra.report.words import count

    if expect is not None:
        if expect != meant.count:
            raise BlockedError(
                f"there are {count(meant.count, 'dead letter')}, not {expect:,}",
                f"nothing was deleted; look at them again, then --expect {meant.count}",
            )
        return
    _show_meant(meant)
    console.note(f"\n{count(meant.count, 'dead letter')} would be deleted for good.\n")
    if asked("Type their number to delete them").replace(",", "") != str(meant.count):
        console.note("Not purged. Nothing was changed.")
        raise click.exceptions.Exit(1)


def _in_batches(
    here: At,
    meant: Meant,
    reason: str | None,
    done_word: str,
    run: Callable[[str, list[int]], int],
    told: Callable[[int], None],
) -> int:
    """Each batch is a transaction of its own; what stops it says how far it came. `told` gets what was done, also where
    it was stopped on the way."""
    from orchestra.cli.ending import Interrupted
    from orchestra.cli.progress import Progress
    from orchestra.operate.dead_letters import batches
    from orchestra.report.words import count

    progress, done, seen = Progress(), 0, 0
    try:
        for name, ids in meant.ids.items():
            for batch in batches(ids):
                with here.acting(reason):
                    just_done = run(name, batch)
                done, seen = done + just_done, seen + len(batch)
                progress(seen, meant.count, name)
    except KeyboardInterrupt:
        if done:
            told(done)
        raise Interrupted(
            f"Interrupted. {count(done, 'dead letter')} had been {done_word}; the rest is as it was."
        ) from None
    except OrchestraError as error:
        if done:
            told(done)
            error.remedy = f"{count(done, 'dead letter')} had been {done_word} before; {error.remedy}"
        raise
    finally:
        progress.end()
    told(done)
    return done


def _json(project: str, verb: str, meant: Meant, done: int, **more: Any) -> None:
    from orchestra.report import operate_json

    console.document(
        operate_json.document(project, verb, list(meant.ids), changed=done > 0, count=done, **more)
    )


def _staying(meant: Meant) -> dict[str, list[int]]:
    return {"left_behind": list(meant.left_behind), "homeless": list(meant.homeless)}


def _told(verb: str, done_word: str, meant: Meant, done: int) -> None:
    from orchestra.report.words import count

    if meant.count:
        console.out(f"{done_word.capitalize()}: {count(done, 'dead letter')}.")
    else:
        console.out(f"There is nothing to {verb}.")


def _notes(meant: Meant, done: int) -> None:
    """What was meant and stays, and why."""
    from orchestra.report.words import count

    if done < meant.count:
        console.note(f"{count(meant.count - done, 'other')} had been taken by somebody else meanwhile.")
    if meant.left_behind:
        console.note(
            f"{count(len(meant.left_behind), 'dead letter')} of runs that go on, or have ended, without them stay: "
            "only such a run as a whole can be tried again."
        )
    if meant.homeless:
        console.note(
            f"{count(len(meant.homeless), 'dead letter')} of workloads that are gone, or have no queue by now, stay: "
            "orchestra dlq export --payloads keeps what was sent."
        )
