"""Values as TypeScript: the formatter leaves them as they are, and they mean what they were."""

from __future__ import annotations

import json
import random
from pathlib import Path
from typing import Any

import pytest
from deno_tool import complaints, deno, write

from orchestra.emit.functions.text import Values, comment, string

WORDS = (
    *(
        "type",
        "a-b",
        "größe",
        "日本語",
        "class",
        "it's",
        'say "hi"',
        "back`tick",
        "${x}",
        "*/",
        "//",
        "\\d+",
        "\u2028",
    ),
    *(
        "\u202e",
        "😀",
        "a" * 30,
        "b" * 79,
        "c" * 120,
        "",
        "1",
        "0x1",
        "-",
        "__proto__",
        "constructor",
        "\u200b",
        "𝒳",
    ),
    *("é", "—", "…", "x y", "\n", "\t", "\0", "'\"", '""\''),
)
NUMBERS = (0, 1, -1, 0.5, -0.25, 1e21, 1e-7, 2**53 + 1, 10**30, 1.5e300, 123456.789, -1e-10)


def _draw(by: random.Random, depth: int) -> Any:
    if depth == 0 or by.random() < 0.35:
        return by.choice((by.choice(WORDS), by.choice(WORDS) * 2, by.choice(NUMBERS), True, False, None))
    if by.random() < 0.4:
        return [_draw(by, depth - 1) for _ in range(by.randint(0, 5))]
    return {by.choice(WORDS) + by.choice(WORDS): _draw(by, depth - 1) for _ in range(by.randint(0, 5))}


def _deep(by: random.Random, depth: int) -> Any:
    value: Any = by.choice(WORDS)
    for _ in range(depth):
        value = {by.choice(WORDS): value} if by.random() < 0.8 else [value, by.choice(WORDS)]
    return {"deep": value}


def test_any_value_is_formatted_and_means_the_same(tmp_path: Path) -> None:
    by = random.Random(11)
    drawn = [{"value": _draw(by, by.randint(1, 6))} for _ in range(250)]
    drawn += [_deep(by, by.randint(10, 60)) for _ in range(50)]
    files = {}
    for number, value in enumerate(drawn):
        values = Values()
        text = values.value(value, before=len("export const value = "), after=1)
        files[f"v{number}.ts"] = "\n".join([*values.constants, f"export const value = {text};\n"])
    write({**files, "deno.json": "{}\n"}, tmp_path)
    assert complaints(tmp_path) == ""
    imports = "\n".join(f'import {{ value as v{n} }} from "./v{n}.ts";' for n in range(len(drawn)))
    names = ", ".join(f"v{n}" for n in range(len(drawn)))
    (tmp_path / "all.ts").write_text(f"{imports}\nconsole.log(JSON.stringify([{names}]));\n")
    done = deno("run", "--no-check", "all.ts", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout, parse_int=float) == json.loads(json.dumps(drawn), parse_int=float)


@pytest.mark.parametrize(
    ("text", "literal"),
    [
        ("plain", '"plain"'),
        ("it's", '"it\'s"'),
        ('say "hi"', "'say \"hi\"'"),
        ("back\\slash\n", '"back\\\\slash\\n"'),
        ("\u202etrojan\u2028", '"\\u202etrojan\\u2028"'),
        ("日本語 – größe", '"日本語 – größe"'),
        ("😀", '"\\u{1f600}"'),
    ],
)
def test_a_string_shows_what_is_in_it(text: str, literal: str) -> None:
    """Characters that turn the direction of a line, or that nobody sees, stand as escapes."""
    assert string(text) == literal


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("", ""),
        ("One line.", "/** One line. */\n"),
        ("@ts-ignore", "/**\n * @ts-ignore\n */\n"),
        ("ends */ here /* and \u202e there", "/** ends * / here / * and there */\n"),
        # Dropping what nobody sees must not make an end of its own.
        ("ends *\u200b/ here /\u0001* and *\u200b\u200b/ there", "/** ends * / here / * and * / there */\n"),
        ("two\n\nparagraphs", "/**\n * two\n *\n * paragraphs\n */\n"),
    ],
)
def test_a_comment_ends_where_it_should(text: str, written: str) -> None:
    assert comment(text) == written
