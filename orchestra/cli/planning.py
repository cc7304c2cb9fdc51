"""What plan, apply and destroy have in common: connect, plan, show."""

from __future__ import annotations

import shlex
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from orchestra.cli import console
from orchestra.cli.database import Chosen

if TYPE_CHECKING:
    from orchestra.pipeline import PlanOptions
    from orchestra.plan.model import Plan


def options(
    chosen: Chosen,
    *,
    workload: str | None = None,
    allow_destroy: bool = False,
    allow: Sequence[str] = (),
    adopt: Sequence[str] = (),
    resume_paused: bool = False,
    approvals: Path | None = None,
    specs: Sequence[Path] | None = None,
    command: str = "",
    accept: Sequence[str] = (),
    revert: Sequence[str] = (),
    on_delete: str | None = None,
) -> PlanOptions:
    """What was said, and the approvals that are committed beside `specs`; None: they are not asked for, as a saved
    plan has its own. `command` is what approves this very plan."""
    from orchestra.cli.approvals import committed
    from orchestra.pipeline import PlanOptions
    from orchestra.plan.identity import Meant

    made = PlanOptions(
        environment=chosen.environment,
        environment_paused=chosen.paused,
        protect=chosen.protect,
        workload=workload,
        allow_destroy=allow_destroy,
        allow=frozenset(allow),
        adopt=frozenset(adopt),
        resume_paused=resume_paused,
        accept=frozenset(accept),
        revert=frozenset(revert),
        on_delete=on_delete,
        where=chosen.where,
        meant=chosen.meant or Meant(),
        approvals=() if specs is None else committed(specs, approvals),
        approvals_required=chosen.approvals_required,
    )
    return replace(made, approve_command=command) if command else made


def approve_command(
    specs: Sequence[Path],
    db: str | None,
    environment: str | None,
    choices: Mapping[str, Any],
    *,
    destroy: bool = False,
) -> str:
    """The `orchestra approve` that plans what is planned here. The URL of a database is not repeated."""
    words = ["orchestra approve", *_quoted(specs), *(["--destroy"] if destroy else [])]
    words += _same(db, environment, choices)
    return " ".join([*words, '--reason "…"'])


def approve_saved_command(
    verb: str, specs: Sequence[Path], db: str | None, environment: str | None, choices: Mapping[str, Any]
) -> str:
    """The same for a plan that `orchestra approve` cannot make itself: it is saved first."""
    from orchestra.cli.approvals import folders

    words = [f"orchestra {verb}", *_quoted(specs), *_same(db, environment, choices), "--out plan.json"]
    # A saved plan does not say where its spec lies, beside which the file is looked for.
    folder = shlex.quote(str(folders(specs, choices.get("approvals"))[0]))
    return " ".join([*words, f'&& orchestra approve plan.json --approvals {folder} --reason "…"'])


def _quoted(specs: Sequence[Path]) -> list[str]:
    return [shlex.quote(str(spec)) for spec in specs]


def _same(db: str | None, environment: str | None, choices: Mapping[str, Any]) -> list[str]:
    """The words that make the plan the same one."""
    words = [f"--env {environment}"] if environment is not None else []
    words += ["--db URL"] if db is not None else []
    words += [f"--workload {choices['workload']}"] if choices.get("workload") else []
    words += [f"--adopt {shlex.quote(address)}" for address in choices.get("adopt") or ()]
    words += [f"--on-delete {choices['on_delete']}"] if choices.get("on_delete") else []
    words += [f"--{verb} {address}" for verb in ("accept", "revert") for address in choices.get(verb) or ()]
    words += ["--resume-paused"] if choices.get("resume_paused") else []
    words += [f"--approvals {shlex.quote(str(choices['approvals']))}"] if choices.get("approvals") else []
    return words


@contextmanager
def connected(chosen: Chosen) -> Iterator[Any]:
    """A connection that is closed on the way out. What a plan is made of lives to its end, so nothing is collected
    meanwhile: that would only walk it again and again."""
    from orchestra.live.connect import connect
    from orchestra.spec.parsing import no_collection

    connection = connect(chosen.url)
    try:
        with no_collection():
            yield connection
    finally:
        connection.close()


def shown(plan: Plan, *, show_sql: bool = False, full: bool = False, stderr: bool = False) -> None:
    """Print a plan for people: as the result, or beside it."""
    from orchestra.report import plan_text

    stream, write = (sys.stderr, console.note) if stderr else (sys.stdout, console.out)
    write(plan_text.render(plan, console.style(stream), show_sql=show_sql, full=full), end="")


def carry_out(plan: Plan, run: Callable[[Callable[[int, int, str], None]], Any]) -> Any:
    """Run an apply under a progress line; Ctrl-C says in which state it left the database."""
    from orchestra.cli.ending import Interrupted
    from orchestra.cli.progress import Progress

    progress = Progress()
    try:
        return run(progress)
    except KeyboardInterrupt as stop:
        progress.end()
        raise Interrupted(_state(plan, getattr(stop, "committed", 0))) from None
    finally:
        progress.end()


def _state(plan: Plan, committed: int) -> str:
    """What is true of the database when an apply is interrupted after so many of its batches."""
    if len(plan.batches) <= 1:
        return (
            "Interrupted. The transaction was rolled back, so nothing was changed. (Had its commit been on the way "
            "already, all of it was: orchestra plan tells.)"
        )
    return (
        f"Interrupted. What was in progress was rolled back; {committed} of {len(plan.batches)} transactions were "
        "committed before. Run the same apply again to go on from there."
    )
