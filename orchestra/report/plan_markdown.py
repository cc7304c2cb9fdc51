"""A plan or a difference as markdown, for a comment on a pull request or for the summary of a step.

However large a plan is, what is grave comes first, and what does not fit is counted.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final
from urllib.parse import quote

from orchestra.plan.model import Action, Blocker, Change, Condition, Hazard
from orchestra.report import load_rows, markdown_change
from orchestra.report.budget import Budget, characters, octets
from orchestra.report.cells import cut
from orchestra.report.change_words import more
from orchestra.report.gravity import gravest_first
from orchestra.report.groups import Group, grouped
from orchestra.report.load_rows import LoadRow
from orchestra.report.markdown_text import code, row, table, text
from orchestra.report.review import Review
from orchestra.report.symbols import SYMBOLS
from orchestra.report.words import count, kind, plural_of

TALLY_FROM = 10
"""Changes from which on they are also counted by kind and action."""
FOOT = 700
LONGEST_NAME = 100


@dataclass(frozen=True, slots=True)
class Limit:
    """How long the text may be, in what `measure` counts."""

    size: int
    measure: Callable[[str], int]


COMMENT: Final = Limit(64_900, characters)
"""GitHub takes 65,536 characters."""
SUMMARY: Final = Limit(1_000_000, octets)
"""GitHub takes 1 MiB of GITHUB_STEP_SUMMARY, for all that a step writes."""

_SEE: Final = {
    "plan": "`orchestra show PLAN.json --format html`",
    "diff": "`orchestra diff --format html`",
}
_SHARES: Final = {"stops": 0.16, "approvals": 0.14, "changes": 0.22, "conditions": 0.08, "loads": 0.10}


def marker(review: Review) -> str:
    """The first line, by which one sticky comment is found again."""
    names = [("project", review.project), ("environment", review.environment)]
    said = " ".join(f"{name}={quote(value[:LONGEST_NAME], safe='')}" for name, value in names if value)
    return f"<!-- orchestra:{review.kind} {said} -->"


def render(review: Review, limit: Limit = COMMENT, see: str = "") -> str:
    """Counts, what stands in the way, what needs approval, the changes, and their details folded. `see` says, as
    markdown, where what is left out can be seen."""
    budget = Budget(limit.size - FOOT, limit.measure)
    share = {name: int(limit.size * part) for name, part in _SHARES.items()}
    ordered = gravest_first(review.changes)
    head = [budget.spend(part) for part in _head(review)]
    stops = _section(
        budget, share["stops"], f"Stands in the way ({len(review.obstacles):,})", map(_note, review.obstacles)
    )
    dangers = [(c, h) for c in ordered for h in c.hazards if h.needs_approval]
    waiting = _hazards(
        budget, share["approvals"], "Needs approval", [d for d in dangers if not d[1].approved]
    )
    approved = _hazards(budget, share["approvals"] // 2, "Approved", [d for d in dangers if d[1].approved])
    groups = grouped(ordered)
    listed = _changes(budget, share["changes"], ordered, groups)
    conditions = _section(
        budget,
        share["conditions"],
        f"Conditions, not changes ({len(review.conditions):,})",
        map(_note, review.conditions),
    )
    loads = _loads(budget, share["loads"], review)
    details, shown = _details(budget, [change for group in groups for change in group.shown])
    foot = [_foot(review, shown, see)]
    return (
        "\n\n".join([*head, *stops, *waiting, *approved, *listed, *loads, *conditions, *details, *foot])
        + "\n"
    )


def _head(review: Review) -> Iterator[str]:
    what = "plan" if review.kind == "plan" else "diff"
    yield f"{marker(review)}\n### orchestra {what}: {text(cut(review.title, 120))}"
    kept = f" {review.unchanged:,} unchanged." if review.unchanged and review.changes else ""
    yield f"**{review.verdict}**{kept}"
    if review.state == "blocked":
        yield f"> [!CAUTION]\n> {review.standstill}"
    if review.destroying:
        yield "> [!WARNING]\n> This removes the project from the database (`orchestra destroy`)."
    if review.batches > 1:
        yield f"It is cut into {review.batches:,} transactions, each proved by itself."
    if review.about:
        yield ", ".join(f"{name.lower()} {code(cut(value, 200))}" for name, value in review.about)


def _section(budget: Budget, most: int, title: str, notes: Iterator[str]) -> list[str]:
    """A title and as many notes as its share holds; nothing for no notes."""
    every = list(notes)
    if not every:
        return []
    budget.spend(title)
    taken = budget.fill(every, most)
    left = len(every) - len(taken)
    rest = [budget.spend(f"- and {left:,} more")] if left else []
    return [f"#### {title}", "\n".join([*taken, *rest])]


def _note(item: Blocker | Condition) -> str:
    remedy = f"<br>{text(cut(item.remedy, 400))}" if item.remedy else ""
    said = f"- {code(cut(str(item.address), 160))} **{text(cut(item.code, 60))}**: "
    return f"{said}{text(cut(item.message, 800))}{remedy}"


def _hazards(budget: Budget, most: int, title: str, dangers: Sequence[tuple[Change, Hazard]]) -> list[str]:
    notes = (f"- {code(cut(str(c.address), 160))} {markdown_change.hazard(h)}" for c, h in dangers)
    return _section(budget, most, f"{title} ({len(dangers):,})", notes)


def _changes(budget: Budget, most: int, ordered: Sequence[Change], groups: Sequence[Group]) -> list[str]:
    """Counted by kind and action where there are many, then listed, what is alike summed up."""
    if not ordered:
        return []
    out = [f"#### Changes ({len(ordered):,})"]
    if len(ordered) >= TALLY_FROM:
        out.append(budget.spend("\n".join(_tally(ordered))))
    rows = [r for group in groups for r in _rows(group)]
    taken = budget.fill((r for r, _ in rows), most)
    left = sum(number for _, number in rows[len(taken) :])
    if left:
        taken.append(budget.spend(row("", f"… and {left:,} more changes", "", "")))
    budget.spend("\n".join(table(markdown_change.HEAD, [])))
    return [*out, "\n".join(table(markdown_change.HEAD, taken))]


def _rows(group: Group) -> Iterator[tuple[str, int]]:
    """Rows, and how many changes each stands for."""
    for change in group.shown:
        yield markdown_change.in_table(change), 1
    if group.hidden:
        last = code(cut(str(group.hidden[-1].address), 160))
        sign = code(SYMBOLS[group.hidden[0].action].sign)
        yield (
            row(sign, f"… and {text(more(group))}", group.hidden[0].category.value, f"up to {last}"),
            group.count,
        )


def _tally(changes: Sequence[Change]) -> list[str]:
    used = [action for action in SYMBOLS if any(c.action is action for c in changes)]
    counts: dict[str, dict[Action, int]] = {}
    for change in changes:
        of_kind = counts.setdefault(change.address.kind, dict.fromkeys(used, 0))
        of_kind[change.action] += 1
    head = ("", *(SYMBOLS[action].verb for action in used))
    rows = [
        row(text(plural_of(kind(name))), *(f"{number:,}" if number else "" for number in of_kind.values()))
        for name, of_kind in sorted(counts.items(), key=lambda item: -sum(item[1].values()))[:30]
    ]
    return table(head, rows)


def _details(budget: Budget, changes: Sequence[Change]) -> tuple[list[str], int]:
    """As many as fit; one that is too long for what is left does not keep shorter ones out."""
    out: list[str] = []
    for change in changes:
        if budget.room < 400:
            break
        block = markdown_change.details(change)
        if budget.take(f"{block}\n"):
            out.append(block)
    return out, len(out)


def _loads(budget: Budget, most: int, review: Review) -> list[str]:
    if review.loads is None:
        return []
    head = ("", "Before", "After", "")
    out = ["#### Capacity and cost"]
    rows = [_load(r) for r in load_rows.totals(review.loads)]
    out.append(budget.spend("\n".join(table(head, rows))))
    each = [_load(r) for r in load_rows.workloads(review.loads)]
    taken = budget.fill(each, most)
    if left := len(each) - len(taken):
        taken.append(budget.spend(row(f"… and {left:,} more numbers", "", "", "")))
    if each:
        number = count(len(review.loads.changes), "workload")
        out += [
            f"<details><summary>Capacity of {number}</summary>",
            "\n".join(table(head, taken)),
            "</details>",
        ]
    return out


def _load(r: LoadRow) -> str:
    name = f"{code(r.what)} {r.name}" if r.what else r.name
    return row(name, text(r.before), text(r.after), r.warning)


def _foot(review: Review, shown: int, see: str) -> str:
    """Where to see what is left out, and who wrote this."""
    by = f"orchestra {text(cut(review.tool_version, 40))}".strip()
    left = len(review.changes) - shown
    if not left:
        return f"<sub>{by}</sub>"
    of = f"The details of {left:,} of {len(review.changes):,} changes are left out here"
    return f"{of}; all of them: {see or _SEE[review.kind]}\n\n<sub>{by}</sub>"
