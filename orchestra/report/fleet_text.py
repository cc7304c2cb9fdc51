"""A fleet as text: the plans that are alike, each once, and one table of what became of every database."""

from __future__ import annotations

from collections.abc import Sequence

from orchestra.fleet.groups import Approval, Group
from orchestra.fleet.model import Outcome, Result
from orchestra.fleet.report import Report, counted
from orchestra.report import plan_text
from orchestra.report.cells import cut, pad, visible, width, wrap
from orchestra.report.style import PLAIN, Style
from orchestra.report.words import count

NAMED = 5
"""Environments of a group that are named; `full` names all."""
MOST_APPROVALS = 20
WIDEST = 36
"""Cells of a name in the table."""
_LOOKS = {
    Outcome.DONE: "green",
    Outcome.UNCHANGED: "dim",
    Outcome.CHANGES: "yellow",
    Outcome.NOT_BEGUN: "dim",
}


_COUNTED = {Outcome.UNCHANGED: "without changes", Outcome.CHANGES: "with changes"}


def plans(
    groups: Sequence[Group], style: Style = PLAIN, *, show_sql: bool = False, full: bool = False
) -> str:
    """Every plan once, with the databases that it is for; nothing where there is no plan."""
    return "".join(_group(group, style, show_sql, full) for group in groups)


def _group(group: Group, style: Style, show_sql: bool, full: bool) -> str:
    number = len(group.environments)
    said = group.plan.changes or group.plan.blockers or group.plan.conditions
    what = ("a plan of its own" if number == 1 else "the same plan") if said else "nothing to change"
    head = wrap(f"{count(number, 'database')}, {what}: {_names(group.environments, full)}", style.width)
    lines = [style.paint(line, "bold", "cyan") for line in head]
    if said:
        lines += ["", plan_text.render(group.plan, style, show_sql=show_sql, full=full).rstrip("\n")]
        lines += _approvals(group.approvals, style, full)
    return "\n".join(lines) + "\n\n"


def _names(names: Sequence[str], full: bool) -> str:
    if full or len(names) <= NAMED + 1:
        return ", ".join(names)
    return f"{', '.join(names[:NAMED])} and {len(names) - NAMED:,} more"


def _approvals(items: Sequence[Approval], style: Style, full: bool) -> list[str]:
    if not items:
        return []
    shown = items if full else items[:MOST_APPROVALS]
    names = max(width(item.environment) for item in shown)
    lines = ["", style.bold("To approve, each by itself:")]
    lines += [f"  {pad(item.environment, names)}  {visible(item.approval, keep='')}" for item in shown]
    if len(shown) < len(items):
        lines.append(style.dim(f"  … and {len(items) - len(shown):,} more (--full shows all)"))
    return lines


def table(report: Report, style: Style = PLAIN) -> str:
    """One row a database, what went wrong beneath it in one line, and a line that counts them all."""
    applying = report.command == "apply"
    heads = ("Environment", "Database", "Outcome", "Add", "Change", "Destroy", "Time") + (
        ("Deployment",) if applying else ()
    )
    rows = [_cells(result, applying) for result in report.results]
    widths = [min(max(width(row[n]) for row in [heads, *rows]), WIDEST) for n in range(len(heads))]
    lines = [style.dim(_line(heads, widths))]
    advised: set[str] = set()
    for result, row in zip(report.results, rows, strict=True):
        lines.append(_line(row, widths, style, result.outcome))
        if result.error and not (result.outcome is Outcome.NOT_BEGUN and result.error in advised):
            advised.add(result.error)
            said = visible(result.error, keep="")
            lines.append(f"  {_paint(style, result.outcome, 'why:')} {said}")
        if result.remedy and result.remedy not in advised:
            advised.add(result.remedy)
            lines.append(f"  {style.dim('do: ')} {visible(result.remedy, keep='')}")
    return "\n".join([*lines, "", _summary(report, style)]) + "\n"


def _cells(result: Result, applying: bool) -> tuple[str, ...]:
    known = result.outcome.went_well or (bool(result.plan_hash) and not applying)
    numbers = [f"{n:,}" if known else "-" for n in (result.add, result.change, result.destroy)]
    begun = result.outcome is not Outcome.NOT_BEGUN
    cells = (
        visible(result.environment, keep=""),
        visible(result.database, keep="") or "-",
        result.outcome.value,
        *numbers,
        took(result.seconds) if begun else "-",
    )
    return (*cells, deployments(result.deployments)) if applying else cells


def _line(
    cells: Sequence[str], widths: Sequence[int], style: Style = PLAIN, outcome: Outcome | None = None
) -> str:
    """Numbers to the right, all else to the left."""
    parts = []
    for n, (cell, cells_wide) in enumerate(zip(cells, widths, strict=True)):
        text = cut(cell, cells_wide)
        gap = " " * (cells_wide - width(text))
        shown = _paint(style, outcome, text) if outcome is not None and n == 2 else text
        parts.append(gap + shown if n in (3, 4, 5, 6) else shown + gap)
    return "  ".join(parts).rstrip()


def _paint(style: Style, outcome: Outcome, text: str) -> str:
    return style.paint(text, _LOOKS.get(outcome, "red"))


def took(seconds: float) -> str:
    return f"{seconds:.1f} s" if seconds >= 1 else f"{seconds * 1000:.0f} ms"


def deployments(numbers: Sequence[int]) -> str:
    """`#7`, or `#7-#9` for several transactions."""
    if not numbers:
        return "-"
    return f"#{numbers[0]}" if len(numbers) == 1 else f"#{numbers[0]}-#{numbers[-1]}"


def _summary(report: Report, style: Style) -> str:
    """`200 databases: 197 done, 2 without changes, 1 failed, in 41.2 s.`"""
    found = counted(report.results)
    parts = [
        _paint(style, outcome, f"{number:,} {_COUNTED.get(outcome, outcome.value)}")
        for outcome, number in found.items()
    ]
    head = style.bold(f"{count(len(report.results), 'database')}:")
    return f"{head} {', '.join(parts)}, in {took(report.seconds)}."
