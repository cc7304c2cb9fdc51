from __future__ import annotations

import json
import sys
from pathlib import Path

import click

from orchestra.cli import console, files, hosting, options


@click.command("comment")
@click.option(
    "--file",
    "report",
    type=click.Path(path_type=Path, dir_okay=False, allow_dash=True),
    required=True,
    help="The report, as --format markdown writes it; - reads it from stdin.",
)
@click.option(
    "--pull-request",
    "number",
    type=click.IntRange(min=1),
    metavar="N",
    help="The pull request (GitLab: the merge request). Default: the one that the job runs for.",
)
@click.option("--edit-only", is_flag=True, help="Bring a comment up to date, but make none.")
@click.option(
    "--unless-fork",
    is_flag=True,
    help="Do nothing on a pull request from a fork, where the token may only read.",
)
@options.output_format("text", "json")
def command(report: Path, number: int | None, edit_only: bool, unless_fork: bool, form: str) -> None:
    """Keep one comment of a pull request up to date with a plan or a diff. The comment is found again by the first line
    of the report, so each project and environment has its own; what other accounts wrote is never touched.

    In a job of GitHub it needs GITHUB_TOKEN and the permission pull-requests: write; in one of GitLab GITLAB_TOKEN, a
    project access token with the scope api.

    \b
    Example:
      orchestra show plan.json --format markdown > plan.md
      orchestra comment --file plan.md
      orchestra comment --file plan.md --pull-request 12 --edit-only
    """
    _comment(report, number, edit_only=edit_only, unless_fork=unless_fork, form=form)


def _comment(path: Path, number: int | None, *, edit_only: bool, unless_fork: bool, form: str) -> None:
    from orchestra.hosting import sticky
    from orchestra.report import mask

    text = mask.text(sys.stdin.read() if str(path) == "-" else files.read(path))
    sticky.marker(text)
    if unless_fork and hosting.is_fork():
        _say(
            form,
            "skipped",
            "Left the comment out: the pull request is from a fork, where the token may only read.",
        )
        return
    posted = sticky.post(hosting.host(number), text, edit_only=edit_only)
    _say(form, str(posted.outcome), _words(posted), posted.url)


def _words(posted: object) -> str:
    from orchestra.hosting.sticky import Posted

    assert isinstance(posted, Posted)
    said = {
        "created": "Made the comment.",
        "updated": "Brought the comment up to date.",
        "unchanged": "The comment is up to date.",
        "absent": "There is no comment to bring up to date.",
    }[posted.outcome]
    return f"{said} Removed {posted.removed} more of the same." if posted.removed else said


def _say(form: str, outcome: str, words: str, url: str = "") -> None:
    if form == "json":
        console.out(json.dumps({"format_version": 1, "outcome": outcome, "url": url}, indent=2))
    else:
        console.out(f"{words} {url}".rstrip())
