"""Groups of commands of which one is meant where none is named."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

import click

if TYPE_CHECKING:
    from click.shell_completion import CompletionItem


_WHOLE = 1_000
"""Characters of the first sentence of a help text: more than any has."""


class DefaultGroup(click.Group):
    """`orchestra runs` lists: what is no subcommand belongs to the default one."""

    default: ClassVar[str] = "list"

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        if not args or not self.takes(ctx, args[0]):
            if args and not ctx.resilient_parsing:
                self.refuse(ctx, args[0])
            args = [self.default, *args]
        return super().parse_args(ctx, args)

    def refuse(self, ctx: click.Context, word: str) -> None:
        """click.UsageError for a subcommand that was mistyped, or left out before a number: for a word that is neither
        an option nor could be a spec."""
        if not word or word.startswith("-") or set(word) & {".", "/"} or Path(word).exists():
            return
        from difflib import get_close_matches

        if word.isdecimal() and "show" in self.commands:
            meant = f"{ctx.command_path} show {word}"
        elif close := get_close_matches(word, self.commands, 1):
            meant = f"{ctx.command_path} {close[0]}"
        else:
            meant = f"one of {', '.join(self.commands)}"
        raise click.UsageError(f"{word!r} is no command. Did you mean {meant}?", ctx)

    def takes(self, ctx: click.Context, word: str) -> bool:
        """Whether it is the group's own, and no word for the default command."""
        return word in self.commands or word in ctx.help_option_names

    def shell_complete(self, ctx: click.Context, incomplete: str) -> list[CompletionItem[str]]:
        """Its commands, and what the default one takes."""
        default = self.commands[self.default]
        inner = click.Context(default, parent=ctx, info_name=self.default, resilient_parsing=True)
        if incomplete:
            return default.shell_complete(inner, incomplete)
        from click.shell_completion import CompletionItem

        mine = [CompletionItem(n, help=c.get_short_help_str(_WHOLE)) for n, c in self.commands.items()]
        first = next((p for p in default.params if isinstance(p, click.Argument)), None)
        return [*mine, *(first.shell_complete(inner, incomplete) if first else ())]


class NamelessGroup(DefaultGroup):
    """And the default command has no name of its own: the help of the group is its help."""

    def takes(self, ctx: click.Context, word: str) -> bool:
        return word in self.commands

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        name, found, rest = super().resolve_command(ctx, args)
        return ("" if name == self.default else name), found, rest


class Nameless(click.Command):
    """Such a default command: its usage is the group's."""

    def format_usage(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        formatter.write_usage(ctx.command_path.rstrip(), " ".join(self.collect_usage_pieces(ctx)))
