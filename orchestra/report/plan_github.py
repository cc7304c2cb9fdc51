"""A plan or a difference as annotations, which GitHub shows beside the lines of the spec in a pull request."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import groupby
from typing import Final

from orchestra.report.cells import visible
from orchestra.report.places import Places
from orchestra.report.review import Review
from orchestra.report.review_findings import ReviewFinding, findings
from orchestra.report.words import count
from orchestra.report.workflow_commands import command, places

SHOWN: Final = 10
"""Annotations of one level that GitHub shows of one step; it passes over the rest."""
_LEVELS: Final = {"error": "error", "warning": "warning", "note": "notice"}


def render(review: Review) -> str:
    """A notice with the counts, then the findings, the gravest of each level first. Where a level has more than GitHub
    shows, the last one shown says how many follow in the log."""
    places_of = Places(review.spec)
    lines = [command("notice", {"title": f"orchestra {review.kind}: {_plain(review.title)}"}, review.verdict)]
    for level, group in groupby(findings(review), lambda f: f.level):
        room = SHOWN - (level == "note")
        lines += _level(level, list(group), places_of, room)
    return "".join(f"{line}\n" for line in lines)


def _level(level: str, found: Sequence[ReviewFinding], places_of: Places, room: int) -> Iterator[str]:
    name = _LEVELS[level]
    for position, finding in enumerate(found):
        if len(found) > room and position == room - 1:
            left = len(found) - position
            yield command(
                name, {"title": f"{left:,} more"}, f"{count(left, f'more {name}')} in the log of this step."
            )
        yield _annotation(name, finding, places_of)


def _annotation(name: str, finding: ReviewFinding, places_of: Places) -> str:
    address = _plain(str(finding.address))
    named = {**places(places_of.of(finding.address)), "title": f"{address}: {_plain(finding.code)}"}
    body = [visible(finding.message)] + ([visible(finding.remedy)] if finding.remedy else [])
    if address not in finding.message:
        body[0] = f"{address}: {body[0]}"
    return command(name, named, "\n".join(body))


def _plain(text: str) -> str:
    return visible(text, keep="")
