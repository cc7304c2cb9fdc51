"""`orchestra approve`, and the folder of approvals beside a spec, on real databases and in a real repository."""

from __future__ import annotations

import json
import os
import shlex
from pathlib import Path

import psycopg
import pytest
from cli_world import Run
from engines import Engine
from written_repository import Repository

from orchestra.report import plan_json

SPEC = """\
version: 1
project: shop
platform: {provider: postgres}
environments:
  production: {database: {env: PROD_DATABASE_URL}, approvals: required}
workloads:
  keep: {trigger: manual, duration: {max: 5s}, poll_interval: 1m, run: {sql: 'select 1'}}
"""
OLD = SPEC + "  old: {trigger: manual, duration: {max: 5s}, poll_interval: 1m, run: {sql: 'select 1'}}\n"
REASON = ("--reason", "The feed is closed")


@pytest.fixture
def repo(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Repository:
    """A workload was on main and is no longer in the working tree."""
    made = Repository(tmp_path / "repo")
    made.write("orchestra.yaml", OLD)
    made.commit()
    made.git("config", "user.name", "Ann Example")
    made.git("config", "user.email", "ann@example.com")
    made.write("orchestra.yaml", SPEC)
    monkeypatch.chdir(made.home)
    return made


@pytest.fixture
def production(engine: Engine, repo: Repository, run: Run, monkeypatch: pytest.MonkeyPatch) -> Engine:
    """The database that main was applied to."""
    monkeypatch.setenv("PROD_DATABASE_URL", engine.dsn)
    repo.write("orchestra.yaml", OLD)
    done = run("apply", "--env", "production", "--auto-approve")
    assert done.exit_code == 0, done.output
    repo.write("orchestra.yaml", SPEC)
    return engine


def flat(text: str) -> str:
    return " ".join(text.split())


def files(repo: Repository) -> list[Path]:
    return sorted((repo.home / "approvals").glob("*"))


def approve(run: Run, repo: Repository, *more: str) -> Path:
    """Of what the pull request removes, and the file."""
    done = run("approve", "--base", "main", *REASON, *more)
    assert done.exit_code == 0, done.output
    (path,) = files(repo)
    return path


@pytest.mark.engines("embedded", "pg17")
def test_an_approval_in_the_pull_request_is_good_for_the_database(
    run: Run, repo: Repository, production: Engine
) -> None:
    refused = run("apply", "--env", "production", "--auto-approve", "--allow-destroy")
    assert refused.exit_code == 5
    assert 'orchestra approve --env production --reason "…"' in flat(refused.stderr)
    path = approve(run, repo)
    repo.commit()
    plan = run("plan", "--env", "production")
    assert f"approved by approvals/{path.name}: The feed is closed" in flat(plan.stdout)
    assert path.stem in plan.stdout
    done = run("apply", "--env", "production", "--auto-approve")
    assert done.exit_code == 0, done.output
    assert run("plan", "--env", "production", "--detailed-exitcode").exit_code == 0
    assert production.execute("select count(*) from pgmq.meta where queue_name = 'old'") == [(0,)]


@pytest.mark.engines("embedded")
def test_the_command_of_the_refusal_does_what_it_says(run: Run, repo: Repository, production: Engine) -> None:
    production.execute("select pgmq.send('old', '{}')")
    refused = flat(run("apply", "--env", "production", "--auto-approve", "--allow-destroy").stderr)
    command = refused.partition("committed: ")[2].partition('"…"')[0]
    words = shlex.split(command)
    assert words[:2] == ["orchestra", "approve"]
    done = run(*words[1:], "The feed is closed", "--by", "Bob")
    assert done.exit_code == 0, done.output
    assert "messages queue.old, at most 1" in done.stdout
    assert "by: Bob" in files(repo)[0].read_text()
    production.execute("select pgmq.send('old', '{}')")
    blocked = run("apply", "--env", "production", "--auto-approve")
    assert blocked.exit_code == 5
    assert "approves at most 1 messages of queue.old, and there are more" in flat(blocked.output)
    assert run(*words[1:], "Two of them").exit_code == 0
    assert run("apply", "--env", "production", "--auto-approve").exit_code == 0


@pytest.mark.engines("embedded")
def test_a_saved_plan_is_approved_and_then_made_anew(run: Run, repo: Repository, production: Engine) -> None:
    blocked = run("plan", "--env", "production", "--out", "plan.json")
    assert blocked.exit_code == 0
    assert run("apply", "plan.json", "--auto-approve", "--env", "production").exit_code == 5
    done = run("approve", "plan.json", *REASON, "--format", "json")
    document = json.loads(done.stdout)
    (path,) = files(repo)
    assert document["file"] == f"approvals/{path.name}"
    assert document["transition"] == json.loads(Path("plan.json").read_text())["transition"] == path.stem
    assert document["by"] == "Ann Example <ann@example.com>"
    assert run("plan", "--env", "production", "--out", "plan.json").exit_code == 0
    # What a plan stands on is in it: the folder is asked when it is made.
    path.unlink()
    assert run("apply", "plan.json", "--auto-approve", "--env", "production").exit_code == 0


@pytest.mark.engines("embedded")
def test_destroy_has_an_approval_of_its_own(run: Run, repo: Repository, production: Engine) -> None:
    refused = run("destroy", "--env", "production", "--auto-approve", "--allow-destroy")
    assert refused.exit_code == 5
    assert "orchestra approve --destroy --env production" in flat(refused.stderr)
    assert run("approve", "--destroy", "--env", "production", *REASON).exit_code == 0
    assert run("destroy", "--env", "production", "--auto-approve").exit_code == 0


def test_a_diff_takes_the_committed_approval_as_a_plan_does(run: Run, repo: Repository) -> None:
    gate = ("diff", "--base", "main", "--fail-on", "unapproved")
    assert run(*gate).exit_code == 5
    path = approve(run, repo)
    text = path.read_text()
    assert "messages" in text
    assert "at_most: 0" in text
    passed = run(*gate)
    assert passed.exit_code == 0
    assert f"approved by approvals/{path.name}" in flat(passed.stdout)
    assert json.loads(run("diff", "--base", "main", "--format", "json").stdout)["transition"] == path.stem


def test_single_hazards_are_approved_with_a_bound(run: Run, repo: Repository) -> None:
    words = ("--hazard", "delete:workload.old", "--hazard", "messages:queue.old=500")
    text = approve(run, repo, *words, "--expires", "2999-12-31").read_text()
    assert "queue.old\n  at_most: 500" in text
    assert "2999-12-31" in text
    assert run("diff", "--base", "main", "--fail-on", "unapproved").exit_code == 5, "delete:queue.old is left"
    done = run("approve", "--base", "main", *REASON, "--hazard", "messages:queue.old=all")
    assert "Wrote anew" in done.stdout
    assert "messages queue.old, however many" in done.stdout
    assert "2 more of this change stay without an approval" in done.stdout


def test_it_is_the_same_file_however_often_it_is_written(run: Run, repo: Repository) -> None:
    first = approve(run, repo).read_bytes()
    assert approve(run, repo).read_bytes() == first


def test_unicode_and_yaml_in_a_reason_come_back_as_they_were(run: Run, repo: Repository) -> None:
    reason = "Größe: {x} # no, 'quoted' \"twice\" and - dashed: yes\n2nd line é"
    assert run("approve", "--base", "main", "--reason", reason, "--by", "O'Neil: null").exit_code == 0
    (one,) = json.loads(run("approve", "--list", "--format", "json").stdout)["approvals"]
    assert (one["reason"], one["by"]) == (reason, "O'Neil: null")


def test_line_ends_of_another_system_are_no_edit(run: Run, repo: Repository) -> None:
    path = approve(run, repo)
    path.write_bytes(path.read_bytes().replace(b"\n", b"\r\n"))
    assert run("check").exit_code == 0


EDITS = [
    ("at_most: 0", "at_most: 9000", "E151", "its digest does not fit"),
    ("reason: The feed", "reason: Another feed", "E151", "its digest does not fit"),
    ("project: shop", "project: store", "E151", "its digest does not fit"),
    ("hazard: messages", "hazard: delete", "E150", "a removal has no `at_most`"),
    ("at_most: 0", "at_most: -1", "E150", "neither a number of messages nor `all`"),
    ("at_most: 0", "at_most: many", "E150", "neither a number of messages nor `all`"),
    ("at_most: 0", "at_least: 0", "E150", "a hazard has no `at_least`"),
    ("reason: The feed is closed\n", "", "E150", "`reason` is missing"),
    ("reason: The feed is closed", "reason: ''", "E150", "`reason` is no text, or an empty one"),
    ("reason: The feed is closed", "reason: [a]", "E150", "`reason` is no text, or an empty one"),
    ("by: ", "expires: soon\nby: ", "E150", "`soon` is no day"),
    ("by: ", "expires: 2026-02-30\nby: ", "E150", "`2026-02-30` is no day"),
    ("by: ", "who: Bob\nby: ", "E150", "an approval has no `who`"),
    ("format_version: 1", "format_version: 2", "E150", "format 2 is not one that this orchestra reads"),
    ("address: queue.old", "address: old", "E150", "`address` is no address"),
    ("by: ", "by: &x ", "", ""),
    ("by: ", "by: !!python/object ", "E110", ""),
    ("project: shop", "project: [shop", "E105", ""),
    ("project: shop", "project: shop\nproject: shop", "E107", ""),
]


@pytest.mark.parametrize(("old", "new", "code", "said"), EDITS)
def test_an_edited_file_is_an_error_with_its_place(
    run: Run, repo: Repository, old: str, new: str, code: str, said: str
) -> None:
    path = approve(run, repo)
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new, 1))
    commands = (
        ("diff", "--base", "main"),
        ("approve", "--list"),
        ("check",),
        ("plan", "--db", "postgresql://x:1/y"),
    )
    for command in commands[: 4 if code else 3]:
        done = run(*command)
        assert done.exit_code == (1 if code else 0), done.output
        if code:
            output = flat(done.output)
            assert f"[{code}]" in output
            assert f"approvals/{path.name}:" in output
            assert said in output
            assert "Traceback" not in output


