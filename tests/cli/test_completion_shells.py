"""TAB, pressed in real shells: what stands on the line afterwards."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from cli_world import SPEC
from engines import EngineMissing
from shells import NAMES, TAB, Shell, environment, replies, require, shell

from orchestra.cli.root import COMMANDS

pytestmark = pytest.mark.parametrize("name", NAMES)

FLEET = SPEC.replace(
    "preview: {database: {env: PREVIEW_DATABASE_URL}, paused: true}", "tenant: {databases: {env: T}}"
)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A spec, and files whose names shells have to be careful with."""
    place = tmp_path / "work"
    (place / "my dir").mkdir(parents=True)
    (place / "my dir" / "inner.yaml").write_text("", encoding="utf-8")
    (place / "orchestra.yaml").write_text(SPEC, encoding="utf-8")
    (place / "fleet.yaml").write_text(FLEET, encoding="utf-8")
    other = SPEC.replace("bulk-import", "other-work")
    for file in ("second one.yaml", "a:b.yaml", "it's.yaml", "$(touch pwned).yaml", "ünï.yaml", "notes.txt"):
        (place / file).write_text(other, encoding="utf-8")
    return place


@pytest.fixture
def tab(name: str, folder: Path, tmp_path: Path) -> Iterator[Shell]:
    with shell(name, folder, tmp_path) as one:
        yield one


def test_commands_options_and_values(tab: Shell) -> None:
    for typed, line in {
        "orchestra pl": "orchestra plan ",
        "orchestra --ver": "orchestra --version ",
        "orchestra runs ca": "orchestra runs cancel ",
        "orchestra dev st": "orchestra dev stop ",
        "orchestra plan --det": "orchestra plan --detailed-exitcode ",
        "orchestra plan --format mark": "orchestra plan --format markdown ",
        "orchestra plan --format=mark": "orchestra plan --format=markdown ",
        "orchestra completion f": "orchestra completion fish ",
        "orchestra runs --status fai": "orchestra runs --status failed ",
        "orchestra plan --workload bu": "orchestra plan --workload bulk-import ",
        "orchestra plan --workload=bu": "orchestra plan --workload=bulk-import ",
        "orchestra plan --env prod": "orchestra plan --env production ",
        "orchestra plan --env=prod": "orchestra plan --env=production ",
        "orchestra adopt queue.": "orchestra adopt queue.bulk-import ",
        "orchestra explain pur": "orchestra explain purge-sessions ",
        "orchestra plan --db postgresql://me:pw@h:5432/x --work": "orchestra plan --db postgresql://me:pw@h:5432/x "
        "--workload ",
        "orchestra plan 2>/dev/null --deta": "orchestra plan 2>/dev/null --detailed-exitcode ",
        "X=1 orchestra pl": "X=1 orchestra plan ",
    }.items():
        assert tab.press(typed + TAB) == line


def test_in_the_middle_of_a_line(tab: Shell) -> None:
    """Ctrl-A goes to its beginning, Ctrl-F forward."""
    line = tab.press(
        "orchestra plan --format mark --full\x01" + "\x06" * len("orchestra plan --format mark") + TAB
    )
    assert line.split() == ["orchestra", "plan", "--format", "markdown", "--full"]


