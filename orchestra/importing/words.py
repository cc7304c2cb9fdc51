"""What the objects are called in sentences."""

from __future__ import annotations

from orchestra.importing.secrecy import said
from orchestra.importing.text import name
from orchestra.live.inventory import LiveJob, LiveTrigger
from orchestra.report import mask


def job(item: LiveJob) -> str:
    """`cron job 4 "purge-log"`, with its role where that is not `role`."""
    called = f" {name(mask.text(item.name))}" if item.name else ", which has no name"
    return f"cron job {item.jobid}{called}"


def trigger(item: LiveTrigger) -> str:
    return f"trigger {name(item.name)} on {table(item)}"


def table(item: LiveTrigger) -> str:
    return f"{part(item.schema)}.{part(item.table)}"


def function(schema: str, called: str) -> str:
    return f"{part(schema)}.{part(called)}()"


def part(text: str) -> str:
    """An identifier as it is written in SQL."""
    plain = text.isascii() and text.isidentifier() and text == text.lower()
    return text if plain else name(text.replace('"', '""'))


def failing(item: LiveJob) -> str | None:
    """That all of its newest runs have failed, and how; None where the newest has not."""
    if item.runs is None or not item.runs.failing:
        return None
    last = "its last run" if item.runs.failing == 1 else f"every one of its last {item.runs.failing:,} runs"
    message = said(item.runs.message, item.command)
    return f"It has failed at {last}" + (f": {message}" if message else "") + "."
