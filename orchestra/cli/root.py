"""`orchestra` itself: the list of its commands, each loaded when it is asked for."""

from __future__ import annotations

import os
import sys
from importlib import import_module
from typing import TYPE_CHECKING, Any, NoReturn

import click

from orchestra.version import __version__

if TYPE_CHECKING:
    from click.shell_completion import CompletionItem

COMMANDS = {
    "init": "Begin: write a spec that works, for this repository.",
    "check": "Find what is wrong with a spec, before production does.",
    "fmt": "Bring spec files into their canonical form.",
    "explain": "Show how each workload will run, and why.",
    "compile": "Write the SQL and the Edge Functions of a spec.",
    "migrate": "Write the next migration of a spec.",
    "plan": "Show what would change in the database.",
    "show": "Show a saved plan, without a database.",
    "apply": "Make the database as the spec says.",
    "dev": "Run all of it on this machine, and take up what you save.",
    "send": "Send work to a queue by hand.",
    "status": "Show how each workload is, and what calls for somebody.",
    "runs": "List runs, show their steps; cancel or retry one.",
    "pause": "Stop a project or a workload; its messages wait.",
    "resume": "Let what is paused go on.",
    "drain": "Let a workload finish what it has, then pause it.",
    "dlq": "Look at dead letters; redrive, purge or export them.",
    "doctor": "Prove every prerequisite, and say how to mend what is missing.",
    "adopt": "Take over queues and jobs that exist already.",
    "forget": "Give objects up and leave them as they are.",
    "history": "Show what was deployed, by whom, and what was done by hand.",
    "rollback": "Bring a project back to an earlier deployment.",
    "destroy": "Remove what a project has in the database.",
    "diff": "Compare two specs, without a database.",
    "import": "Write a spec of what a database holds already.",
    "graph": "Draw the workloads: mermaid, DOT or SVG.",
    "approve": "Write an approval to be committed.",
    "ci": "Run one step of a pipeline: reports, annotations, summary, comment.",
    "comment": "Keep one comment of a pull request up to date with a plan.",
    "schema": "Print a JSON Schema.",
    "completion": "Print what makes TAB complete in bash, zsh or fish.",
}
"""Each is the `command` of the module of its name in `cli/commands`, in the order of the road."""


class Root(click.Group):
    """A group that knows its commands by name and imports none of them to list them."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            return None
        found = import_module(f"orchestra.cli.commands.{cmd_name}").command
        assert isinstance(found, click.Command)
        return found

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        if args and args[0] not in COMMANDS and not args[0].startswith("-"):
            from difflib import get_close_matches

            close = get_close_matches(args[0], COMMANDS, 1)
            meant = f" Did you mean {close[0]!r}?" if close else ""
            raise click.UsageError(f"There is no command {args[0]!r}.{meant}", ctx)
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl(list(COMMANDS.items()))

    def shell_complete(self, ctx: click.Context, incomplete: str) -> list[CompletionItem[str]]:
        from click.shell_completion import CompletionItem

        names = [CompletionItem(n, help=said) for n, said in COMMANDS.items() if n.startswith(incomplete)]
        return [*names, *click.Command.shell_complete(self, ctx, incomplete)]

    def main(self, *args: Any, **extra: Any) -> Any:
        """Run, and end with the exit code that the contract gives (see `orchestra.errors`)."""
        if not extra.get("standalone_mode", True):
            return super().main(*args, **extra)
        if (shell := os.environ.get("_ORCHESTRA_COMPLETE")) in ("bash", "zsh", "fish"):
            from orchestra.cli.completion.answer import respond

            respond(shell, sys.argv[1:])
            return _exit(0)
        from orchestra.cli.ending import run

        quietly = {**extra, "standalone_mode": False}
        return _exit(run(lambda: super(Root, self).main(*args, **quietly)))


def _exit(code: int) -> NoReturn:
    raise SystemExit(code)


@click.group(
    cls=Root,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    epilog=(
        "The database is --db URL, else --env NAME, else ORCHESTRA_DATABASE_URL, else a running local "
        "Supabase stack, else an embedded one under .orchestra/."
    ),
)
@click.version_option(__version__, "-V", "--version", message="orchestra %(version)s")
def root() -> None:
    """Terraform for background work on Postgres and Supabase.

    \b
    Example:
      orchestra check && orchestra plan --env production
      orchestra apply --env production
    """
