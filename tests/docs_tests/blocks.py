"""The blocks of a page and what the comments around them say: read by a CommonMark parser, run by nobody here.

`<!-- setup: NAME -->` says once for a page in what folder its blocks run (`places.py`). `<!-- not run: REASON -->`,
`<!-- not a spec: WHAT -->`, `<!-- file: PATH -->`, which writes it there, and `<!-- schema: NAME -->`, one of
`orchestra schema`, speak of the one block that follows them.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from markdown_it import MarkdownIt

ROOT = Path(__file__).parents[2]
_COMMENT = re.compile(r"<!--\s*(setup|not run|not a spec|file|schema):\s*(.*?)\s*-->", re.DOTALL)
_ATTENTION = re.compile(r"<!--\s*(setup|file|schema|not[ -]\w+(?: \w+)?)\b", re.IGNORECASE)


@dataclass(frozen=True)
class Block:
    language: str
    text: str
    line: int  # of the first line inside the fence, from 1
    not_run: str | None = None
    not_a_spec: str | None = None
    file: str | None = None
    schema: str | None = None


@dataclass(frozen=True)
class Command:
    """What stands behind one `$ `, and the lines below it up to the next."""

    script: str
    expected: str
    line: int


@dataclass(frozen=True)
class Page:
    path: Path
    setup: str | None
    blocks: tuple[Block, ...]

    def of(self, *languages: str) -> tuple[Block, ...]:
        return tuple(block for block in self.blocks if block.language in languages)


def pages() -> list[Path]:
    """README, examples and every page that is written by hand: what is made from code has tests of its own."""
    made = {ROOT / "docs" / "reference", ROOT / "docs" / "rules"}
    docs = [p for p in sorted((ROOT / "docs").rglob("*.md")) if p.parent not in made]
    examples = [ROOT / "examples" / "README.md", *sorted((ROOT / "examples").glob("*/README.md"))]
    return [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *examples, *docs]


def read(path: Path, text: str | None = None) -> Page:
    """Raises ValueError for a comment that nobody would understand, or one that speaks of nothing."""
    setup: str | None = None
    said: dict[str, str] = {}
    blocks: list[Block] = []
    for token in MarkdownIt("commonmark").parse(path.read_text(encoding="utf-8") if text is None else text):
        if token.type == "html_block":
            found = _COMMENT.findall(token.content)
            if len(found) != len(_ATTENTION.findall(token.content)) or any(not words for _, words in found):
                raise ValueError(f"{path}: not understood: {token.content.strip()}")
            for kind, words in found:
                if kind == "setup":
                    setup = words
                else:
                    said[kind] = " ".join(words.split())
        elif token.type == "fence":
            line = (token.map or [0])[0] + 2
            language = token.info.split()[0] if token.info.split() else ""
            told = (said.get(kind) for kind in ("not run", "not a spec", "file", "schema"))
            blocks.append(Block(language, token.content, line, *told))
            said = {}
        elif token.type not in ("html_block",) and said and token.level == 0 and token.nesting >= 0:
            raise ValueError(f"{path}: {said} stands before no block")
    return Page(path, setup, tuple(blocks))


def commands(block: Block) -> list[Command]:
    """A console block cut at its prompts; `\\` at the end of a line and here-documents go on over several."""
    out: list[Command] = []
    lines = block.text.splitlines()
    at = 0
    while at < len(lines):
        if not lines[at].startswith("$ "):
            raise ValueError(f"line {block.line + at}: a console block begins with `$ `")
        first = at
        script = [lines[at][2:]]
        at += 1
        until = re.search(r"<<-?\s*'?(\w+)'?", script[0])
        while at < len(lines) and (script[-1].endswith("\\") or (until and script[-1] != until.group(1))):
            script.append(lines[at])
            at += 1
        expected = []
        while at < len(lines) and not lines[at].startswith("$ "):
            expected.append(lines[at])
            at += 1
        out.append(Command("\n".join(script), "\n".join(expected), block.line + first))
    return out


def fits(expected: str, said: str) -> bool:
    """Whether what was printed is what the page shows: `…` stands for anything, and space is not compared."""

    def flat(text: str) -> str:
        return " ".join(text.split())

    wanted = ".*".join(re.escape(flat(part)).replace(r"\ ", " ") for part in expected.split("…"))
    return re.search(re.sub(r"\.\*(?=\S)|(?<=\S)\.\*", ".*", wanted), flat(said), re.DOTALL) is not None
