"""One comment that is kept up to date, in the place of one more at each push."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from orchestra.errors import HostingError, UsageError
from orchestra.hosting.model import Comment, Host, Outcome, Uncertain

_MARKER: Final = re.compile(r"<!-- orchestra:[a-z]+( [^>]*)?-->")
_LOOKS: Final = 3


@dataclass(frozen=True, slots=True)
class Posted:
    outcome: Outcome
    url: str = ""
    removed: int = 0
    """Further comments of the same marker, which a race had left."""


def marker(report: str) -> str:
    """The first line of a report, which tells its comment from all others; UsageError where it is no report."""
    first = _first_line(report)
    if not _MARKER.fullmatch(first):
        raise UsageError(
            "this is no report of orchestra: its first line is no <!-- orchestra:… --> by which its comment is found",
            "make it with: orchestra plan --format markdown > plan.md",
        )
    return first


def post(host: Host, report: str, *, edit_only: bool = False) -> Posted:
    """Bring the comment of this report up to date: edit the one that the same account made for the same marker, else
    make one, unless `edit_only`. Comments of others are never touched, whatever their first line says."""
    mine = marker(report)
    if len(report) > host.most:
        raise UsageError(
            f"the report has {len(report):,} characters, and a comment on {host.name} holds {host.most:,}",
            "make it with --format markdown and without --full, which folds and counts what is too much",
        )
    author = host.me()
    for _ in range(_LOOKS):
        found = [c for c in host.comments() if c.author == author and _first_line(c.body) == mine]
        if found:
            return _bring_up_to_date(host, found, report)
        if edit_only:
            return Posted(Outcome.ABSENT)
        try:
            return Posted(Outcome.CREATED, host.create(report).url)
        except Uncertain as doubt:
            # It may be there all the same, so the next look comes before the next try.
            said = str(doubt)
    raise HostingError(
        f"{host.name} did not say whether it took the comment, {_LOOKS} times: {said}", "run the job again"
    )


def _bring_up_to_date(host: Host, found: Sequence[Comment], report: str) -> Posted:
    """The oldest is kept: people have linked to it."""
    first, *more = sorted(found, key=lambda comment: comment.id)
    for surplus in more:
        host.delete(surplus)
    if _same(first.body, report):
        return Posted(Outcome.UNCHANGED, first.url, len(more))
    return Posted(Outcome.UPDATED, host.update(first, report).url, len(more))


def _first_line(text: str) -> str:
    return text.lstrip("\ufeff").partition("\n")[0].strip()


def _same(one: str, other: str) -> bool:
    """Hosts change the ends of lines, and drop those of the text."""
    return one.replace("\r\n", "\n").strip() == other.replace("\r\n", "\n").strip()
