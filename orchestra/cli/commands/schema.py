from __future__ import annotations

import click

from orchestra.cli import console, schemas


@click.command("schema")
@click.argument("name", type=click.Choice(list(schemas.NAMES)), default="spec")
def command(name: str) -> None:
    """Print the JSON Schema (2020-12) of a spec, or of what a command prints with --format json. An editor
    that knows the schema of the spec completes and explains every key.

    \b
    Example:
      orchestra schema > orchestra.schema.json
      orchestra schema plan
    """
    console.out(schemas.text(name), end="")
