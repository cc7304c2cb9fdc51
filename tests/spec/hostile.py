"""Texts made to hurt the reader: a name -> how to make the text, and the code of the finding that it must get."""

from __future__ import annotations

from collections.abc import Callable
from random import Random

TOP = "version: 1\nproject: shop\nworkloads:\n"


def _chain(first: str, following: Callable[[int], str], count: int) -> str:
    return f"a0: &a0 {first}\n" + "".join(f"a{n + 1}: &a{n + 1} {following(n)}\n" for n in range(count))


def _nine(n: int) -> str:
    return "[" + ",".join([f"*a{n}"] * 9) + "]"


def _work(lines: str) -> str:
    return f"{TOP}  a: {{trigger: manual, duration: {{max: 5s}}, {lines}}}"


HOSTILE: dict[str, tuple[Callable[[], str], str]] = {
    "deep flow lists": (lambda: "[" * 100_000, "E109"),
    "deep flow mappings": (lambda: "{a: " * 100_000, "E109"),
    "deep block lists": (lambda: "- " * 100_000, "E109"),
    "deep block mappings": (lambda: "\n".join(" " * n + "a:" for n in range(3_000)), "E109"),
    "deep explicit keys": (lambda: "? " * 100_000, "E109"),
    "a chain of aliases": (lambda: _chain("[x]", lambda n: f"[*a{n}]", 20_000), "E108"),
    "an alias bomb": (lambda: _chain("[x]", _nine, 30), "E108"),
    "a bomb of merge keys": (lambda: _chain("{x: 1}", lambda n: f"{{<<: {_nine(n)}}}", 30), "E108"),
    "an alias within itself": (lambda: "a: &a {b: *a}", "E108"),
    "very many values": (lambda: "a: [" + "a," * 3_000_000 + "]", "E102"),
    "very many unknown keys": (lambda: "".join(f"k{n}: 1\n" for n in range(300_000)), "E199"),
    "very many duplicates": (lambda: "a: 1\n" * 300_000, "E107"),
    "very many tags": (lambda: "".join(f"k{n}: !x y\n" for n in range(200_000)), "E110"),
    "very many faulty names": (lambda: TOP + "".join(f"  W{n}: {{}}\n" for n in range(50_000)), "E199"),
    "very many faulty workloads": (
        lambda: TOP + "".join(f"  w{n}: {{x: 5}}\n" for n in range(50_000)),
        "E199",
    ),
    "very many faulty triggers": (
        lambda: TOP + "  a:\n    trigger: [" + "{http: 5}," * 200_000 + "]",
        "E126",
    ),
    "lists in a list of names": (lambda: _work("access: {enqueue: [" + "[],{}," * 100_000 + "]}"), "E126"),
    "a line of 16 MB": (lambda: "a: " + "x" * 16_000_000, "E120"),
    "a key of 5 MB": (lambda: "x" * 5_000_000 + ": 1", "E105"),
    "a number of 100,000 digits": (lambda: _work("batch_size: " + "9" * 100_000), "E122"),
    "a duration of a million digits": (lambda: _work("timeout: " + "1" * 1_000_000 + "s"), "E125"),
    "a name of a million hyphens": (lambda: f"{TOP}  ? {'a-' * 1_000_000}\n  : {{}}", "E125"),
    "SQL of 10 MB": (lambda: _work("run: {sql: '" + "x" * 10_000_000 + "'}"), "E125"),
    "15 million empty lines": (lambda: "\n" * 15_000_000 + "a", "E122"),
    "a million tabs": (lambda: "\t" * 1_000_000, "E106"),
    "200,000 silencing comments": (lambda: "# orchestra: ignore[W1] x\n" * 200_000 + "a: 1", "E120"),
    "random bytes": (lambda: Random(1).randbytes(1_000_000).decode("latin-1"), "E104"),
}
