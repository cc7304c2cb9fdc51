"""`orchestra completion`, and what its scripts ask: the answers, as a process gives them."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from pathlib import Path

import click
import pytest
from cli_world import SPEC, Run
from click.testing import Result
from shells import BIN, environment

from orchestra.cli import main
from orchestra.cli.completion import answer as answering
from orchestra.cli.completion.answer import answer
from orchestra.cli.completion.line import read
from orchestra.cli.root import COMMANDS


def bash(line: str, replaced: str | None = None) -> list[str]:
    last = line.rpartition(" ")[2] if replaced is None else replaced
    return answer("bash", [line, last, "9", "80"]).split("\n")[1:]


def fish(*words: str) -> list[str]:
    return [line.partition("\t")[0] for line in answer("fish", ["orchestra", *words]).split("\n") if line]


# The command


@pytest.mark.parametrize("name", ["bash", "zsh", "fish"])
def test_it_prints_the_script_of_a_shell(run: Run, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    said = run("completion", name)
    assert (said.exit_code, said.stderr) == (0, "")
    assert f"_ORCHESTRA_COMPLETE{' ' if name == 'fish' else '='}{name}" in said.stdout
    monkeypatch.setenv("SHELL", f"/usr/local/bin/{name}")
    assert run("completion").stdout == said.stdout


@pytest.mark.parametrize(("own", "said"), [("/bin/tcsh", "$SHELL is tcsh"), ("", "$SHELL is not set")])
def test_it_says_which_shells_there_are(
    run: Run, own: str, said: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SHELL", own)
    refused: Result = run("completion")
    assert refused.exit_code == 64
    assert said in refused.stderr
    assert "bash, zsh or fish" in refused.stderr
    assert run("completion", "tcsh").exit_code == 64


# A line of bash


@pytest.mark.parametrize(
    ("text", "words", "current"),
    [
        ("orchestra pl", ["orchestra"], "pl"),
        ("orchestra plan ", ["orchestra", "plan"], ""),
        ("orchestra plan my\\ spec.yaml --w", ["orchestra", "plan", "my spec.yaml"], "--w"),
        ("orchestra plan 'my spec", ["orchestra", "plan"], "my spec"),
        ('orchestra plan "my $x" \'y', ["orchestra", "plan", "my $x"], "y"),
        (
            'orchestra send --payload \'{"a": "b c"}\' --w',
            ["orchestra", "send", "--payload", '{"a": "b c"}'],
            "--w",
        ),
        ('orchestra plan --db "$(cat "my url")" ', ["orchestra", "plan", "--db", '$(cat "my url")'], ""),
        ("orchestra plan --db ${A:-b c} x", ["orchestra", "plan", "--db", "${A:-b c}"], "x"),
        ("A=1 B='2 3' orchestra p", ["orchestra"], "p"),
        ("true && orchestra plan 2>/dev/null > 'a b' --f", ["orchestra", "plan"], "--f"),
        ("orchestra plan \"\" '' x", ["orchestra", "plan", "", ""], "x"),
        ("orchestra plan a\\", ["orchestra", "plan"], "a"),
        ("", [], ""),
    ],
)
def test_a_line_is_taken_apart(text: str, words: list[str], current: str) -> None:
    found = read(text)
    assert (list(found.words), found.current) == (words, current)


@pytest.mark.parametrize(
    ("text", "replaced", "before"),
    [
        ("orchestra plan --env=pro", "pro", "--env="),
        ("orchestra plan --env=pro", "--env=pro", ""),
        ("orchestra plan a:b", "b", "a:"),
        ("orchestra plan 'a:b c", "a:b c", ""),
        ("orchestra plan \\$a:b", "b", "$a:"),
        ("orchestra plan a", "elsewhere", ""),
    ],
)
def test_what_bash_replaces_is_told_from_what_stands_before_it(text: str, replaced: str, before: str) -> None:
    found = read(text)
    assert found.current[: found.after(replaced)] == before


def test_where_a_redirection_goes_are_files(home: Path) -> None:
    (home / "notes.txt").touch()
    assert bash("orchestra plan > no") == ["notes.txt"]
    assert bash("orchestra plan no") == []


# What is offered


def test_all_commands_and_their_meaning() -> None:
    assert bash("orchestra ") == list(COMMANDS)
    assert fish("") == list(COMMANDS)
    said = answer("fish", ["orchestra", ""]).split("\n")
    assert said == [
        f"{name}\t{means.partition('. ')[0].removesuffix('.')}" for name, means in COMMANDS.items()
    ]


def _leaves(
    group: click.Group, ctx: click.Context, path: tuple[str, ...]
) -> list[tuple[tuple[str, ...], click.Command]]:
    found: list[tuple[tuple[str, ...], click.Command]] = []
    for name in group.list_commands(ctx):
        command = group.get_command(ctx, name)
        assert command is not None
        if isinstance(command, click.Group):
            found += _leaves(command, click.Context(command, parent=ctx), (*path, name))
        else:
            found.append(((*path, name), command))
    return found


LEAVES = _leaves(main, click.Context(main), ())


@pytest.mark.parametrize(("path", "command"), LEAVES, ids=[" ".join(path) for path, _ in LEAVES])
def test_every_option_and_every_choice_of_every_command(
    home: Path, path: tuple[str, ...], command: click.Command
) -> None:
    options = [p for p in command.params if isinstance(p, click.Option)]
    names = {name for p in options for name in (*p.opts, *p.secondary_opts)}
    assert set(fish(*path, "-")) == names | {"-h", "--help"}
    for option in options:
        name = option.opts[0]
        if isinstance(option.type, click.Choice):
            assert fish(*path, name, "") == list(option.type.choices)
            assert fish(*path, f"{name}=") == [f"{name}={choice}" for choice in option.type.choices]
        if option.metavar == "NAME" and name == "--workload":
            assert fish(*path, name, "") == ["bulk-import", "purge-sessions"]
        if name == "--env":
            assert fish(*path, name, "") == ["preview", "production"]
        if option.metavar in ("FILE", "PATH", "DIR") or isinstance(option.type, click.Path):
            (home / "folder").mkdir(exist_ok=True)
            assert "folder/" in fish(*path, name, ""), name
    for argument in [p for p in command.params if isinstance(p, click.Argument)]:
        if argument.name in ("specs", "what", "arguments") and path != ("dev", "psql"):
            before = (
                ["1"]
                if len(command.params) > 1 and command.params[0].name in ("number", "ident", "saved")
                else []
            )
            assert "orchestra.yaml" in fish(*path, *before, ""), argument.name


@pytest.mark.parametrize("group", ["runs", "dlq", "history", "dev"])
def test_a_group_offers_its_commands_and_what_it_takes_without_one(home: Path, group: str) -> None:
    offered = fish(group, "")
    commands = {path[1] for path, _ in LEAVES if path[0] == group}
    assert commands < set(offered)
    assert "orchestra.yaml" in offered
    assert len(fish(group, "-")) > 3


def test_an_option_that_is_there_is_not_offered_again(home: Path) -> None:
    assert "--out" not in fish("plan", "--out", "x", "-")
    assert "--env" in fish("plan", "--env", "x", "-"), "it may be repeated"
    assert fish("pause", "--workload", "bulk-import", "--workload", "") == ["purge-sessions"]


def test_nothing_is_offered_that_would_be_wrong(home: Path) -> None:
    for words in (
        ["nope", ""],
        ["plan", "--parallel", ""],
        ["runs", "show", ""],
        ["plan", "--db", ""],
        ["dlq", "show", ""],
    ):
        assert fish(*words) == []
    assert fish("plan", "--full=") == []
    assert "--env" not in fish("plan", "--", "-")


OTHER = SPEC.replace("bulk-import", "other").replace("production", "elsewhere")


def test_names_are_of_the_spec_on_the_line_wherever_it_stands(home: Path) -> None:
    (home / "specs").mkdir()
    (home / "specs" / "my other.yaml").write_text(OTHER)
    for before, after in (["specs/my other.yaml"], []), (["specs"], []), ([], ["specs"]):
        words = ["plan", *before, *after]
        assert fish(*words, "--workload", "") == ["other", "purge-sessions"]
        assert fish(*words, "--env", "") == ["elsewhere", "preview"]
        assert fish(*words, "--workload=") == ["--workload=other", "--workload=purge-sessions"]
    assert bash("orchestra plan specs/my\\ other.yaml --workload o") == ["other"]
    assert fish("ci", "plan", "--spec", "specs", "--env", "") == ["elsewhere", "preview"]
    assert fish("explain", "specs", "") == ["other", "purge-sessions", "orchestra.yaml", "specs/"]
    assert fish("apply", "plan.json", "--workload", "") == ["bulk-import", "purge-sessions"], (
        "a plan is no spec"
    )


def test_the_spec_is_the_nearest_above(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (home / "a" / "b").mkdir(parents=True)
    monkeypatch.chdir(home / "a" / "b")
    assert fish("plan", "--workload", "") == ["bulk-import", "purge-sessions"]


def test_the_spec_of_a_home(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (home / "other.yaml").write_text(OTHER)
    monkeypatch.setenv("HOME", str(home))
    assert fish("plan", "~/other.yaml", "--workload", "") == ["other", "purge-sessions"]
    assert bash("orchestra plan ~/ot") == ["~/other.yaml"]


def test_environments_of_a_fleet_are_those_of_its_variable(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    spec = SPEC.replace("database: {env: PREVIEW_DATABASE_URL}", "databases: {env: TENANTS}")
    (home / "orchestra.yaml").write_text(spec)
    assert fish("plan", "--env", "") == ["preview-*", "production"]
    assert bash("orchestra plan --env pre") == ["preview-\\*"]
    assert bash("orchestra plan --env 'pre", "pre") == ["preview-*"]
    monkeypatch.setenv("TENANTS", "a=postgresql://me:hunter2@127.0.0.1/a\nb=postgresql://127.0.0.1/b\n")
    assert fish("plan", "--env", "") == ["preview-a", "preview-b", "production"]


def test_addresses_are_those_that_the_spec_brings_about(home: Path) -> None:
    assert fish("adopt", "") == ["queue.bulk-import", *JOBS, "orchestra.yaml"]
    assert fish("plan", "--adopt", "") == ["queue.bulk-import", *JOBS]
    assert set(fish("apply", "--revert", "")) >= set(JOBS)
    assert {"workload.bulk-import", "queue.bulk-import", *JOBS, "orchestra.yaml"} <= set(fish("forget", ""))
    assert bash("orchestra adopt orchestra.yaml queue.b") == ["queue.bulk-import"]


JOBS = ["cron_job.bulk-import.worker-1", "cron_job.purge-sessions"]


def test_files_are_of_the_kind_that_is_wanted(home: Path) -> None:
    for name in ("plan.json", "notes.txt", "edge.yml", ".hidden.yaml"):
        (home / name).touch()
    (home / "plans").mkdir()
    assert fish("check", "") == ["edge.yml", "orchestra.yaml", "plans/"]
    assert fish("apply", "") == ["edge.yml", "orchestra.yaml", "plan.json", "plans/"]
    assert fish("show", "") == ["plan.json", "plans/"]
    assert fish("send", "--from", "n") == ["notes.txt"]
    assert fish("plan", "--approvals", "") == ["plans/"]
    assert fish("init", "") == ["plans/"]
    assert fish("check", ".h") == [".hidden.yaml"]
    assert fish("check", "..") == ["../"]
    assert fish("plan", "--approvals=pl") == ["--approvals=plans/"]


def test_descriptions_stand_in_lists_only() -> None:
    assert answer("bash", ["orchestra a", "a", "9", "80"]) == "\napply\nadopt\napprove"
    listed = answer("bash", ["orchestra a", "a", "63", "40"]).split("\n")[1:]
    assert listed == [
        "apply    (Make the database as the sp…)",
        "adopt    (Take over queues and jobs t…)",
        "approve  (Write an approval to be com…)",
    ]
    wide = answer("bash", ["orchestra a", "a", "33", "100"]).split("\n")[1:]
    assert wide[0] == "apply    (Make the database as the spec says)"
    assert answer("bash", ["orchestra app", "app", "63", "20"]).split("\n")[1:] == ["apply", "approve"], (
        "no room"
    )
    assert answer("bash", ["orchestra appl", "appl", "63", "80"]) == "\napply", "one is inserted"
    assert answer("bash", ["orchestra a", "a", "37", "80"]) == "\napply\nadopt\napprove", (
        "a menu inserts them"
    )


def test_colons_reach_zsh_escaped() -> None:
    said = answer("zsh", ["dlq", ""]).split("\n")
    assert said[:2] == ["files .yaml .yml", "command"]
    assert (
        "redrive:Send letters back to their queues as new messages, with all their attempts before them"
        in said
    )


# What must not happen


HOSTILE = """\
version: 1
project: x
workloads:
  $(touch pwned): {}
  '`touch pwned`': {}
  "a;touch pwned": {}
  "e\\e[2Jvil": {}
  good: {trigger: manual, duration: {max: 5s}, run: {sql: select 1}}
