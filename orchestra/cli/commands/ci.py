from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from click.core import ParameterSource

from orchestra.cli.completion import offers
from orchestra.errors import OrchestraError, UsageError

if TYPE_CHECKING:
    from orchestra.cli.ci.step import Step

_HEEDS = {
    "check": {"strict"},
    "compile-check": {"compiled"},
    "migrate-check": {"compiled"},
    "diff": {"base", "comment", "fail_on"},
    "plan": {"environment", "comment", "fail_on"},
    "apply": {"environment", "plan_file"},
}
"""The steps, and what each takes beside specs, directory and arguments, which all of them take."""


def _lines(ctx: click.Context, param: click.Parameter, value: tuple[str, ...] | str) -> tuple[str, ...]:
    """Repeated options, or one per line of a variable."""
    given = (value,) if isinstance(value, str) else value
    return tuple(line.strip() for text in given for line in text.splitlines() if line.strip())


def _many(name: str, variable: str, metavar: str, said: str, **more: Any) -> Callable[[Any], Any]:
    """An option that may be repeated; its variable holds one value a line."""

    class Lines(click.Option):
        def value_from_envvar(self, ctx: click.Context) -> Any:
            found = self.resolve_envvar_value(ctx)
            return None if found is None else (found,)

    return click.option(
        name,
        cls=Lines,
        multiple=True,
        envvar=variable,
        show_envvar=True,
        metavar=metavar,
        help=said,
        callback=_lines,
        **more,
    )


@click.command("ci")
@click.argument("step", type=click.Choice(tuple(_HEEDS)))
@_many(
    "--spec",
    "ORCHESTRA_CI_SPEC",
    "PATH",
    "The spec. Repeatable. Default: the nearest orchestra.yaml.",
    shell_complete=offers.specs,
)
@click.option(
    "--env",
    "environment",
    envvar="ORCHESTRA_CI_ENVIRONMENT",
    shell_complete=offers.environments,
    show_envvar=True,
    default="",
    metavar="NAME",
    help="An environment of the spec, which names its database.",
)
@click.option(
    "--base",
    envvar="ORCHESTRA_CI_BASE",
    show_envvar=True,
    default="",
    metavar="REVISION",
    help="What diff compares with. Default: what the pull request would be merged into.",
)
@click.option(
    "--plan-file",
    envvar="ORCHESTRA_CI_PLAN_FILE",
    shell_complete=offers.plans,
    show_envvar=True,
    default="",
    metavar="FILE",
    help="The saved plan that apply applies, with plan.tree beside it.",
)
@click.option(
    "--directory",
    envvar="ORCHESTRA_CI_DIRECTORY",
    shell_complete=offers.any_folder,
    show_envvar=True,
    default="",
    metavar="DIR",
    help="Where the reports go. Default: orchestra-report/STEP-ENVIRONMENT, under RUNNER_TEMP where there is one.",
)
@click.option(
    "--compiled",
    envvar="ORCHESTRA_CI_COMPILED",
    shell_complete=offers.any_folder,
    show_envvar=True,
    default="supabase",
    metavar="DIR",
    show_default=True,
    help="The folder that compile-check and migrate-check look at.",
)
@click.option(
    "--comment/--no-comment",
    envvar="ORCHESTRA_CI_COMMENT",
    show_envvar=True,
    default=False,
    help="Keep a comment of the pull request up to date with a diff or a plan.",
)
@click.option(
    "--fail-on",
    envvar="ORCHESTRA_CI_FAIL_ON",
    show_envvar=True,
    default="blocked",
    show_default=True,
    type=click.Choice(("blocked", "unapproved", "changes", "nothing")),
    help="What ends a diff or a plan with a code above 0: what apply refuses, what is not approved, or any change.",
)
@click.option(
    "--strict/--no-strict",
    envvar="ORCHESTRA_CI_STRICT",
    show_envvar=True,
    default=False,
    help="Let check fail for warnings too.",
)
@_many(
    "--argument",
    "ORCHESTRA_CI_ARGUMENTS",
    "TEXT",
    "Goes to the command itself, such as --argument=--allow-destroy.",
)
def command(step: str, **told: Any) -> None:
    """One step of a pipeline, as the GitHub action runs it: the command of its name, its reports as files, annotations,
    the summary and the outputs of the step, and the comment.

    \b
    Example:
      orchestra ci check
      orchestra ci plan --env production --comment
      orchestra ci apply --env production --plan-file orchestra-report/plan-production/plan.json
    """
    from orchestra.cli.ci import applies, checks, reviews

    run = {
        "check": checks.check,
        "compile-check": checks.compile_check,
        "migrate-check": checks.migrate_check,
        "diff": reviews.diff,
        "plan": reviews.plan,
        "apply": applies.apply,
    }[step]
    from orchestra.cli.ci import runner

    _refuse_unheeded(step, told)
    prepared = _step(step, told)
    prepared.directory.mkdir(parents=True, exist_ok=True)
    code = 1
    try:
        code = run(prepared)
    except OrchestraError as error:
        code = error.exit_code
        raise
    finally:
        runner.output(exit_code=code)
    if code:
        raise click.exceptions.Exit(code)


def _refuse_unheeded(step: str, told: dict[str, Any]) -> None:
    """UsageError for an option that the step would not heed."""
    context = click.get_current_context()
    of_one_step = {name for names in _HEEDS.values() for name in names} - _HEEDS[step]
    for parameter in context.command.params:
        name = str(parameter.name)
        if name not in of_one_step or told[name] == parameter.get_default(context):
            continue
        if name == "comment" and context.get_parameter_source(name) is ParameterSource.ENVIRONMENT:
            continue  # one wish for all steps of a job
        takers = " and ".join(other for other, names in _HEEDS.items() if name in names)
        raise UsageError(
            f"{parameter.opts[0]} is for {takers}, and this is {step}", "leave it out of this step"
        )


def _step(name: str, told: dict[str, Any]) -> Step:
    from orchestra.cli.ci import runner
    from orchestra.cli.ci.step import FailOn, Step
    from orchestra.cli.environments import is_pattern

    environment = told["environment"]
    if is_pattern(environment):
        raise UsageError(
            f"--env {environment!r}: a step of a pipeline is about one environment",
            "give each its own step; many at once are for orchestra plan and apply with --out DIR",
        )
    own = runner.scratch() / re.sub(r"[^\w.-]", "-", "-".join(filter(None, (name, environment))))
    return Step(
        specs=told["spec"],
        environment=environment,
        base=told["base"],
        plan_file=Path(told["plan_file"]) if told["plan_file"] else None,
        directory=Path(told["directory"]) if told["directory"] else own,
        compiled=Path(told["compiled"]),
        comment=told["comment"],
        fail_on=FailOn(told["fail_on"]),
        strict=told["strict"],
        arguments=told["argument"],
    )
