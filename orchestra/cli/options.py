"""Arguments and options that several commands share."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import reduce
from pathlib import Path
from typing import Any, TypeVar

import click

from orchestra.cli.completion import offers

F = TypeVar("F", bound=Callable[..., Any])

LONGEST_S = 100 * 365 * 86_400
"""No duration of a command line is longer: a time that far away can still be written down."""


class Duration(click.ParamType[float]):
    """`250ms`, `30s`, `5m`, `2h`: seconds."""

    name = "duration"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        if isinstance(value, (int, float)):
            return float(value)
        if not re.fullmatch(r"\d{1,9}(ms|s|m|h|d)", value):
            self.fail(f"{value!r} is no duration; write 30s, 5m or 250ms", param, ctx)
        from orchestra.spec.durations import milliseconds

        seconds = milliseconds(value) / 1_000
        if seconds > LONGEST_S:
            self.fail(f"{value!r} is longer than a hundred years", param, ctx)
        return seconds


def specs(metavar: str = "[SPEC]...", *, plans: bool = False) -> Callable[[F], F]:
    """`plans`: saved ones may be given as well."""
    offered = offers.specs_or_plans if plans else offers.specs
    return click.argument(
        "specs", nargs=-1, type=click.Path(path_type=Path), metavar=metavar, shell_complete=offered
    )


def output_format(*names: str) -> Callable[[F], F]:
    return click.option(
        "--format",
        "form",
        type=click.Choice(names),
        default=names[0],
        show_default=True,
        help="How to print it.",
    )


def _all(*options: Callable[[F], F]) -> Callable[[F], F]:
    return lambda function: reduce(lambda f, option: option(f), reversed(options), function)


workload = click.option(
    "--workload",
    metavar="NAME",
    shell_complete=offers.workloads,
    help="Only this workload and what it needs.",
)

only_workload = click.option(
    "--workload",
    metavar="NAME",
    shell_complete=offers.workloads,
    help="Only what concerns this workload.",
)

database = _all(
    click.option("--db", metavar="URL", help="The database: postgresql://user:password@host:port/name."),
    click.option(
        "--env",
        "environment",
        metavar="NAME",
        shell_complete=offers.environments,
        help="An environment of the spec, which names its database.",
    ),
)

databases = _all(
    click.option("--db", metavar="URL", help="The database: postgresql://user:password@host:port/name."),
    click.option(
        "--env",
        "environments",
        multiple=True,
        metavar="NAME",
        shell_complete=offers.environments,
        help="An environment of the spec, which names its database. A pattern ('tenant-*') or several: all of them.",
    ),
    click.option(
        "--parallel",
        type=click.IntRange(1, 200),
        metavar="N",
        help="Of several databases, work on N at a time. Default: 8.",
    ),
)
"""For commands that work on one database, or on many."""

approval_files = click.option(
    "--approvals",
    type=click.Path(path_type=Path, file_okay=False),
    metavar="DIR",
    help="The folder of committed approvals. Default: approvals/ beside the spec.",
)

approvals = _all(
    click.option("--allow-destroy", is_flag=True, help="Approve every deletion (not of messages)."),
    click.option(
        "--allow",
        multiple=True,
        metavar="HAZARD",
        help="Approve one hazard, as the plan prints it. Repeatable.",
    ),
)

on_delete = click.option(
    "--on-delete",
    type=click.Choice(["drain", "archive", "drop", "retain"]),
    help="What becomes of the queues of removed workloads that have no on_delete of their own.",
)

adoption = _all(
    click.option(
        "--adopt",
        multiple=True,
        metavar="ADDRESS",
        shell_complete=offers.adoptable,
        help="Take over an object that exists already, such as queue.import, or cron_job.purge='nightly purge' for a "
        "job of another name. Repeatable.",
    ),
    click.option(
        "--accept",
        multiple=True,
        metavar="ADDRESS",
        shell_complete=offers.turnable,
        help="Keep what was paused or resumed by hand, and report it no more. Repeatable.",
    ),
    click.option(
        "--revert",
        multiple=True,
        metavar="ADDRESS",
        shell_complete=offers.turnable,
        help="Make what was paused or resumed by hand as the spec says. Repeatable.",
    ),
    click.option(
        "--resume-paused", is_flag=True, help="Revert everything that was paused or resumed by hand."
    ),
    on_delete,
)

detail = _all(
    click.option("--show-sql", is_flag=True, help="Show the statements as well."),
    click.option("--full", is_flag=True, help="Leave nothing out of a large plan."),
)

auto_approve = click.option("--auto-approve", is_flag=True, help="Do not ask. Needed without a terminal.")

lock_timeout = click.option(
    "--lock-timeout",
    type=Duration(),
    metavar="DURATION",
    help="Wait this long for another apply to end, such as 30s. Default: not at all.",
)

detailed_exitcode = click.option(
    "--detailed-exitcode", is_flag=True, help="Exit with 2 where there are changes, 0 where there are none."
)

summary = click.option(
    "--summary", is_flag=True, help="Markdown for GITHUB_STEP_SUMMARY, which holds more than a comment."
)