"""


def test_only_what_can_be_a_name_is_offered(home: Path) -> None:
    (home / "orchestra.yaml").write_text(HOSTILE)
    assert fish("plan", "--workload", "") == ["good"]
    flow = HOSTILE.replace("workloads:\n", "workloads: {\n").replace("{}\n", "{},\n") + "}\n"
    (home / "orchestra.yaml").write_text(flow)
    assert fish("plan", "--workload", "") == ["good"]


@pytest.mark.parametrize(
    "spec",
    [
        b"",
        b"\0\xff\xfe",
        b"workloads: [",
        b"workloads: *gone\n",
        b"a: &a [*a, *a]\nworkloads: {}\n",
        b"{" * 100_000,
        b"workloads:\n" + b" " * 200_000,
        b"environments: {production: 7}\nworkloads: 7\n",
    ],
    ids=lambda text: repr(text[:12]),
)
def test_a_broken_spec_offers_nothing(home: Path, spec: bytes) -> None:
    (home / "orchestra.yaml").write_bytes(spec)
    for words in (["plan", "--workload", ""], ["plan", "--env", ""], ["plan", "--adopt", ""]):
        assert fish(*words) == []
    assert "orchestra.yaml" in fish("plan", "")


def test_no_spec_offers_nothing(home: Path) -> None:
    (home / "orchestra.yaml").unlink()
    for words in (["plan", "--workload", ""], ["plan", "gone.yaml", "--workload", ""], ["plan", "--env", ""]):
        assert fish(*words) == []
    os.mkfifo(home / "orchestra.yaml")
    assert fish("plan", "orchestra.yaml", "--workload", "") == [], "and a pipe is not waited for"


def test_names_that_cannot_stand_on_a_line_are_left_out(home: Path) -> None:
    for name in ("new\nline.yaml", "tab\tin.yaml", "esc\x1b[2J.yaml"):
        (home / name).touch()
    (home / "loop.yaml").symlink_to("loop.yaml")
    assert fish("check", "") == ["loop.yaml", "orchestra.yaml"]


def test_what_takes_too_long_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    def forever(words: object) -> str:
        while True:
            pass

    monkeypatch.setattr(answering, "LONGEST_S", 0.05)
    monkeypatch.setitem(answering.ANSWERS, "bash", forever)
    assert answer("bash", ["orchestra ", "", "9", "80"]) == ""


@pytest.mark.parametrize("words", [[], ["one"], ["orchestra a", "a", "63", "wide"], ["\udcff"] * 4])
def test_what_no_script_would_ask_is_answered_with_nothing(words: list[str]) -> None:
    assert answer("bash", words).strip() == ""


# As a process


def ask(
    shell: str, *words: str, cwd: Path, before: tuple[str, ...] = (), **more: str
) -> subprocess.CompletedProcess[bytes]:
    command = [*before, str(BIN / "orchestra"), *words]
    env = environment(cwd, _ORCHESTRA_COMPLETE=shell, **more)
    return subprocess.run(command, cwd=cwd, env=env, capture_output=True, check=False, timeout=60)


def test_no_command_is_run_no_database_is_asked_and_nothing_is_written(home: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        url = f"postgresql://me:hunter2@127.0.0.1:{server.getsockname()[1]}/x"
        urls = dict.fromkeys(("ORCHESTRA_DATABASE_URL", "PROD_DATABASE_URL", "PREVIEW_DATABASE_URL"), url)
        before = sorted(home.rglob("*"))
        for words in (
            ["apply", "--auto-approve", "--env", "production", ""],
            ["destroy", "--auto-approve", "--allow-destroy", "--workload", ""],
            ["init", "--auto-approve", ""],
            ["dev", "stop", ""],
            ["adopt", "--db", url, ""],
            ["runs", "show", "1", "--env", ""],
            ["apply", "--auto-approve"],
        ):
            done = ask("fish", "orchestra", *words, cwd=home, **urls)
            assert (done.returncode, done.stderr) == (0, b""), words
            assert b"hunter2" not in done.stdout
        server.setblocking(False)
        with pytest.raises(BlockingIOError):
            server.accept()
    assert sorted(home.rglob("*")) == before


@pytest.mark.parametrize("closing", ["2>&-", ">&-", ">&- 2>&-", "<&- 2>&-", "| true"])
def test_closed_streams_are_no_fault(home: Path, closing: str) -> None:
    script = f'"$0" "$@" {closing}; exit "${{PIPESTATUS[0]}}"'
    done = ask("fish", "orchestra", "plan", "--workload", "", cwd=home, before=("bash", "-c", script))
    assert (done.returncode, done.stderr) == (0, b"")


def test_a_folder_that_is_gone_is_no_fault(home: Path) -> None:
    (home / "gone").mkdir()
    script = 'cd gone && rmdir ../gone && exec "$0" "$@"'
    for words in (["plan", "--workload", ""], ["plan", ""], ["adopt", ""]):
        done = ask("fish", "orchestra", *words, cwd=home, before=("bash", "-c", script))
        assert (done.returncode, done.stdout, done.stderr) == (0, b"", b"")
        (home / "gone").mkdir()
    assert b"plan" in ask("fish", "orchestra", "p", cwd=home, before=("bash", "-c", script)).stdout


def test_what_may_not_be_read_is_no_fault(home: Path) -> None:
    """Root may read anything, so it gives that up."""
    (home / "closed").mkdir()
    (home / "closed" / "orchestra.yaml").write_text(SPEC)
    (home / "closed.yaml").write_text(SPEC)
    (home / "closed.yaml").chmod(0)
    (home / "closed").chmod(0)
    without = "--bounding-set=-dac_override,-dac_read_search"
    other = ("setpriv", without) if os.geteuid() == 0 else ()
    for words in (
        ["plan", "closed/"],
        *(["plan", spec, "--workload", ""] for spec in ("closed", "closed.yaml")),
    ):
        done = ask("fish", "orchestra", *words, cwd=home, before=other)
        assert (done.returncode, done.stdout, done.stderr) == (0, b"", b"")
    (home / "closed").chmod(0o700)


@pytest.mark.parametrize(
    "words", [[""], ["plan", "-"], ["plan", "--format", ""], ["plan", ""], ["plan", "--workload", ""]]
)
def test_nothing_heavy_is_loaded_for_it(home: Path, words: list[str]) -> None:
    heavy = (
        "yaml",
        "jsonschema",
        "jsonschema_rs",
        "psycopg",
        "sqlglot",
        "pglast",
        "deepdiff",
        "asyncio",
        "difflib",
    )
    script = (
        "import sys; from orchestra.cli.completion.answer import answer\n"
        f"assert answer('fish', ['orchestra', *{words!r}])\n"
        f"print(*[name for name in {heavy!r} if name in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=home, capture_output=True, text=True, check=True
    )
    assert done.stdout.split() == []


def test_ten_thousand_workloads_are_read_off_their_lines(home: Path) -> None:
    text = SPEC + "".join(
        f"  work-{n:05}:\n    trigger: manual\n    run: {{sql: select 1}}\n" for n in range(10_000)
    )
    (home / "orchestra.yaml").write_text(text)
    assert len(fish("plan", "--workload", "")) == 10_002
    assert bash("orchestra plan --workload work-0999") == [f"work-0999{n}" for n in range(10)]
    assert fish("plan", "--env", "") == ["preview", "production"]
