"""docs/reference is what is made from schema and commands; --update writes it anew."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
import reference

from docs_tests.blocks import ROOT
from orchestra.cli.root import COMMANDS


@pytest.mark.parametrize("name", ["spec.md", "cli.md", "formats.md", "shop.svg"])
def test_a_page_is_as_it_would_be_made_now(golden: Callable[[Path, str], None], name: str) -> None:
    golden(ROOT / "docs" / "reference" / name, reference.pages()[name])


def test_every_command_has_its_place() -> None:
    page = reference.cli_page()
    assert [name for name in COMMANDS if f"\n## `orchestra {name}`\n" not in page] == []


def test_what_refers_to_itself_would_end() -> None:
    """The schema of a spec has a bounded depth; a key is described once in each place."""
    headings = [line for line in reference.pages()["spec.md"].split("\n") if line.startswith("##")]
    assert len(headings) == len(set(headings))
