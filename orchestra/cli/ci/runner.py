"""What a runner lends to a job: files for outputs and for the summary, and a log that obeys certain lines."""

from __future__ import annotations

import os
import secrets
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from orchestra.cli import console
from orchestra.errors import OrchestraError

_SUMMARY_BYTES = 1_000_000
"""GitHub refuses a step's summary above 1 MiB."""


def is_github() -> bool:
    return os.environ.get("GITHUB_ACTIONS") == "true"


def is_pull_request() -> bool:
    """Whether the job runs for a pull request, or a merge request, that can be commented on."""
    if os.environ.get("GITHUB_ACTIONS"):
        return os.environ.get("GITHUB_EVENT_NAME") in ("pull_request", "pull_request_target")
    return bool(os.environ.get("CI_MERGE_REQUEST_IID"))


def job() -> str:
    """The job, as a link in markdown where there is something to link to."""
    parts = [os.environ.get(name, "") for name in ("GITHUB_SERVER_URL", "GITHUB_REPOSITORY", "GITHUB_RUN_ID")]
    url = (
        "/".join((*parts[:2], "actions", "runs", parts[2]))
        if all(parts)
        else os.environ.get("CI_JOB_URL", "")
    )
    return f"[the job]({url})" if url else "the job"


def scratch() -> Path:
    """Where reports go unless said otherwise: beside the checkout on GitHub, so that nothing is left in it."""
    return Path(os.environ.get("RUNNER_TEMP") or ".") / "orchestra-report"


def output(**values: str | int | Path) -> None:
    """Outputs of the step; `exit_code` is called `exit-code` there. On other runners there are none."""
    file = os.environ.get("GITHUB_OUTPUT")
    if not file:
        return
    lines = []
    for name, value in values.items():
        text = str(value)
        if "\n" in text or "\r" in text:
            raise OrchestraError(f"the output {name} would have a line break in it: {text!r}")
        lines.append(f"{name.replace('_', '-')}={text}\n")
    with Path(file).open("a", encoding="utf-8") as out:
        out.write("".join(lines))


def summary(markdown: str) -> None:
    """Appended to the summary of the job, whole or, where it is too large, not at all but for a sentence."""
    file = os.environ.get("GITHUB_STEP_SUMMARY")
    if not file:
        return
    path = Path(file)
    used = path.stat().st_size if path.exists() else 0
    if used + len(markdown.encode()) > _SUMMARY_BYTES:
        markdown = "The report is too large for this page; it is among the files of the step.\n"
    with path.open("a", encoding="utf-8") as out:
        out.write(markdown.rstrip("\n") + "\n\n")


def quoted(text: str) -> str:
    """Text as a block of markdown, whatever is in it."""
    fence = "~" * max(3, 1 + max((len(run) for run in _runs(text, "~")), default=0))
    return f"{fence}text\n{text.rstrip()}\n{fence}\n"


def notice(message: str) -> None:
    """One line for whoever looks at the job."""
    if is_github():
        escaped = message.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")
        console.out(f"::notice title=orchestra::{escaped}")
    else:
        console.note(message)


@contextmanager
def plain_log() -> Iterator[None]:
    """While this is open the runner takes no line of the log for a command. A plan prints SQL and names that others
    wrote, and a line among them that begins with two colons could set the outputs of the step."""
    if not is_github():
        yield
        return
    word = secrets.token_hex(16)
    _line(f"::stop-commands::{word}")
    try:
        yield
    finally:
        _line(f"::{word}::")


def _line(text: str) -> None:
    console.out(text)
    sys.stdout.flush()


def _runs(text: str, character: str) -> Iterator[str]:
    run = ""
    for one in text:
        if one == character:
            run += one
        elif run:
            yield run
            run = ""
    if run:
        yield run
