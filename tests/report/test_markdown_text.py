"""Whatever a text holds, GitHub's renderer shows that very text, and makes nothing of it."""

from __future__ import annotations

import re
from html.parser import HTMLParser

import cmarkgfm
import pytest
from cmarkgfm.cmark import Options
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from orchestra.report.cells import visible
from orchestra.report.markdown_text import code, fence, html_code, row, table, text

SIGNS = st.sampled_from(
    [
        *"\\`*_{}[]()<>&!|~$#@:;/.-+=\"'?%^1aZ é漢",
        "://",
        "www.",
        "&#60;",
        "&amp;",
        "```",
        "<b>",
        "</code>",
        "GH-1",
        "-->",
    ]
)
CALM = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
texts = st.lists(SIGNS, max_size=14).map("".join)


class Shown(HTMLParser):
    def __init__(self, markdown: str) -> None:
        super().__init__(convert_charrefs=True)
        self.tags: list[str] = []
        self.words: list[str] = []
        self.cells: list[str] = []
        self.feed(
            cmarkgfm.markdown_to_html_with_extensions(
                markdown, Options.CMARK_OPT_UNSAFE, extensions=["table", "autolink", "strikethrough"]
            )
        )
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        if tag == "td":
            self.cells.append("")

    def handle_data(self, data: str) -> None:
        self.words.append(data)
        if self.cells:
            self.cells[-1] += data

    @property
    def all(self) -> str:
        return plain("".join(self.words))


def plain(value: str) -> str:
    return " ".join(value.replace("\u200b", "").split())


@CALM
@given(texts)
@example("-->")
@example("~~x~~ ~y~")
def test_text_in_a_paragraph_is_only_text(value: str) -> None:
    shown = Shown(f"said {text(value)}")
    assert shown.tags == ["p"]
    assert shown.all == plain(f"said {value}")


@CALM
@given(texts)
def test_text_in_a_list_item_is_only_text(value: str) -> None:
    shown = Shown(f"- why: {text(value)}\n- b")
    assert shown.tags == ["ul", "li", "li"]
    assert plain("".join(shown.words)) == plain(f"why: {value} b")


@CALM
@given(texts, texts)
@example("\\", "|")
@example("a\\", "\\|")
@example("`", "`")
def test_cells_stay_apart(one: str, two: str) -> None:
    for way in (text, code):
        shown = Shown("\n".join(table(("a", "b"), [row(way(one), way(two))])))
        assert set(shown.tags) <= {"table", "thead", "tbody", "tr", "th", "td", "code"}
        assert [plain(cell) for cell in shown.cells] == [plain(one), plain(two)]


@CALM
@given(texts)
def test_code_is_only_code(value: str) -> None:
    shown = Shown(f"said {code(value)} end")
    assert shown.tags == ["p", "code"] if value.strip() else ["p"]
    assert shown.all == plain(f"said {value} end")


@CALM
@given(texts)
def test_inside_of_html_it_is_only_text(value: str) -> None:
    shown = Shown(f"<details><summary>{html_code(value)}</summary>\n\nbody\n\n</details>")
    assert shown.tags == ["details", "summary", "code", "p"]


@CALM
@given(st.lists(texts, min_size=1, max_size=5).map("\n".join))
@example("```\n~~~\n````")
def test_a_fence_ends_where_it_should(value: str) -> None:
    shown = Shown(f"{fence(value, 'sql')}\n\nafter")
    assert shown.tags == ["pre", "code", "p"]
    lines = "".join(shown.words).split("\n")
    assert lines[-2:-1] == ["after"] or "after" in lines
    assert "\n".join(lines).startswith(visible(value, keep="\n\t").strip("\n"))


@pytest.mark.parametrize(
    "value", ["@octo/team", "a@b.example", "https://x.example", "www.x.example", "#12", "GH-12"]
)
def test_what_github_links_after_rendering_is_parted(value: str) -> None:
    words = "".join(Shown(f"said {text(value)}").words)
    assert not re.search(r"@\w|://|www\.|#\d|GH-\d", words)
    assert value in words.replace("\u200b", "")
