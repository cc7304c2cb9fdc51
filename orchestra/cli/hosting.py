"""Which pull request of which host: from the variables that GitHub and GitLab set in every job."""

from __future__ import annotations

import json
import os
import re
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from orchestra.cli import files
from orchestra.errors import OrchestraError, UsageError

if TYPE_CHECKING:
    from orchestra.hosting.model import Clock, Host


def host(number: int | None) -> Host:
    """The host of this job. UsageError where it cannot be told, or there is no pull request."""
    if os.environ.get("GITHUB_REPOSITORY"):
        return _github(number)
    if os.environ.get("CI_PROJECT_ID"):
        return _gitlab(number)
    raise UsageError(
        "neither GITHUB_REPOSITORY nor CI_PROJECT_ID is set, so there is no repository to comment in",
        "in a job of GitHub or GitLab they are; elsewhere set GITHUB_REPOSITORY=owner/name and GITHUB_TOKEN",
    )


def is_fork() -> bool:
    """Whether this job runs for a pull request from another repository, whose token may only read."""
    pull = _event().get("pull_request")
    if isinstance(pull, dict):
        here = os.environ.get("GITHUB_REPOSITORY", "")
        head = (pull.get("head") or {}).get("repo") or {}
        return str(head.get("full_name", "")).lower() != here.lower()
    source = os.environ.get("CI_MERGE_REQUEST_SOURCE_PROJECT_ID")
    return source is not None and source != os.environ.get("CI_MERGE_REQUEST_PROJECT_ID", source)


def _github(number: int | None) -> Host:
    from orchestra.hosting.github import GitHub

    found = number or _number_of_event() or _number_of_ref()
    commit = os.environ.get("GITHUB_SHA", "")
    if found is None and not (commit and os.environ.get("GITHUB_EVENT_NAME") == "push"):
        raise UsageError(
            "this job runs for no pull request", "name one with --pull-request N, or leave the comment out"
        )
    return GitHub(
        os.environ.get("GITHUB_API_URL") or "https://api.github.com",
        os.environ["GITHUB_REPOSITORY"],
        _token("GITHUB_TOKEN", "env: GITHUB_TOKEN: ${{ github.token }}"),
        _clock(),
        number=found,
        commit=commit,
        graphql=os.environ.get("GITHUB_GRAPHQL_URL", ""),
    )


def _gitlab(number: int | None) -> Host:
    from orchestra.hosting.gitlab import GitLab

    iid = os.environ.get("CI_MERGE_REQUEST_IID", "")
    found = number or (int(iid) if iid.isdecimal() else None)
    if found is None:
        raise UsageError(
            "this job runs for no merge request (CI_MERGE_REQUEST_IID is not set)",
            "run it in merge request pipelines, or name one with --pull-request N",
        )
    return GitLab(
        os.environ.get("CI_API_V4_URL") or "https://gitlab.com/api/v4",
        os.environ["CI_PROJECT_ID"],
        _token("GITLAB_TOKEN", "a masked variable with a project access token, scope api, role Reporter"),
        _clock(),
        number=found,
    )


def _token(variable: str, remedy: str) -> str:
    """The token. Not one with a line break in it, which would end the header that it goes into."""
    value = os.environ.get(variable, "").strip()
    if not value:
        raise UsageError(f"{variable} is not set, so nothing can be written there", f"give the job {remedy}")
    if not value.isascii() or not value.isprintable():
        raise UsageError(
            f"{variable} holds no token: there are characters in it that none has", f"set {remedy}"
        )
    return value


def _number_of_event() -> int | None:
    """`pull_request` events hold it, and comments on a pull request."""
    event = _event()
    for key in ("pull_request", "issue"):
        found = event.get(key)
        if isinstance(found, dict) and isinstance(found.get("number"), int):
            if key == "issue" and "pull_request" not in found:
                continue
            return int(found["number"])
    return None


def _number_of_ref() -> int | None:
    found = re.fullmatch(r"refs/pull/(\d+)/(merge|head)", os.environ.get("GITHUB_REF", ""))
    return int(found[1]) if found else None


def _event() -> dict[str, Any]:
    path = os.environ.get("GITHUB_EVENT_PATH")
    if not path or not Path(path).is_file():
        return {}
    try:
        event = json.loads(files.read(Path(path)))
    except ValueError as error:
        raise OrchestraError(f"{path}, which GITHUB_EVENT_PATH names, is not JSON: {error}") from None
    return event if isinstance(event, dict) else {}


def _clock() -> Clock:
    from orchestra.hosting.model import Clock

    return Clock(time.time, time.sleep)