@pytest.mark.parametrize("text", ["", "# nothing\n", "just text", "- a\n- b\n", "\x00", "a: " + "[" * 100])
def test_what_is_no_approval_at_all_is_an_error(run: Run, repo: Repository, text: str) -> None:
    repo.write("approvals/x.yaml", text)
    done = run("check")
    assert done.exit_code == 1
    assert "approvals/x.yaml:1:" in done.output


def test_a_file_that_was_renamed_is_an_error(run: Run, repo: Repository) -> None:
    path = approve(run, repo)
    path.rename(path.with_name("0" * 12 + "-" + "1" * 12 + ".yaml"))
    done = run("check")
    assert done.exit_code == 1
    assert "E151" in done.output
    assert "its name says which transition it approves" in flat(done.output)


def test_a_file_of_another_change_has_no_effect(run: Run, repo: Repository) -> None:
    approve(run, repo)
    repo.write("orchestra.yaml", SPEC.replace("select 1", "select 2"))
    done = run("diff", "--base", "main", "--fail-on", "unapproved")
    assert done.exit_code == 5
    assert "approved by" not in done.stdout
    assert run("approve", "--list").exit_code == 0


def test_the_folder_can_be_another(run: Run, repo: Repository) -> None:
    done = run("approve", "--base", "main", *REASON, "--approvals", "reviews/2026")
    assert done.exit_code == 0
    assert not (repo.home / "approvals").exists()
    gate = ("diff", "--base", "main", "--fail-on", "unapproved")
    assert run(*gate).exit_code == 5
    assert run(*gate, "--approvals", "reviews/2026").exit_code == 0
    missing = run(*gate, "--approvals", "nowhere")
    assert missing.exit_code == 64
    assert "there is no folder nowhere" in missing.stderr