def test_files_that_are_specs(tab: Shell) -> None:
    for typed, line in {
        "orchestra plan fl": "orchestra plan fleet.yaml ",
        "orchestra plan my": "orchestra plan my\\ dir/",
        "orchestra plan my\\ dir/": "orchestra plan my\\ dir/inner.yaml ",
        "orchestra plan 'my dir/": "orchestra plan 'my dir/inner.yaml' ",
        "orchestra plan ~/work/fl": "orchestra plan ~/work/fleet.yaml ",
        "orchestra plan --approvals=my": "orchestra plan --approvals=my\\ dir/",
        "orchestra plan sec": "orchestra plan second\\ one.yaml ",
        "orchestra plan 'sec": "orchestra plan 'second one.yaml' ",
        'orchestra plan "second o': 'orchestra plan "second one.yaml" ',
        "orchestra plan second\\ o": "orchestra plan second\\ one.yaml ",
        "orchestra plan a:": "orchestra plan a:b.yaml ",
        "orchestra plan 'a:": "orchestra plan 'a:b.yaml' ",
        "orchestra plan it": "orchestra plan it\\'s.yaml ",
        "orchestra plan ü": "orchestra plan ünï.yaml ",
        "orchestra send --from no": "orchestra send --from notes.txt ",
        "orchestra plan no": "orchestra plan no",
    }.items():
        if tab.name == "zsh" and typed.endswith(" no"):
            continue  # where no spec matches, zsh shows the other files, as it does everywhere
        assert tab.press(typed + TAB) == line


def test_names_of_the_spec_on_the_line(tab: Shell) -> None:
    for spec in ("second\\ one.yaml", "'second one.yaml'", "a:b.yaml", "it\\'s.yaml", "~/work/ünï.yaml"):
        assert (
            tab.press(f"orchestra plan {spec} --workload oth{TAB}")
            == f"orchestra plan {spec} --workload other-work "
        )
    assert tab.press(f"orchestra plan gone.yaml --workload {TAB}") == "orchestra plan gone.yaml --workload "


def test_a_pattern_is_quoted(tab: Shell) -> None:
    assert (
        tab.press(f"orchestra plan fleet.yaml --env ten{TAB}")
        == "orchestra plan fleet.yaml --env tenant-\\* "
    )
    assert (
        tab.press(f"orchestra plan fleet.yaml --env 'ten{TAB}")
        == "orchestra plan fleet.yaml --env 'tenant-*' "
    )


def test_several_are_shown_with_what_they_mean(tab: Shell) -> None:
    tab.press(f"orchestra ad{TAB}{TAB}")
    assert "error" not in tab.screen
    assert tab.press(f"orchestra a{TAB}{TAB}").startswith("orchestra a")
    for word in ("apply", "adopt", "approve", "Make the database as the spec says"):
        assert word in tab.text


def test_nothing_on_the_line_where_there_is_nothing(tab: Shell) -> None:
    """And not a word about it either."""
    for line in (
        "orchestra nope ",
        "orchestra plan --parallel ",
        "orchestra runs show ",
        "orchestra dlq show ",
        "orchestra plan --nope=",
        "orchestra plan gone/",
    ):
        assert tab.press(line + TAB) == line
        assert not any(word in tab.screen.lower() for word in ("error", "traceback", "usage", "not found")), (
            line
        )


def test_nothing_that_a_spec_or_a_name_says_is_run(name: str, folder: Path, tmp_path: Path) -> None:
    (folder / "orchestra.yaml").write_text(
        "version: 1\nproject: $(touch pwned)\nenvironments:\n  $(touch pwned): {}\n  `touch pwned`: {}\n"
        "workloads:\n  $(touch pwned): {}\n  '`touch pwned`': {}\n  \"x;touch pwned;\": {}\n  'a[$(touch pwned)]': {}\n"
        "  good: [\n",
        encoding="utf-8",
    )
    for file in (
        "`touch pwned`.yaml",
        ";touch pwned;.yaml",
        "x$(touch pwned)'\".yaml",
        "a[`touch pwned`].yaml",
    ):
        (folder / file).write_text(SPEC, encoding="utf-8")
    before = sorted(folder.rglob("*"))
    with shell(name, folder, tmp_path) as tab:
        assert tab.press(f"orchestra plan --workload {TAB}") == "orchestra plan --workload good "
        for typed in (
            "--env ",
            "",
            "\\$",
            "\\`",
            "\\;",
            "x",
            "'$",
            "a\\[",
            "--adopt ",
            "--approvals=",
            '"\\$(tou',
        ):
            tab.press(f"orchestra plan {typed}{TAB}{TAB}")
            tab.press(f"orchestra explain {typed}{TAB}{TAB}{TAB}")
        tab.press(f"orchestra plan x\\$\\({TAB}")
    assert sorted(folder.rglob("*")) == before


