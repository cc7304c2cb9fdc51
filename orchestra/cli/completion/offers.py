"""What may stand at a place of the line: the names of the spec at hand, spec files, addresses.

These are the `shell_complete` of parameters. A spec that cannot be read offers nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click

if TYPE_CHECKING:
    from click.shell_completion import CompletionItem

    from orchestra.kinds import Kind
    from orchestra.spec.model import Spec

Items = list["CompletionItem[str]"]

YAML: Final = (".yaml", ".yml")
_HOLD_SPECS: Final = ("specs", "what", "arguments", "spec")
"""The parameters of the commands that hold specs, perhaps beside workloads and addresses."""


def files(*endings: str) -> Items:
    """Files of these endings, or any, and the folders on the way to them: the shell lists them."""
    return [_item("", "file", endings=endings)]


def any_file(ctx: click.Context, param: click.Parameter, incomplete: str) -> Items:
    return files()


def any_folder(ctx: click.Context, param: click.Parameter, incomplete: str) -> Items:
    return [_item("", "dir")]


def specs(ctx: click.Context, param: click.Parameter, incomplete: str) -> Items:
    return files(*YAML)


def specs_or_plans(ctx: click.Context, param: click.Parameter, incomplete: str) -> Items:
    return files(*YAML, ".json")


def plans(ctx: click.Context, param: click.Parameter, incomplete: str) -> Items:
    return files(".json")


def workloads(ctx: click.Context, param: click.Parameter, incomplete: str) -> Items:
    from orchestra.spec.outline import names

    texts = _texts(_paths(ctx))
    found = [names(text, "workloads") for text in texts]
    if None not in found:
        return _plain(name for some in found for name in some or ())
    spec = _load(_paths(ctx))
    return _plain(w.name for w in spec.workloads) if spec else []


def environments(ctx: click.Context, param: click.Parameter, incomplete: str) -> Items:
    """Those of fleets by the names that their variables hold."""
    from orchestra.cli.environments import names
    from orchestra.spec.outline import cut

    sections = [cut(text, "environments") for text in _texts(_paths(ctx))]
    found = [_parse(section) if section else None for section in sections]
    if None in sections or any(section and not spec for section, spec in zip(sections, found, strict=True)):
        found = [_load(_paths(ctx))]
    return _plain(name for spec in found if spec for name in names(spec))


def specs_and_workloads(ctx: click.Context, param: click.Parameter, incomplete: str) -> Items:
    return [*workloads(ctx, param, incomplete), *files(*YAML)]


def adoptable(ctx: click.Context, param: click.Parameter, incomplete: str) -> Items:
    """The addresses of the queues and cron jobs that the spec's workloads have."""
    return _addresses(ctx, lambda kind: kind.name in ("queue", "cron_job"))


def turnable(ctx: click.Context, param: click.Parameter, incomplete: str) -> Items:
    """The addresses of what operators pause and resume."""
    return _addresses(ctx, lambda kind: bool(kind.operator) or kind.name == "cron_job")


def specs_and_adoptable(ctx: click.Context, param: click.Parameter, incomplete: str) -> Items:
    return [*adoptable(ctx, param, incomplete), *files(*YAML)]


def specs_and_owned(ctx: click.Context, param: click.Parameter, incomplete: str) -> Items:
    return [*_addresses(ctx, lambda kind: kind.owned), *files(*YAML)]


def _item(value: str, form: str = "plain", **more: Any) -> CompletionItem[str]:
    from click.shell_completion import CompletionItem

    return CompletionItem(value, form, **more)


def _plain(names: Iterable[str]) -> Items:
    return [_item(name) for name in dict.fromkeys(names)]


def _addresses(ctx: click.Context, wanted: Callable[[Kind], bool]) -> Items:
    spec = _load(_paths(ctx))
    if spec is None:
        return []
    from orchestra import pipeline
    from orchestra.kinds import BY_NAME
    from orchestra.plan.owning import workload_of

    workloads = {w.name for w in spec.workloads}
    found = [a for a in pipeline.compile_spec(spec).resources if workload_of(a.name) in workloads]
    return _plain(str(a) for a in found if wanted(BY_NAME[a.kind]))


def _paths(ctx: click.Context) -> tuple[Path, ...]:
    """The specs that stand on the line, else the nearest one, else none."""
    from orchestra.cli import addresses
    from orchestra.cli.completion.listing import expanded
    from orchestra.spec import find_spec

    if any(ctx.params[n] is None for n in _HOLD_SPECS if n in ctx.params):
        return ()  # there is one, and click refuses it: it may not be read
    words: Sequence[object] = next((ctx.params[n] for n in _HOLD_SPECS if ctx.params.get(n)), ())
    given = [expanded(str(word)) for word in words]
    given = [path for path in given if path.suffix != ".json"]
    if ctx.command.name in ("adopt", "forget"):
        given = list(addresses.apart([str(path) for path in given])[0])
    elif ctx.command.name == "explain":
        given = [path for path in given if path.exists() or path.suffix in YAML]
    if given:
        return tuple(given)
    nearest = find_spec(Path.cwd())
    return (nearest,) if nearest else ()


def _texts(paths: Sequence[Path]) -> list[str]:
    """Of every file that can be read."""
    from orchestra.spec.files import read_specs

    found = (data for _, data in read_specs(paths))
    return [data.decode(errors="replace") for data in found if isinstance(data, bytes)]


def _load(paths: Sequence[Path]) -> Spec | None:
    from orchestra.spec import load_spec

    return load_spec(paths).spec if paths else None


def _parse(section: str) -> Spec | None:
    from orchestra.spec import parse_spec

    return parse_spec(f"version: 1\nproject: any\n{section}").spec
