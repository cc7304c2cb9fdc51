"""The YAML blocks of the pages about pipelines."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cached_property
from textwrap import dedent, indent
from typing import Any

import yaml
from actions_runner import ROOT

_BLOCK = re.compile(r"^```yaml\n(.*?)^```$", re.DOTALL | re.MULTILINE)
_PAGES = {"github": "github-workflows", "gitlab": "gitlab-ci", "pre-commit": ""}
# Around a block that shows some steps only.
_JOB = """\
on: push
permissions: {}
jobs:
  one:
    runs-on: ubuntu-latest
    permissions: {contents: read}
    steps:
"""


@dataclass(frozen=True)
class Block:
    """`schema` is the published one that judges it; none: pre-commit does itself."""

    page: str
    number: int
    text: str
    schema: str

    def __str__(self) -> str:
        return f"{self.page} {self.number}"

    @cached_property
    def whole(self) -> str:
        """The block as a file of its own."""
        if self.text.lstrip().startswith("- uses:"):
            return _JOB + indent(dedent(self.text), " " * 6)
        return self.text

    @cached_property
    def document(self) -> Any:
        return yaml.safe_load(self.whole)


def _blocks(page: str, schema: str) -> list[Block]:
    text = (ROOT / "docs" / f"{page}.md").read_text(encoding="utf-8")
    return [Block(page, number, found, schema) for number, found in enumerate(_BLOCK.findall(text), 1)]


BLOCKS = [block for page, schema in _PAGES.items() for block in _blocks(page, schema)]


def workflow(name: str) -> Any:
    """The workflow of the docs with this name."""
    (found,) = [b.document for b in BLOCKS if isinstance(b.document, dict) and b.document.get("name") == name]
    return found