def test_the_words_before_are_not_run_either(tab: Shell, folder: Path) -> None:
    before = sorted(folder.rglob("*"))
    for word in ("$(touch pwned)", "`touch pwned`", '"$(touch pwned)"', "<(touch pwned)"):
        if tab.name == "fish" and word[0] in "`<":
            continue  # it has no such words
        tab.press(f"orchestra plan {word} --work{TAB}")
        if tab.name != "zsh":  # which itself expands the word at the cursor
            tab.press(f"orchestra plan {word}{TAB}")
    assert sorted(folder.rglob("*")) == before


def test_ten_thousand_workloads(name: str, folder: Path, tmp_path: Path) -> None:
    many = "".join(
        f"  work-{n:05}:\n    trigger: manual\n    run: {{sql: select 1}}\n" for n in range(10_000)
    )
    (folder / "orchestra.yaml").write_text(SPEC + many, encoding="utf-8")
    with shell(name, folder, tmp_path) as tab:
        assert tab.press(f"orchestra plan --workload work-0123{TAB}") == "orchestra plan --workload work-0123"
        assert (
            tab.press(f"orchestra plan --workload work-01234{TAB}") == "orchestra plan --workload work-01234 "
        )
        assert tab.press(f"orchestra plan --workload b{TAB}") == "orchestra plan --workload bulk-import "


