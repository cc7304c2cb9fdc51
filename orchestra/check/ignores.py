"""`# orchestra: ignore[W310] reason`: which findings a comment silences, and what is wrong with the comment itself."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence

from orchestra.check.words import did_you_mean, listed
from orchestra.diagnostics import Diagnostic, Severity, Span
from orchestra.spec.model import Ignore

NO_REASON = "W901"
UNUSED = "W902"
UNKNOWN = "E903"
REFUSED = "E904"
_OF_THE_LOADER = re.compile(r"E1[0-9]{2}\Z")


def silence(
    found: Iterable[Diagnostic], ignores: Sequence[Ignore], ignorable: Mapping[str, bool]
) -> list[Diagnostic]:
    """The findings that no comment silences, and findings about the comments.

    A comment speaks of the findings that start on its line; one that silences none there, of those on the next line
    that is no such comment. `ignorable` holds every code there is, and whether it may be silenced.
    """
    found = list(found)
    if not ignores:
        return found
    lines: dict[tuple[str, int], list[int]] = {}
    for index, diagnostic in enumerate(found):
        lines.setdefault((diagnostic.span.file, diagnostic.span.line), []).append(index)
    comments = {(i.file, i.line) for i in ignores}
    gone: set[int] = set()
    about: list[Diagnostic] = []
    for ignore in ignores:
        places = [(ignore.file, ignore.line), (ignore.file, _below(ignore, comments))]
        for code in dict.fromkeys(ignore.codes):
            if not ignorable.get(code, False):
                about.append(_unfit(ignore, code, ignorable))
                continue
            hits = next(
                (h for p in places if (h := [i for i in lines.get(p, ()) if found[i].code == code])), []
            )
            gone.update(hits)
            if not hits:
                about.append(_unused(ignore, code))
        about += _form(ignore)
    return [d for index, d in enumerate(found) if index not in gone] + about


def _below(ignore: Ignore, comments: set[tuple[str, int]]) -> int:
    line = ignore.line + 1
    while (ignore.file, line) in comments:
        line += 1
    return line


def _form(ignore: Ignore) -> Iterator[Diagnostic]:
    if not ignore.codes:
        yield Diagnostic(
            UNKNOWN,
            Severity.ERROR,
            "this comment names no code to ignore",
            _span(ignore),
            "Everything on the line would be silenced, what nobody has looked at too.",
            "Name the codes: `# orchestra: ignore[W310] why it is right here`.",
        )
    elif not ignore.reason:
        yield Diagnostic(
            NO_REASON,
            Severity.WARNING,
            f"{listed(ignore.codes)} {'is' if len(ignore.codes) == 1 else 'are'} ignored without a reason",
            _span(ignore),
            "Who reads the line in a year cannot tell whether the reason still holds.",
            f"Write it behind the bracket: `# orchestra: ignore[{', '.join(ignore.codes)}] the reason`.",
        )


def _unused(ignore: Ignore, code: str) -> Diagnostic:
    return Diagnostic(
        UNUSED,
        Severity.WARNING,
        f"nothing on this line is reported as {code}",
        _span(ignore),
        "A comment that silences nothing today may silence tomorrow what it was not written for.",
        "Remove it, or move it to the line that the finding names (or to the line above that).",
    )


def _unfit(ignore: Ignore, code: str, ignorable: Mapping[str, bool]) -> Diagnostic:
    if code not in ignorable and not _OF_THE_LOADER.match(code):
        return Diagnostic(
            UNKNOWN,
            Severity.ERROR,
            f"there is no code `{code}`",
            _span(ignore),
            "A comment with a mistyped code silences nothing.",
            did_you_mean(code.upper(), ignorable, "The codes are listed in docs/rules/README.md."),
        )
    return Diagnostic(
        REFUSED,
        Severity.ERROR,
        f"{code} cannot be ignored",
        _span(ignore),
        "What it reports would not work in production; a comment does not change that.",
        "Mend what it reports and remove the comment. Advice (W…) may be ignored, and a few errors of judgement.",
    )


def _span(ignore: Ignore) -> Span:
    return Span(ignore.file, ignore.line, ignore.column, ignore.line, ignore.column + 1)