def test_the_folder_of_a_pattern_is_where_the_pattern_begins(run: Run, repo: Repository) -> None:
    (repo.home / "orchestra.yaml").unlink()
    repo.write("jobs/a/spec.yaml", SPEC)
    repo.write("jobs/approvals/x.yaml", "reason: none\n")
    done = run("check", "jobs/**/spec.yaml")
    assert done.exit_code == 1
    assert "jobs/approvals/x.yaml:1:" in done.output


def test_what_is_no_file_in_the_folder_is_an_error_and_not_waited_for(run: Run, repo: Repository) -> None:
    (repo.home / "approvals" / "folder.yaml").mkdir(parents=True)
    (repo.home / "approvals" / "link.yaml").symlink_to("nowhere")
    os.mkfifo(repo.home / "approvals" / "pipe.yaml")
    repo.write("approvals/README.md", "What these are")
    done = run("check")
    assert done.exit_code == 1
    for name in ("folder", "link", "pipe"):
        assert f"approvals/{name}.yaml` cannot be read" in flat(done.output)


def test_the_folder_of_a_folder_is_in_it(run: Run, repo: Repository) -> None:
    (repo.home / "orchestra.yaml").unlink()
    repo.write("jobs/spec.yaml", SPEC)
    done = run("approve", "jobs", "--base", "main", *REASON)
    assert done.exit_code == 0, done.output
    assert len(list((repo.home / "jobs" / "approvals").glob("*.yaml"))) == 1
    assert run("diff", "jobs", "--base", "main", "--fail-on", "unapproved").exit_code == 0


