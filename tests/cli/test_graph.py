"""`orchestra graph`: the same picture each time, in three forms that their readers take."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest
from acceptance.cases import ROOT
from acceptance.cli import orchestra
from hypothesis import example, given
from hypothesis import strategies as st

from orchestra.report.graph import dot, mermaid, section, svg
from orchestra.report.workload_graph import Edge, Lane, Node

SPEC = """\
version: 1
project: shop
platform: {provider: postgres}
workloads:
  import:
    trigger: [manual, {schedule: {cron: "*/5 * * * *"}}]
    duration: {max: 5s}
    on_failure: tell
    run: {sql: "select 1"}
  tell:
    summary: Tell somebody
    trigger: manual
    duration: {max: 5s}
    run: {sql: "select 1"}
"""
EXAMPLES = sorted(p.parent.name for p in ROOT.glob("examples/*/orchestra.yaml"))
ALONE = {"embeddings"}
"""Examples whose edge.yaml is another way to say the same, not a part."""


@pytest.fixture
def spec(tmp_path: Path) -> Path:
    (tmp_path / "orchestra.yaml").write_text(SPEC)
    return tmp_path


@pytest.mark.parametrize("name", EXAMPLES)
def test_the_graph_in_the_readme_of_an_example_is_its_specs(name: str) -> None:
    folder = ROOT / "examples" / name
    more = [] if name in ALONE or not (folder / "edge.yaml").exists() else ["edge.yaml"]
    done = orchestra("graph", "orchestra.yaml", *more, "--into", "README.md", "--check", cwd=folder)
    assert done.code == 0, done.text


def test_what_sql_sends_leads_straight_to_the_queue_of_the_other(tmp_path: Path) -> None:
    (tmp_path / "orchestra.yaml").write_text(
        """\
version: 1
project: shop
workloads:
  collect:
    trigger: {schedule: {cron: "0 8 * * *"}}
    duration: {max: 5s}
    run: {sql: "select orchestra.send('shop/report', '[1]'), orchestra.send('report', '[2]')"}
  report:
    trigger: manual
    steps:
      split: {duration: {max: 5s}, run: {sql: "select :payload"}}
      tell: {depends_on: [split], duration: {max: 5s}, run: {sql: "select orchestra.send('mail', '{}')"}}
      again: {depends_on: [split], duration: {max: 5s}, run: {sql: "select orchestra.send('mail', '{}')"}}
  mail:
    trigger: manual
    duration: {max: 20s}
