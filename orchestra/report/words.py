"""Numbers and names in sentences."""

from __future__ import annotations


def count(number: int, noun: str, plural: str = "") -> str:
    """`1 error`, `4,950 queues`."""
    return f"{number:,} {noun if number == 1 else plural or plural_of(noun)}"


def plural_of(noun: str) -> str:
    return noun[:-1] + "ies" if noun.endswith("y") and noun[-2:-1] not in "aeiou" else noun + "s"


def kind(name: str) -> str:
    """A kind as people say it: `cron job`."""
    return name.replace("_", " ")