@pytest.mark.parametrize(
    ("args", "said"),
    [
        ((), 'add --reason "…"'),
        (("--reason", "  "), "says why"),
        ((*REASON, "--base", "main", "--hazard", "delete:queue.keep"), "this change has no such hazard"),
        ((*REASON, "--base", "main", "--hazard", "messages:queue.old=many"), "is no number of messages"),
        ((*REASON, "--base", "main", "--expires", "2020-01-01"), "2020-01-01 is over"),
        ((*REASON, "--base", "main", "--expires", "tomorrow"), "tomorrow"),
        ((*REASON, "--base", "main", "--db", "postgresql://x"), "--db asks a database"),
        ((*REASON, "--merge-base"), "add --base"),
        (("--list", *REASON), "--list shows the approvals"),
        (("absent.json", *REASON), ""),
    ],
)
def test_what_makes_no_sense_is_refused_and_nothing_is_written(
    run: Run, repo: Repository, args: tuple[str, ...], said: str
) -> None:
    done = run("approve", *args)
    assert done.exit_code in (1, 64)
    assert said in flat(done.stderr)
    assert files(repo) == []


def test_nothing_is_written_where_nothing_needs_it(run: Run, repo: Repository) -> None:
    repo.write("orchestra.yaml", OLD)
    done = run("approve", "--base", "main", *REASON)
    assert done.exit_code == 0
    assert "Nothing in this needs an approval" in done.stderr
    assert files(repo) == []


def test_who_approves_has_to_be_known(run: Run, repo: Repository, monkeypatch: pytest.MonkeyPatch) -> None:
    repo.git("config", "--unset", "user.name")
    repo.git("config", "--unset", "user.email")
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", "/dev/null")
    monkeypatch.setenv("GIT_CONFIG_SYSTEM", "/dev/null")
    done = run("approve", "--base", "main", *REASON)
    assert done.exit_code == 64
    assert "--by" in done.stderr
    assert run("approve", "--base", "main", *REASON, "--by", "Ann").exit_code == 0


def test_the_list_says_what_is_over(run: Run, repo: Repository) -> None:
    approve(run, repo, "--expires", "2999-12-31")
    listed = run("approve", "--list").stdout
    assert "until 2999-12-31\n" in listed
    assert "delete workload.old" in listed
    assert "by Ann Example <ann@example.com>" in listed