def test_a_folder_without_a_spec_and_one_that_is_gone(name: str, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    with shell(name, tmp_path / "empty", tmp_path) as tab:
        for gone in (False, True):
            if gone:
                (tmp_path / "empty").rmdir()
            assert tab.press(f"orchestra plan --workload {TAB}") == "orchestra plan --workload "
            assert tab.press(f"orchestra plan --form{TAB}") == "orchestra plan --format "
            assert not any(word in tab.screen.lower() for word in ("error", "traceback"))


def test_without_a_stderr(name: str, folder: Path, tmp_path: Path) -> None:
    """Not of the shell, which writes its line there, but of the program: one that was wrapped so."""
    wrapped = tmp_path / "mine" / "orchestra"
    wrapped.parent.mkdir()
    wrapped.write_text('#!/bin/sh\nexec orchestra "$@" 2>&-\n', encoding="utf-8")
    wrapped.chmod(0o755)
    with shell(name, folder, tmp_path) as tab:
        line = f"{wrapped} plan --workload bu"
        assert tab.press(line + TAB) == f"{line}lk-import "


SETTINGS = {
    "bash": [
        "set -u; shopt -s failglob nullglob; IFS=pl",
        "set -o posix; set -o noclobber",
        "COMP_WORDBREAKS=' '",
        "bind 'set show-all-if-ambiguous on'; bind 'set completion-ignore-case on'",
        "shopt -s nocasematch extglob; set -f",
    ],
    "zsh": [
        "setopt ksh_arrays sh_word_split",
        "setopt no_unset extended_glob null_glob glob_subst",
        "setopt complete_aliases menu_complete",
        "zstyle ':completion:*' matcher-list 'm:{a-z}={A-Z}'; zstyle ':completion:*:descriptions' format '%d'",
    ],
    "fish": ["set -g fish_features all", "fish_vi_key_bindings default; bind -M insert \\cx\\cb show_line"],
}


def test_settings_of_the_user(name: str, folder: Path, tmp_path: Path) -> None:
    for setting in SETTINGS[name]:
        with shell(name, folder, tmp_path, f"{setting}\n") as tab:
            assert tab.press(f"orchestra pl{TAB}") == "orchestra plan ", setting
            assert tab.press(f"orchestra plan --env=prod{TAB}") == "orchestra plan --env=production ", setting
            assert tab.press(f"orchestra plan second\\ o{TAB}") == "orchestra plan second\\ one.yaml ", (
                setting
            )
            assert "nbound" not in tab.screen


def test_a_path_and_an_alias(name: str, folder: Path, tmp_path: Path) -> None:
    """The program that was typed answers; for an alias the one on the PATH does."""
    mine = tmp_path / "mine"
    mine.mkdir()
    (mine / "orchestra").write_text('#!/bin/sh\nexec orchestra "$@"\n', encoding="utf-8")
    (mine / "orchestra").chmod(0o755)
    alias = {
        "bash": "alias o=orchestra; complete -o nosort -F _orchestra o\n",
        "zsh": "alias o=orchestra\n",
        "fish": "alias o=orchestra\n",
    }
    with shell(name, folder, tmp_path, alias[name]) as tab:
        for typed in ("../mine/orchestra", "~/mine/orchestra", str(mine / "orchestra"), "o"):
            assert tab.press(f"{typed} plan --workload bu{TAB}") == f"{typed} plan --workload bulk-import "


def test_loaded_from_its_place(name: str, folder: Path, tmp_path: Path) -> None:
    """As the help of the command says: a file that the shell finds by itself at the first TAB."""
    place = {"bash": "orchestra", "zsh": "_orchestra", "fish": ".config/fish/completions/orchestra.fish"}[
        name
    ]
    file = tmp_path / place
    file.parent.mkdir(parents=True, exist_ok=True)
    text = subprocess.run(
        ["orchestra", "completion", name],
        env=environment(tmp_path),
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    file.write_text(text, encoding="utf-8")
    setup = {"bash": f"source {file}\n", "zsh": f"fpath=({tmp_path} $fpath); compinit -D -u\n", "fish": ""}[
        name
    ]
    with shell(name, folder, tmp_path, setup, source=False) as tab:
        for _ in range(2):
            assert tab.press(f"orchestra pl{TAB}") == "orchestra plan "


def test_what_a_script_cannot_do_it_says_when_it_is_read(name: str, tmp_path: Path) -> None:
    script = {
        # What tells a bash its version cannot be changed, so the script is led to another variable.
        "bash": "source <(orchestra completion bash | sed s/BASH_VERSINFO/OLD/g)",
        "zsh": "source <(orchestra completion zsh)",
        "fish": "orchestra completion fish | source",
    }[name]
    done = subprocess.run(
        [require(name), "-c", script],
        env=environment(tmp_path, OLD="3"),
        capture_output=True,
        text=True,
        check=False,
    )
    said = {"bash": "needs bash 4.4", "zsh": "autoload -Uz compinit && compinit", "fish": ""}[name]
    assert said in done.stderr
    assert (done.stderr == "") == (name == "fish")


def test_a_program_that_is_gone(name: str, folder: Path, tmp_path: Path) -> None:
    """The script may outlive it."""
    path = {"fish": "set -gx PATH /usr/bin /bin\n"}.get(name, "PATH=/usr/bin:/bin\n")
    with shell(name, folder, tmp_path, path) as tab:
        assert tab.press(f"orchestra pl{TAB}") == "orchestra pl"
        assert "not found" not in tab.screen
        assert "Unknown command" not in tab.screen


def test_replies_without_a_terminal(name: str, folder: Path, tmp_path: Path) -> None:
    if name == "zsh":
        require(name)  # it completes at its prompt only
        return
    said, wrong = replies(name, "orchestra ", folder, tmp_path)
    assert ([line.partition("\t")[0] for line in said], wrong) == (list(COMMANDS), "")
    said, wrong = replies(name, "orchestra plan --env=", folder, tmp_path)
    whole = ["preview", "production"]
    assert (said, wrong) == ([f"--env={n}" for n in whole] if name == "fish" else whole, "")
    said, _ = replies(name, "orchestra dlq --workload ", folder, tmp_path)
    assert said == ["bulk-import", "purge-sessions"]


def test_a_shell_that_is_missing_is_an_error(
    name: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("PATH", os.fspath(tmp_path))
    with pytest.raises(EngineMissing, match="provision-engines"):
        require(name)
