"""A plan or a difference in every format, by name: the one place that a command asks."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from orchestra.errors import UsageError
from orchestra.report.style import PLAIN, Style
from orchestra.version import __version__

if TYPE_CHECKING:
    from orchestra.plan.load import LoadReport
    from orchestra.plan.model import Difference, Plan
    from orchestra.report.review import Review
    from orchestra.spec.model import Spec

FORMS: Final = ("text", "json", "markdown", "html", "github", "sarif")


def render(form: str, review: Review, *, summary: bool = False) -> str:
    """One of the formats that a plan and a difference share: `markdown`, `html`, `github`, `sarif`. `summary` makes
    markdown for the summary of a step, which holds more than a comment.
    """
    match form:
        case "markdown":
            from orchestra.report import plan_markdown

            limit = plan_markdown.SUMMARY if summary else plan_markdown.COMMENT
            return plan_markdown.render(review, limit)
        case "html":
            from orchestra.report.html import page

            return page.render(review)
        case "github":
            from orchestra.report import plan_github

            return plan_github.render(review)
        case "sarif":
            from orchestra.report import plan_sarif

            return plan_sarif.render(review)
        case _:
            raise ValueError(f"{form} is no format of a review")


def plan(
    form: str,
    made: Plan,
    *,
    spec: Spec | None = None,
    loads: LoadReport | None = None,
    style: Style = PLAIN,
    show_sql: bool = False,
    full: bool = False,
    summary: bool = False,
) -> str:
    """A plan. `spec` is the one that it was made from; `style`, `show_sql` and `full` are of text alone.

    Raises UsageError for what the format does not know.
    """
    refuse(form, show_sql=show_sql, full=full, summary=summary)
    if form == "text":
        from orchestra.report import plan_text

        return plan_text.render(made, style, show_sql=show_sql, full=full)
    if form == "json":
        from orchestra.report import plan_json

        return plan_json.dump(made)
    from orchestra.report import review

    return render(form, review.of_plan(made, spec, loads), summary=summary)


def diff(
    form: str,
    found: Difference,
    *,
    spec: Spec | None = None,
    tool_version: str = __version__,
    style: Style = PLAIN,
    full: bool = False,
    summary: bool = False,
) -> str:
    """A difference of two specs. `spec` is the one after.

    Raises UsageError for what the format does not know.
    """
    refuse(form, full=full, summary=summary)
    if form == "text":
        from orchestra.report import diff_text

        return diff_text.render(found, style, full=full)
    if form == "json":
        from orchestra.report import diff_json

        return diff_json.dump(found)
    from orchestra.report import review

    return render(form, review.of_diff(found, spec, tool_version), summary=summary)


def refuse(form: str, *, show_sql: bool = False, full: bool = False, summary: bool = False) -> None:
    """UsageError for a flag that the format would not heed. A command asks before it does anything."""
    for flag, given in (("--show-sql", show_sql), ("--full", full)):
        if given and form != "text":
            raise UsageError(
                f"{flag} is for --format text, and this is {form}",
                "leave it out: the other formats show as much as they hold",
            )
    if summary and form != "markdown":
        raise UsageError(f"--summary is for --format markdown, and this is {form}", "add --format markdown")
