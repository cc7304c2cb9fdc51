"""Words of a command line -> what may stand next, from the commands as click knows them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import click
from click.core import ParameterSource

if TYPE_CHECKING:
    from click.shell_completion import CompletionItem


@dataclass(frozen=True, slots=True)
class File:
    """Files of these endings (any, where there are none) and folders; or folders alone."""

    endings: tuple[str, ...] = ()
    folders: bool = False


@dataclass(frozen=True, slots=True)
class Found:
    """What may stand in the place of the word, whatever is typed of it: values with a word about each, and files.
    `prefix` is what of the word comes before them, `--env=`; `noun` says what they are."""

    noun: str = ""
    values: tuple[tuple[str, str], ...] = ()
    file: File | None = None
    prefix: str = ""


def find(words: Sequence[str], current: str) -> Found:
    """`words` are those between `orchestra` and the one at the cursor, of which `current` is typed."""
    ctx, rest = _command(list(words))
    if ctx is None:
        return Found()
    if isinstance(ctx.command, click.Group):
        noun = "option" if _is_option(current) else "command"
        return _found(noun, ctx.command.shell_complete(ctx, "-" if _is_option(current) else ""))
    given, waiting = _split(ctx, rest)
    assert ctx.info_name is not None
    ctx = ctx.command.make_context(ctx.info_name, list(given), parent=ctx.parent, resilient_parsing=True)
    if waiting is not None:
        return _value(ctx, waiting)
    if "--" not in rest and _is_option(current):
        name, sign, _ = current.partition("=")
        if not sign:
            return _found("option", ctx.command.shell_complete(ctx, "-"))
        option = _option(ctx, name)
        return _value(ctx, option, f"{name}=") if option is not None and _takes_value(option) else Found()
    argument = next((p for p in ctx.command.get_params(ctx) if _is_open(ctx, p)), None)
    return Found() if argument is None else _value(ctx, argument)


def _command(words: list[str]) -> tuple[click.Context | None, list[str]]:
    """The command that the words lead to, and those that are its own."""
    from orchestra.cli.groups import DefaultGroup
    from orchestra.cli.root import root

    ctx = root.make_context("orchestra", [], resilient_parsing=True)
    while isinstance(ctx.command, click.Group):
        group = ctx.command
        if not isinstance(group, DefaultGroup):
            while words and words[0].startswith("-"):
                words.pop(0)  # groups have flags only
        if not words:
            break
        found = group.get_command(ctx, words[0])
        if found is not None:
            name = words.pop(0)
        elif isinstance(group, DefaultGroup):
            name, found = group.default, group.commands[group.default]
        else:
            return None, words
        ctx = click.Context(found, parent=ctx, info_name=name, resilient_parsing=True)
    return ctx, words


def _split(ctx: click.Context, words: list[str]) -> tuple[list[str], click.Option | None]:
    """The words but for a last option that still waits for its value, and that option."""
    at = 0
    while at < len(words) and words[at] != "--":
        option = _option(ctx, words[at])
        if option is not None and _takes_value(option):
            if at + 1 == len(words):
                return words[:at], option
            at += 1
        at += 1
    return words, None


def _option(ctx: click.Context, name: str) -> click.Option | None:
    params = ctx.command.get_params(ctx)
    return next((p for p in params if isinstance(p, click.Option) and name in p.opts), None)


def _takes_value(option: click.Option) -> bool:
    return not option.is_flag and not option.count


def _is_option(word: str) -> bool:
    return word.startswith("-")


def _is_open(ctx: click.Context, param: click.Parameter) -> bool:
    """Whether it is an argument that takes one more word."""
    if not isinstance(param, click.Argument) or param.name is None:
        return False
    return param.nargs == -1 or ctx.get_parameter_source(param.name) is not ParameterSource.COMMANDLINE


def _value(ctx: click.Context, param: click.Parameter, prefix: str = "") -> Found:
    given = ctx.params.get(param.name or "")
    taken = {str(value) for value in given} if isinstance(given, list | tuple) else set()
    return _found(_noun(param), param.shell_complete(ctx, ""), taken, prefix)


def _noun(param: click.Parameter) -> str:
    if isinstance(param, click.Option):
        return param.opts[0].lstrip("-").replace("-", " ")
    return (param.name or "").rstrip("s").replace("_", " ")


def _found(
    noun: str, items: Sequence[CompletionItem[str]], taken: set[str] | None = None, prefix: str = ""
) -> Found:
    values = [(i.value, _said(i.help)) for i in items if i.type == "plain" and i.value not in (taken or ())]
    file = next((_file(i) for i in items if i.type in ("file", "dir")), None)
    return Found(noun, tuple(v for v in values if v[0].isprintable()), file, prefix)


def _file(item: CompletionItem[str]) -> File:
    return File(folders=True) if item.type == "dir" else File(tuple(item.endings or ()))


def _said(text: str | None) -> str:
    """The first sentence, on one line."""
    words = " ".join((text or "").split())
    first = words.partition(". ")[0].removesuffix(".")
    return first if first.isprintable() else ""
