"""Several files are one spec."""

from __future__ import annotations

from pathlib import Path

import pytest

from orchestra.spec import load_spec
from orchestra.spec.load import LoadResult

HEAD = "version: 1\nproject: shop\n"
WORK = "workloads:\n  {}: {{trigger: manual, duration: {{max: 5s}}}}\n"


@pytest.fixture
def load(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):  # type: ignore[no-untyped-def]
    monkeypatch.chdir(tmp_path)

    def write_and_load(**files: str) -> LoadResult:
        for name, text in files.items():
            (tmp_path / f"{name}.yaml").write_text(text)
        return load_spec([f"{name}.yaml" for name in files])

    return write_and_load


def test_workloads_come_together(load) -> None:  # type: ignore[no-untyped-def]
    result = load(one=HEAD + WORK.format("b"), two=WORK.format("a"))
    assert result.ok
    assert [(w.name, w.at().file) for w in result.spec.workloads] == [("a", "two.yaml"), ("b", "one.yaml")]


def test_version_and_project_may_stand_in_each_file_if_they_agree(load) -> None:  # type: ignore[no-untyped-def]
    assert load(one=HEAD + WORK.format("b"), two=HEAD + WORK.format("a")).ok


def test_the_order_of_the_files_does_not_matter(load) -> None:  # type: ignore[no-untyped-def]
    one, two = HEAD + WORK.format("b"), WORK.format("a") + "defaults: {timeout: 7s}\n"
    assert load(one=one, two=two).spec == load(two=two, one=one).spec


def test_a_workload_in_two_files_is_shown_at_both_places(load) -> None:  # type: ignore[no-untyped-def]
    result = load(one=HEAD + WORK.format("a"), two=WORK.format("a"))
    (finding,) = result.diagnostics
    assert finding.code == "E130"
    assert str(finding.span) == "two.yaml:2:3"
    assert [str(label.span) for label in finding.labels] == ["one.yaml:4:3"]


def test_projects_that_do_not_agree_are_shown_at_both_places(load) -> None:  # type: ignore[no-untyped-def]
    result = load(one=HEAD, two="project: store\n" + WORK.format("a"))
    (finding,) = result.diagnostics
    assert (finding.code, str(finding.span)) == ("E131", "two.yaml:1:1")
    assert result.spec is None


def test_entries_of_a_section_may_come_from_several_files_but_each_from_one(load) -> None:  # type: ignore[no-untyped-def]
    one, two = (
        HEAD + "secrets: {a: {vault: x}}\n",
        "secrets: {b: {vault: y}}\nrequires: [{extension: pgmq}]\n",
    )
    assert [s.name for s in load(one=one, two=two).spec.secrets] == ["a", "b"]
    (finding,) = load(one=one, two="secrets: {a: {vault: x}}\n").diagnostics
    assert (finding.code, str(finding.span)) == ("E131", "two.yaml:1:11")


def test_a_project_must_stand_somewhere(load) -> None:  # type: ignore[no-untyped-def]
    result = load(one="version: 1\n", two=WORK.format("a"))
    assert [d.code for d in result.diagnostics] == ["E121"]
    assert result.spec is None


def test_defaults_of_one_file_hold_in_all(load) -> None:  # type: ignore[no-untyped-def]
    spec = load(one=HEAD + "defaults: {timeout: 7s}\n", two=WORK.format("a")).spec
    assert spec.workloads[0].timeout_ms == 7_000


def test_findings_are_in_the_order_of_the_files(load) -> None:  # type: ignore[no-untyped-def]
    result = load(zz=HEAD + "x: 1\n", aa="y: 1\n" + WORK.format("A"))
    assert [d.span.file for d in result.diagnostics] == ["zz.yaml", "aa.yaml", "aa.yaml"]