"""
    )
    assert orchestra("check", cwd=tmp_path).code == 0
    arrows = orchestra("graph", cwd=tmp_path).out
    assert arrows.count("w0_1_0 --> w2_1_0") == 1, arrows
    assert "w2_3_0 --> w1_1_0" in arrows
    assert "w2_3_1 --> w1_1_0" in arrows
    assert "sends to" not in arrows
    alone = orchestra("graph", "--workload", "report", cwd=tmp_path).out
    assert "sends to<br/>mail" in alone
    assert "sent by<br/>collect" in alone
    ET.fromstring(orchestra("graph", "--format", "svg", cwd=tmp_path).out)


def test_failures_lead_straight_to_the_workload_that_takes_them(spec: Path) -> None:
    done = orchestra("graph", cwd=spec)
    assert done.code == 0, done.text
    assert "w0_2_0 -.-> w1_1_0" in done.out
    assert "on failure" not in done.out
    alone = orchestra("graph", "--workload", "import", cwd=spec).out
    assert "on failure<br/>tell" in alone
    assert "w1" not in alone


def test_the_svg_stands_alone_and_follows_the_readers_light(spec: Path) -> None:
    assert orchestra("graph", "--format", "svg", "--out", "g.svg", cwd=spec).code == 0
    text = (spec / "g.svg").read_text()
    root = ET.fromstring(text)
    assert root.find("{*}title") is not None
    assert root.find("{*}desc") is not None
    assert "prefers-color-scheme: dark" in text
    assert re.findall(r"https?://[^\"' ]+", text) == ["http://www.w3.org/2000/svg"]
    assert "<script" not in text


def test_a_graph_is_written_over_a_graph_and_nothing_else(spec: Path) -> None:
    for form in ("mermaid", "dot", "svg"):
        assert orchestra("graph", "--format", form, "--out", "g", cwd=spec).code == 0
    done = orchestra("graph", "--out", "orchestra.yaml", cwd=spec)
    assert (done.code, "is no graph" in done.text) == (64, True)
    assert (spec / "orchestra.yaml").read_text() == SPEC


def test_a_markdown_file_is_kept_up_to_date(spec: Path) -> None:
    readme = spec / "README.md"
    readme.write_bytes(b"# A\r\n\r\n<!-- orchestra graph -->\r\n<!-- /orchestra graph -->\r\n\r\nrest")
    assert orchestra("graph", "--into", "README.md", "--check", cwd=spec).code == 1
    assert orchestra("graph", "--into", "README.md", cwd=spec).code == 0
    written = readme.read_bytes()
    assert written.startswith(b"# A\r\n\r\n<!-- orchestra graph -->\r\n```mermaid\r\nflowchart LR\r\n")
    assert written.endswith(b"```\r\n<!-- /orchestra graph -->\r\n\r\nrest")
    assert b"\n" not in written.replace(b"\r\n", b"")
    assert orchestra("graph", "--into", "README.md", "--check", cwd=spec).code == 0
    assert orchestra("graph", "--into", "README.md", cwd=spec).code == 0
    assert readme.read_bytes() == written


@pytest.mark.parametrize(
    "text",
    [
        "<!-- orchestra graph -->\nkept\n\n<!-- orchestra graph -->\n<!-- /orchestra graph -->\n",
        "<!-- orchestra graph -->\n<!-- /orchestra graph -->\n" * 2,
    ],
)
def test_of_two_places_none_is_written_to_and_nothing_between_them_is_lost(text: str, spec: Path) -> None:
    (spec / "README.md").write_text(text)
    done = orchestra("graph", "--into", "README.md", cwd=spec)
    assert (done.code, "more than one line" in done.text) == (64, True)
    assert (spec / "README.md").read_text() == text


def test_a_byte_order_mark_may_stand_before_the_place(spec: Path) -> None:
    (spec / "README.md").write_bytes(b"\xef\xbb\xbf<!-- orchestra graph -->\n<!-- /orchestra graph -->\n")
    assert orchestra("graph", "--into", "README.md", cwd=spec).code == 0
    assert (spec / "README.md").read_bytes().startswith(b"\xef\xbb\xbf<!-- orchestra graph -->\n```mermaid\n")
    assert orchestra("graph", "--into", "README.md", "--check", cwd=spec).code == 0


def test_what_mermaid_would_not_draw_is_said(spec: Path) -> None:
    one = "    trigger: manual\n    duration: {max: 5s}\n    run: {sql: select 1}\n"
    (spec / "orchestra.yaml").write_text(SPEC + "".join(f"  w{i}:\n{one}" for i in range(200)))
    drawn = orchestra("graph", cwd=spec)
    assert (drawn.code, "arrows, and mermaid draws 500" in drawn.err) == (0, True)
    (spec / "README.md").write_text("<!-- orchestra graph -->\n<!-- /orchestra graph -->\n")
    assert "mermaid draws 500" in orchestra("graph", "--into", "README.md", cwd=spec).err
    for arguments in (("--workload", "w1"), ("--format", "svg"), ("--format", "dot")):
        assert "mermaid draws" not in orchestra("graph", *arguments, cwd=spec).err


def test_mistakes(spec: Path) -> None:
    (spec / "plain.md").write_text("nothing")
    for arguments, said in (
        (("--workload", "imprt"), "did you mean import?"),
        (("--into", "plain.md"), "has no place for a graph"),
        (("--into", "nowhere.md"), "nowhere.md"),
        (("--check",), "--into"),
        (("--into", "plain.md", "--format", "svg"), "leave --format"),
        (("--format", "png"), "png"),
    ):
        done = orchestra("graph", *arguments, cwd=spec)
        assert (done.code, said in done.text) == (64, True), (arguments, done.text)
    assert (spec / "plain.md").read_text() == "nothing"


TEXT = st.text(max_size=30)


@given(TEXT, TEXT, TEXT)
@example("\uffff", "\x00\u2028\u202e", ']]><!--"')
def test_no_text_breaks_out_of_its_place(name: str, summary: str, note: str) -> None:
    """Summaries, tables and crons are somebody's, names of files as well."""
    rows = ((Node("trigger", "table", note),), (Node("work", "SQL", summary),))
    lane = Lane(name, summary, rows, (Edge((0, 0), (1, 0)),))
    root = ET.fromstring(svg.render([lane], name))
    assert {e.tag.rpartition("}")[2] for e in root.iter()} <= {
        "svg", "title", "desc", "style", "rect", "text", "g", "path",
    }  # fmt: skip
    drawn = mermaid.render([lane])
    assert len(drawn.splitlines()) == 7
    assert all(line.count('"') in (0, 2) for line in drawn.splitlines())
    assert "<" not in drawn.replace("<br/>", "")
    said = dot.render([lane])
    assert len(said.splitlines()) == 11
    bare = re.sub(r"\\.", "", said)
    assert all(line.count('"') % 2 == 0 for line in bare.splitlines())


@given(st.text(alphabet="a\n\r`"), st.text(alphabet="a\n\r`"))
def test_what_stands_around_the_section_stays(before: str, after: str) -> None:
    text = f"{before}\n{section.BEGIN}\nold\n{section.END}{after}"
    new = section.replaced(text, "flowchart LR\n")
    assert new is not None
    assert new.startswith(f"{before}\n{section.BEGIN}\n")
    assert new.endswith(f"{section.END}{after}")
    assert "old" not in new
    assert section.replaced(new, "flowchart LR\n") == new