def test_a_secret_in_a_reason_is_not_repeated(run: Run, repo: Repository) -> None:
    secret = "sb_secret_0123456789abcdef"
    assert run("approve", "--base", "main", "--reason", f"key {secret}").exit_code == 0
    for form in ("text", "json"):
        assert secret not in run("diff", "--base", "main", "--format", form).output
        assert secret not in run("approve", "--list", "--format", form).output


@pytest.mark.engines("embedded")
def test_a_rollback_is_approved_as_any_plan_is(run: Run, repo: Repository, production: Engine) -> None:
    repo.write("orchestra.yaml", OLD + OLD.splitlines()[-1].replace("old:", "more:") + "\n")
    assert run("apply", "--env", "production", "--auto-approve").exit_code == 0
    refused = run("rollback", "1", "--env", "production", "--auto-approve", "--allow-destroy")
    assert refused.exit_code == 5, refused.output
    command = flat(refused.stderr).partition("committed: ")[2].partition('"…"')[0]
    save, _, write = command.partition(" && ")
    assert run(*shlex.split(save)[1:]).exit_code == 0
    done = run(*shlex.split(write)[1:], "Back to what worked")
    assert done.exit_code == 0, done.output
    back = run("rollback", "1", "--env", "production", "--auto-approve")
    assert back.exit_code == 0, back.output
    assert "approved by approvals/" in flat(back.output)
    assert production.execute("select count(*) from pgmq.meta where queue_name = 'more'") == [(0,)]


@pytest.mark.engines("embedded")
def test_one_approval_is_good_for_a_fleet(
    run: Run, repo: Repository, engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Identical databases, in which different numbers of messages wait."""
    environments = "environments:\n" + "".join(
        f"  tenant-{n}: {{database: {{env: TENANT_{n}}}, approvals: required}}\n" for n in (1, 2)
    )
    head, _, rest = OLD.partition("environments:\n")
    old = head + environments + rest.split("\n", 1)[1]
    new = old.replace(OLD.splitlines()[-1] + "\n", "")
    with engine.new_database("one") as one, engine.new_database("two") as two:
        # The stand-in of pg_cron lets every database say that it is the one in which pg_cron works.
        for name in ("one", "two"):
            engine.execute(f"alter database {name} set cron.database_name = '{name}'")
        monkeypatch.setenv("TENANT_1", one)
        monkeypatch.setenv("TENANT_2", two)
        repo.write("orchestra.yaml", old)
        repo.commit()
        done = run("apply", "--env", "tenant-*", "--auto-approve")
        assert done.exit_code == 0, done.output
        for number, dsn in ((1, one), (3, two)):
            with psycopg.connect(dsn, autocommit=True) as connection:
                connection.execute("select pgmq.send('old', '{}') from generate_series(1, %s)", [number])
        repo.write("orchestra.yaml", new)
        refused = run("apply", "--env", "tenant-*", "--auto-approve", "--allow-destroy")
        assert refused.exit_code == 5, refused.output
        words = [
            w
            for a in ("delete:workload.old", "delete:queue.old", "messages:queue.old=3")
            for w in ("--hazard", a)
        ]
        assert run("approve", "--base", "main", *REASON, *words).exit_code == 0
        done = run("apply", "--env", "tenant-*", "--auto-approve")
        assert done.exit_code == 0, done.output


@pytest.mark.engines("embedded")
def test_a_plan_with_a_transition_of_another_form_writes_nothing(
    run: Run, repo: Repository, production: Engine
) -> None:
    """It would be the name of the file, and somebody else may have written the plan."""
    run("plan", "--env", "production", "--out", "plan.json")
    document = json.loads(Path("plan.json").read_text())
    document.pop("plan_hash")
    document["transition"] = "../elsewhere"
    Path("plan.json").write_text(json.dumps({**document, "plan_hash": plan_json._hash(document)}))
    done = run("approve", "plan.json", "--reason", "x")
    assert done.exit_code == 64
    assert "has no transition of orchestra's" in done.stderr
    assert not Path("elsewhere.yaml").exists()
