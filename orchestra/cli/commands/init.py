from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click

from orchestra.cli import console, options
from orchestra.cli.completion import offers
from orchestra.errors import BlockedError, UsageError

if TYPE_CHECKING:
    from orchestra.scaffold import Answers, Found, Planned

_PROVIDERS: Final = ("supabase", "postgres")
_PLANS: Final = ("free", "pro", "team", "enterprise")
_CI: Final = ("github", "gitlab", "none")


@click.command("init")
@click.argument(
    "directory",
    metavar="[DIR]",
    required=False,
    type=click.Path(path_type=Path),
    shell_complete=offers.any_folder,
)
@click.option("--project", metavar="NAME", help="What the project is called.")
@click.option("--provider", type=click.Choice(_PROVIDERS), help="Where its database is.")
@click.option(
    "--plan", type=click.Choice(_PLANS), help="The plan of the Supabase project, whose limits count."
)
@click.option("--ci", type=click.Choice(_CI), help="The pipeline to write.")
@click.option("--pre-commit", is_flag=True, help="Write a .pre-commit-config.yaml as well.")
@options.auto_approve
def command(
    directory: Path | None,
    project: str | None,
    provider: str | None,
    plan: str | None,
    ci: str | None,
    pre_commit: bool,
    auto_approve: bool,
) -> None:
    """Write a first spec that works at once, its schema for the editor, the entries of .gitignore and a pipeline. What
    the repository shows is taken as default: a Supabase folder, its functions, names, the host of its remote. What is
    asked can be given as an option. It shows what it will write, overwrites nothing, and writes all or nothing.

    DIR is where the spec will lie; by default the folder here, or the one below that has a supabase folder.

    \b
    Example:
      orchestra init
      orchestra init services/shop --project shop --provider supabase --plan pro --ci github --auto-approve
    """
    from orchestra.cli import placing, repository
    from orchestra.scaffold import make

    folder = _folder(directory)
    if not auto_approve and not console.interactive():
        raise UsageError(
            "there is no terminal to ask on, and --auto-approve was not given",
            "add --auto-approve; --project, --provider, --plan and --ci answer the questions",
        )
    found = repository.look(folder)
    defaults = _defaults(found, repository.uses_supabase(folder))
    given = {"project": project, "provider": provider, "plan": plan, "ci": ci}
    answers = _answers(given, defaults, pre_commit, ask=not auto_approve)
    planned = make(found, answers)
    _show(folder, planned)
    if not auto_approve and not click.confirm("\nWrite it?", default=True, err=True):
        console.note("Nothing was written.")
        raise click.exceptions.Exit(1)
    texts = {_place(folder, path): text for path, text in planned.files.items()}
    grown = {_place(folder, path): found.texts[path] for path in planned.grown}
    placing.place(texts, grown)
    _say(folder, planned)


def _folder(directory: Path | None) -> Path:
    """Where the spec will lie. BlockedError where one lies there."""
    from orchestra.cli import repository
    from orchestra.cli.specs import relative
    from orchestra.spec.files import SPEC_NAMES

    folder = Path(os.path.abspath(directory or Path.cwd()))  # noqa: PTH100 - links stay as they were typed
    if folder.exists() and not folder.is_dir():
        raise UsageError(f"{directory} is a file", "name the folder for the spec")
    if directory is None:
        homes = repository.homes(folder)
        if len(homes) > 1:
            names = ", ".join(str(relative(home)) for home in homes[:5])
            raise UsageError(
                f"there are {len(homes)} Supabase folders below: in {names}",
                f"say for which: orchestra init {relative(homes[0])}",
            )
        folder = homes[0] if homes else folder
    for name in SPEC_NAMES:
        if os.path.lexists(folder / name):
            raise BlockedError(
                f"{relative(folder / name)} is there already, and stays as it is",
                "orchestra check looks at it; to begin anew, move it away first",
            )
    return folder


def _defaults(found: Found, supabase: bool) -> dict[str, str]:
    from orchestra.scaffold import project_name

    return {
        "project": project_name(found.names),
        "provider": "supabase" if supabase else "postgres",
        "plan": "free",
        "ci": found.host or "none",
    }


def _answers(
    given: dict[str, str | None], defaults: dict[str, str], pre_commit: bool, *, ask: bool
) -> Answers:
    from orchestra.scaffold import Answers, is_project_name

    project = given["project"]
    if project is not None and not is_project_name(project):
        raise UsageError(f"a project cannot be called {project!r}", _RULE)
    if given["provider"] == "postgres" and given["plan"]:
        raise UsageError("--plan is about Supabase projects", "leave it out, or give --provider supabase")

    def answer(name: str, question: str, kind: Any) -> str:
        if given[name] is not None or not ask:
            return given[name] or defaults[name]
        return str(click.prompt(question, default=defaults[name], type=kind, err=True))

    project = answer("project", "Project", _ProjectName())
    if given["plan"] and given["provider"] is None:
        given["provider"] = "supabase"
    provider = answer("provider", "Database", click.Choice(_PROVIDERS))
    plan = answer("plan", "Supabase plan", click.Choice(_PLANS)) if provider == "supabase" else ""
    return Answers(project, provider, plan, answer("ci", "Pipeline", click.Choice(_CI)), pre_commit)


_RULE: Final = "lower-case letters, digits and single hyphens, beginning with a letter, at most 30 characters"


class _ProjectName(click.ParamType[str]):
    name = "project"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        from orchestra.scaffold import is_project_name

        if not is_project_name(value):
            self.fail(f"{value!r} cannot be a project's name: {_RULE}", param, ctx)
        return str(value)


def _place(folder: Path, path: str) -> Path:
    return Path(os.path.normpath(folder / path))


def _shown(folder: Path, path: str) -> str:
    from orchestra.cli.specs import relative
    from orchestra.report.cells import visible

    return visible(str(relative(_place(folder, path))))


def _show(folder: Path, planned: Planned) -> None:
    """What will be written: the spec itself, and the other files by name."""
    from orchestra.report.cells import visible
    from orchestra.scaffold.spec import SPEC

    look = console.style(sys.stderr)
    console.note(f"\n{look.bold(_shown(folder, SPEC))}\n")
    for line in visible(planned.files[SPEC]).splitlines():
        console.note(f"  {look.dim(line) if line.lstrip().startswith('#') else line}".rstrip())
    console.note("")
    for path in planned.files:
        verb = "lines added" if path in planned.grown else "new"
        console.note(f"  {look.paint('+', 'green')} {_shown(folder, path)}  {look.dim(verb)}")
    for path, advice in planned.kept:
        console.note(f"  = {_shown(folder, path)}  {look.dim(f'is there and stays; {advice}')}")


def _say(folder: Path, planned: Planned) -> None:
    from shlex import quote

    from orchestra.cli.specs import relative
    from orchestra.report.cells import wrap
    from orchestra.report.words import count

    look = console.style(sys.stderr)
    console.note("")
    for note in planned.notes:
        console.note("\n".join(wrap(note, look.width)))
    console.note(f"Wrote {count(len(planned.files), 'file')}. Next:\n")
    if folder != Path.cwd():
        console.out(f"  cd {quote(str(relative(folder)))}")
    console.out(
        "  orchestra apply\n"
        "  orchestra send --workload hello\n"
        "  orchestra dev      # works it off; Ctrl-C ends it"
    )
