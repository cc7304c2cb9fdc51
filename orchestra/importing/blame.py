"""Which job an error in the written spec speaks of."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Sequence

from orchestra.diagnostics import Diagnostic
from orchestra.importing.model import Made
from orchestra.importing.write import head_of
from orchestra.report import mask


def blame(text: str, made: Sequence[Made], findings: Iterable[Diagnostic]) -> dict[int, tuple[str, str]]:
    """For each job whose workload has an error the first of them, in words, and what it advises; by job id. Nothing in
    them repeats what may be secret in the text."""
    heads = {head_of(item): item for item in made}
    starts, items = [], []
    for number, line in enumerate(text.split("\n"), 1):
        if (item := heads.get(line)) is not None:
            starts.append(number)
            items.append(item)
    found: dict[int, tuple[str, str]] = {}
    for error in findings:
        place = bisect_right(starts, error.span.line) - 1
        if error.is_error and place >= 0 and (jobid := items[place].jobid) is not None:
            found.setdefault(jobid, _said(error))
    return found


def _said(error: Diagnostic) -> tuple[str, str]:
    message = {"E501": "its command holds what looks like a secret", "E502": "its command holds a URL"}.get(
        error.code, mask.message(error.message)
    )
    hint = mask.message(error.help)
    if error.code.startswith("E40"):
        hint += " pg_cron took the schedule all the same, so look at when it really runs."
    return f"{message} ({error.code})", hint
