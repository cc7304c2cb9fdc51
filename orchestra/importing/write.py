"""The spec as a text that people read: how to adopt, each workload under where it comes from, and what is left out."""

from __future__ import annotations

import shlex
from collections.abc import Iterable, Iterator, Sequence

from orchestra.importing.model import LeftOut, Made, Options
from orchestra.importing.text import WIDTH, comment, scalar, verbatim
from orchestra.report import mask
from orchestra.spec.model import Platform
from orchestra.version import __version__


def head(project: str, platform: Platform, options: Options) -> list[str]:
    """The keys before the workloads."""
    lines = ["version: 1", f"project: {project}"]
    if platform.provider == "supabase":
        lines += ["# The plan decides what fits: free, pro, team or enterprise."]
        lines += [f"platform: {{provider: supabase, plan: {platform.plan}}}"]
    else:
        lines += ["platform: {provider: postgres}"]
    if options.environment is not None:
        name, variable = options.environment
        lines += ["environments:", f"  {name}: {{database: {{env: {variable}}}}}"]
    return lines


def workload(made: Made) -> list[str]:
    """One workload with its comments, as it stands under `workloads:`."""
    notes = [line for note in made.notes for line in comment(mask.text(note), 4)]
    return [head_of(made), *notes, *_keys(made.lines)]


def head_of(made: Made) -> str:
    """The line of its key, in quotes where a reader would take `null` or `true` for anything but a name."""
    return f"  {scalar(made.workload)}:"


def _keys(lines: Iterable[str]) -> Iterator[str]:
    """The keys, four deep. Lines that begin with a hash are comments; those of a statement are indented."""
    for line in lines:
        if line.startswith("# ") and not line.startswith("#   "):
            yield from comment(mask.text(line[2:]), 4)
        elif line.startswith("#"):
            yield f"    {mask.text(line)}"
        else:
            yield f"    {line}" if line else ""


def command(options: Options, adopt: Sequence[str]) -> list[str]:
    """The lines of the command that adopts, the first without and the others with an indentation; a line ends in a
    backslash where another follows."""
    words = [f"orchestra plan {shlex.quote(options.file)}"]
    words += options.where
    words += [f"--adopt {shlex.quote(argument)}" for argument in adopt]
    lines = [words[0]]
    for word in words[1:]:
        if len(lines[-1]) + len(word) + 3 > WIDTH - 6:
            lines[-1] += " \\"
            lines.append(f"  {word}")
        else:
            lines[-1] += f" {word}"
    return lines


def spec(
    head_lines: Sequence[str],
    source: str,
    made: Sequence[Made],
    left_out: Sequence[LeftOut],
    tools: Sequence[str],
    notes: Sequence[str],
    run: Sequence[str],
) -> str:
    """The whole file. `source` says what was read, `run` is the command that adopts."""
    lines = comment(f"Written by orchestra {__version__} import, from {source}.")
    if made:
        lines += comment(
            "Read it through, then look at what adopting would do. It changes nothing of what your queues hold, and "
            "`orchestra apply` with the same words does it:"
        )
        lines += ["#", *(f"#   {line}" for line in run)]
    for note in notes:
        lines += ["#", *comment(note)]
    lines += ["", *head_lines, ""]
    lines += ["workloads:"] if made else ["workloads: {}"]
    for number, item in enumerate(made):
        lines += ([""] if number else []) + workload(item)
    if left_out or tools:
        lines += ["", *comment("Not imported. orchestra touches none of this.")]
    for left in left_out:
        lines += ["#", *comment(mask.text(_sentence(f"{left.what}: {left.reason}")))]
        lines += comment(mask.text(left.hint)) if left.hint else []
        lines += verbatim(left.shown)
    for tool in tools:
        lines += ["#", *comment(tool)]
    return "\n".join(lines) + "\n"


def _sentence(text: str) -> str:
    return text[:1].upper() + text[1:] + ("" if text.endswith((".", "?", "!")) else ".")
