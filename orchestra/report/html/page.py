"""The page: one file, nothing fetched, and nothing allowed to be."""

from __future__ import annotations

import base64
import hashlib
from collections import Counter
from collections.abc import Iterator, Sequence
from importlib.resources import files

from orchestra.plan.model import Change
from orchestra.report.gravity import gravest_first
from orchestra.report.html import changes, sections
from orchestra.report.html.escape import LOOKS, line
from orchestra.report.review import Review
from orchestra.report.symbols import SYMBOLS


def render(review: Review) -> str:
    """All of the page, below about 5 MB however large the plan is."""
    style, script = _asset("page.css"), _asset("page.js")
    ordered = gravest_first(review.changes)
    policy = (
        f"default-src 'none'; style-src {_hash(style)}; script-src {_hash(script)}; "
        "base-uri 'none'; form-action 'none'"
    )
    title = f"{line(review.title)}: orchestra {review.kind}"
    parts = [
        *sections.head(review),
        "<main>",
        sections.stops(review),
        sections.approvals(ordered),
        sections.loads(review),
        sections.graph(review),
        _changes(ordered),
        sections.conditions(review),
        "</main>",
        f"<footer>Made by orchestra {line(review.tool_version)}. {line(review.verdict)}</footer>",
    ]
    return (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{policy}">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        '<meta name="color-scheme" content="light dark">\n<meta name="referrer" content="no-referrer">\n'
        f"<title>{title}</title>\n<style>{style}</style>\n</head>\n<body>\n"
        + "\n".join(part for part in parts if part)
        + f"\n<script>{script}</script>\n</body>\n</html>\n"
    )


def _changes(ordered: Sequence[Change]) -> str:
    if not ordered:
        return ""
    return (
        f'<section id="changes"><h2>Changes <span>{len(ordered):,}</span></h2>\n'
        f"{''.join(_filter(ordered))}<div class=list>\n{changes.render(ordered)}\n</div></section>"
    )


def _filter(ordered: Sequence[Change]) -> Iterator[str]:
    """Buttons that the style alone obeys; the field for names needs the script, which shows it."""
    acts = Counter(change.action for change in ordered)
    choices = [("all", "all", len(ordered))]
    choices += [(LOOKS[a], f"{s.sign} {s.verb}", acts[a]) for a, s in SYMBOLS.items() if acts[a]]
    for name, has in (
        ("hazard", [c for c in ordered if c.hazards]),
        ("drift", [c for c in ordered if c.drift]),
        ("moved", [c for c in ordered if c.moved_from]),
    ):
        choices += [(name, name, len(has))] if has else []
    for position, (name, words, number) in enumerate(choices):
        checked = " checked" if position == 0 else ""
        yield f'<input type=radio name=f id="f-{name}"{checked}><label for="f-{name}">{line(words)} {number:,}</label>'
    yield '<input type=search id=q placeholder="Name" aria-label="Filter by name" hidden>'


def _asset(name: str) -> str:
    return files(__package__).joinpath(name).read_text(encoding="utf-8").strip()


def _hash(source: str) -> str:
    digest = hashlib.sha256(source.encode()).digest()
    return f"'sha256-{base64.b64encode(digest).decode()}'"
