"""Dead letters for people: what fails and how often, then the newest letters; one letter whole. Credentials are
masked."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from orchestra.report import json_text, mask
from orchestra.report.cells import cut, pad, visible, width, wrap
from orchestra.report.history_words import headline, moment
from orchestra.report.style import PLAIN, Style
from orchestra.report.words import count

if TYPE_CHECKING:
    from orchestra.operate.dead_letters import Group, Letter, Listing

_GROUPS = 10
_FEWEST = 20
"""Columns that an error gets at least; what a terminal is too narrow for goes below."""


def listing(found: Listing, project: str, style: Style = PLAIN) -> str:
    """Nothing is left out but what the limit leaves out, and it says so."""
    more = "at least " if found.total_is_least else ""
    head = f"{more}{count(found.total, 'dead letter')} of project {visible(project)}"
    lines = [style.bold(head[0].upper() + head[1:]), ""]
    lines += [line for group in found.groups[:_GROUPS] for line in _group(group, style)]
    if len(found.groups) > _GROUPS:
        lines.append(style.dim(f"  … and {count(len(found.groups) - _GROUPS, 'other error')}"))
    lines += ["", style.bold("The newest")]
    lines += _letters(found.letters, style)
    if len(found.letters) < found.total:
        lines.append(style.dim(f"  … {len(found.letters):,} are shown; --limit shows more"))
    lines.append("")
    hint = "orchestra dlq show ID shows one whole; orchestra dlq redrive sends them back."
    lines += [style.dim(line) for line in wrap(hint, style.width)]
    return "\n".join(lines) + "\n"


def _group(group: Group, style: Style) -> Iterator[str]:
    number = f"{group.count:,} ×".rjust(9)
    yield f"{style.bold(number)}  {style.paint(visible(group.workload), 'cyan')}"
    yield " " * 11 + cut(headline(group.error), max(_FEWEST, style.width - 11))
    span = (
        moment(group.last_at) if group.count == 1 else f"{moment(group.first_at)} to {moment(group.last_at)}"
    )
    yield " " * 11 + style.dim(cut(span, max(_FEWEST, style.width - 11)))


def _letters(letters: tuple[Letter, ...], style: Style) -> Iterator[str]:
    """When and why, and below it the beginning of what was sent."""
    ids = max((len(str(one.id)) for one in letters), default=0)
    names = max((width(visible(one.workload)) for one in letters), default=0)
    for one in letters:
        at_once = ", given up at once" if one.reason == "permanent" else ""
        start = f"  {str(one.id).rjust(ids)}  {moment(one.dead_at)}  {pad(visible(one.workload), names)}  "
        said = f"{count(one.attempts, 'attempt')}{at_once}: {headline(one.error)}"
        if style.width - width(start) >= _FEWEST * 2:
            yield cut(start + said, style.width)
        else:
            yield cut(start.rstrip(), style.width)
            yield cut(" " * (ids + 4) + said, style.width)
        payload = visible(json_text.masked(one.payload) or "null", keep="")
        yield style.dim(cut(" " * (ids + 4) + payload, style.width))


def letter(one: Letter, style: Style = PLAIN) -> str:
    """A letter whole: its story, its error, its payload as it came."""
    back = f"{moment(one.redriven_at)}" if one.redriven_at else ""
    sent_as = f", as message {one.redriven_as}" if one.redriven_as is not None else ""
    rows = [
        ("Dead letter", style.bold(str(one.id))),
        ("Workload", visible(one.workload)),
        ("Message", f"{one.msg_id} of queue {visible(one.queue_name)}"),
        ("Enqueued", moment(one.enqueued_at) if one.enqueued_at else ""),
        ("Given up", f"{moment(one.dead_at)}, after {count(one.attempts, 'attempt')} ({one.reason})"),
        ("Sent back", back + sent_as if back else ""),
        ("SQLSTATE", visible(one.sqlstate or "", keep="")),
    ]
    parts = ["\n".join(f"{style.dim(pad(name, 12))} {value}" for name, value in rows if value)]
    parts.append(
        "\n".join([style.bold("Error"), *(f"  {line}" for line in visible(mask.text(one.error)).split("\n"))])
    )
    parts.append("\n".join([style.bold("Payload"), *_json(one.payload)]))
    if one.headers:
        parts.append("\n".join([style.bold("Headers"), *_json(one.headers)]))
    return "\n\n".join(parts) + "\n"


def _json(text: str | None) -> list[str]:
    return [f"  {line}" for line in visible(json_text.pretty(json_text.masked(text) or "null")).split("\n")]
