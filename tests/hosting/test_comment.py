"""One comment on a pull request, found again and brought up to date; nobody else's is touched."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from code_host import FakeGitHub, FakeGitLab, Fault
from code_host.github import BOT, TOKEN, Account
from code_host.gitlab import ME
from code_host.server import Reply

from orchestra.cli import main
from orchestra.hosting.http import ATTEMPTS

Comment = Callable[..., Result]

MARKER = "<!-- orchestra:plan project=shop environment=production -->"
REPORT = f"{MARKER}\n## Plan: 1 to add\n"
NEWER = f"{MARKER}\n## Plan: 2 to add\n"
OTHER = "<!-- orchestra:plan project=shop environment=preview -->\n## Plan: nothing\n"


def bodies(github: FakeGitHub) -> list[str]:
    return [c["body"] for c in github.of(12)]


def test_the_first_report_makes_a_comment_and_the_next_one_edits_it(
    github: FakeGitHub, comment: Comment
) -> None:
    made = comment(REPORT)
    assert (made.exit_code, made.stdout.split(". ")[0]) == (0, "Made the comment")
    assert made.stdout.strip().endswith("/acme/shop/pull/12#issuecomment-1001")
    assert "up to date" in comment(NEWER).stdout
    assert bodies(github) == [NEWER]


def test_the_same_report_again_writes_nothing(github: FakeGitHub, comment: Comment) -> None:
    comment(REPORT)
    github.comments[0]["body"] = REPORT.replace("\n", "\r\n").rstrip()  # as a host may keep it
    assert comment(REPORT).exit_code == 0
    assert github.methods().count("PATCH") == 0
    assert len(github.comments) == 1


def test_it_is_found_among_three_hundred_others(github: FakeGitHub, comment: Comment) -> None:
    for number in range(150):
        github.say(12, "anna", f"Looks good {number}")
    mine = github.say(12, BOT, REPORT)
    for number in range(150):
        github.say(12, BOT, f"Coverage is {number} percent")
    assert comment(NEWER).exit_code == 0
    assert mine["body"] == NEWER
    assert len(github.comments) == 301
    pages = [a.query["page"] for a in github.asked if a.method == "GET"]
    assert pages == ["1", "2", "3", "4"]


def test_each_project_and_environment_has_its_own(github: FakeGitHub, comment: Comment) -> None:
    longer = REPORT.replace("production", "production-eu")
    for report in (REPORT, OTHER, longer, NEWER):
        assert comment(report).exit_code == 0
    assert bodies(github) == [NEWER, OTHER, longer]


@pytest.mark.parametrize("login", ["mallory", "github-actions", None])
def test_a_comment_of_somebody_else_with_the_same_first_line_stays(
    github: FakeGitHub, comment: Comment, login: str | None
) -> None:
    github.say(12, login, REPORT)
    assert comment(NEWER).exit_code == 0
    assert bodies(github) == [REPORT, NEWER]


def test_a_marker_that_is_only_quoted_is_no_comment_of_ours(github: FakeGitHub, comment: Comment) -> None:
    quoted = github.say(12, BOT, f"See:\n{MARKER}\n")
    assert comment(REPORT).exit_code == 0
    assert quoted["body"].startswith("See:")
    assert len(github.comments) == 2


def test_what_a_race_left_is_removed_and_the_oldest_is_kept(github: FakeGitHub, comment: Comment) -> None:
    first = github.say(12, BOT, REPORT)
    github.say(12, "mallory", REPORT)
    github.say(12, BOT, REPORT)
    assert "Removed 1 more" in comment(NEWER).stdout
    assert first["body"] == NEWER
    assert bodies(github) == [NEWER, REPORT]


def test_edit_only_makes_no_comment_but_brings_one_up_to_date(github: FakeGitHub, comment: Comment) -> None:
    absent = comment(REPORT, "--edit-only", "--format", "json")
    assert json.loads(absent.stdout) == {"format_version": 1, "outcome": "absent", "url": ""}
    assert github.comments == []
    comment(REPORT)
    assert json.loads(comment(NEWER, "--edit-only", "--format", "json").stdout)["outcome"] == "updated"
    assert bodies(github) == [NEWER]


def test_a_pull_request_can_be_named(github: FakeGitHub, comment: Comment) -> None:
    github.open_pull(13)
    assert comment(REPORT, "--pull-request", "13").exit_code == 0
    assert [c["issue"] for c in github.comments] == [13]


@pytest.mark.parametrize(
    "content",
    [
        {"pull_request": {"number": 12}},
        {"issue": {"number": 12, "pull_request": {"url": "…"}}},
    ],
)
def test_it_comes_from_the_event(
    github: FakeGitHub, comment: Comment, event: Callable[[object], None], content: object
) -> None:
    event(content)
    assert comment(REPORT).exit_code == 0
    assert bodies(github) == [REPORT]


def test_it_comes_from_the_ref(
    github: FakeGitHub, comment: Comment, event: Callable[[object], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    event({"issue": {"number": 3}})  # an issue is no pull request
    monkeypatch.setenv("GITHUB_REF", "refs/pull/12/merge")
    assert comment(REPORT).exit_code == 0
    assert bodies(github) == [REPORT]


def test_after_the_merge_it_is_the_pull_request_of_the_commit(
    github: FakeGitHub, comment: Comment, event: Callable[[object], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    commit = "c0ffee" * 6 + "beef"
    event({"ref": "refs/heads/main"})
    monkeypatch.setenv("GITHUB_EVENT_NAME", "push")
    monkeypatch.setenv("GITHUB_SHA", commit)
    nothing = comment(REPORT)
    assert (nothing.exit_code, "by no pull request" in nothing.stderr) == (64, True)
    github.open_pull(14, commits=[commit])
    github.pulls[12]["merge_commit_sha"] = commit
    assert comment(REPORT).exit_code == 0
    assert bodies(github) == [REPORT]


def test_a_fork_can_be_left_out(
    github: FakeGitHub, comment: Comment, event: Callable[[object], None]
) -> None:
    github.accounts[TOKEN] = Account(BOT, may_write=False)
    event({"pull_request": {"number": 12, "head": {"repo": {"full_name": "mallory/shop"}}}})
    left_out = comment(REPORT, "--unless-fork")
    assert (left_out.exit_code, github.asked) == (0, [])
    assert "from a fork" in left_out.stdout
    refused = comment(REPORT)
    assert refused.exit_code == 1
    assert "--unless-fork" in refused.stderr


@pytest.mark.parametrize(
    ("head", "fork"),
    [({"repo": None}, True), ({"repo": {"full_name": "Acme/Shop"}}, False)],
    ids=["the fork is gone", "names are not told apart by case"],
)
def test_what_a_fork_is(
    github: FakeGitHub, comment: Comment, event: Callable[[object], None], head: object, fork: bool
) -> None:
    event({"pull_request": {"number": 12, "head": head}})
    comment(REPORT, "--unless-fork")
    assert (github.comments == []) == fork


def test_a_missing_permission_says_which(github: FakeGitHub, comment: Comment) -> None:
    github.accounts[TOKEN] = Account(BOT, may_write=False)
    refused = comment(REPORT)
    assert refused.exit_code == 1
    assert "Resource not accessible by integration" in refused.stderr
    assert "pull-requests: write" in " ".join(refused.stderr.split())


def test_a_wrong_token_and_a_wrong_number_say_so(
    github: FakeGitHub, comment: Comment, monkeypatch: pytest.MonkeyPatch
) -> None:
    missing = comment(REPORT, "--pull-request", "99")
    assert (missing.exit_code, "#99 in acme/shop" in missing.stderr) == (1, True)
    monkeypatch.setenv("GITHUB_TOKEN", "ghs_wrong")
    wrong = comment(REPORT)
    assert (wrong.exit_code, "Bad credentials" in wrong.stderr) == (1, True)
    assert "ghs_wrong" not in wrong.output


@pytest.mark.parametrize("token", ["", "  ", "abc\ndef", "schlüssel"])
def test_what_is_no_token_is_never_sent(
    github: FakeGitHub, comment: Comment, monkeypatch: pytest.MonkeyPatch, token: str
) -> None:
    monkeypatch.setenv("GITHUB_TOKEN", token)
    result = comment(REPORT)
    assert (result.exit_code, github.asked) == (64, [])
    assert "schl" not in result.output


@pytest.mark.parametrize("text", ["", "## A plan\n", f" text\n{MARKER}\n", "<!-- orchestra -->\n"])
def test_a_file_that_is_no_report_is_refused(github: FakeGitHub, comment: Comment, text: str) -> None:
    result = comment(text)
    assert (result.exit_code, github.asked) == (64, [])
    assert "--format markdown" in result.stderr


def test_a_report_that_no_comment_holds_is_refused_before_anything_is_asked(
    github: FakeGitHub, comment: Comment
) -> None:
    assert comment(REPORT + "x" * (65_536 - len(REPORT))).exit_code == 0
    result = comment(REPORT + "x" * (65_537 - len(REPORT)))
    assert result.exit_code == 64
    assert "65,537" in result.stderr


def test_a_report_comes_from_stdin_too(github: FakeGitHub) -> None:
    result = CliRunner().invoke(main, ["comment", "--file", "-"], input=REPORT, prog_name="orchestra")
    assert result.exit_code == 0
    assert bodies(github) == [REPORT]


def test_a_credential_in_a_report_is_starred_out(github: FakeGitHub, comment: Comment) -> None:
    comment(f"{REPORT}postgresql://me:hunter2@db/x\n")
    assert "hunter2" not in github.comments[0]["body"]


def test_no_pull_request_and_no_host_are_usage_errors(
    github: FakeGitHub, comment: Comment, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("GITHUB_EVENT_PATH")
    result = comment(REPORT)
    assert (result.exit_code, "--pull-request N" in result.stderr) == (64, True)
    monkeypatch.delenv("GITHUB_REPOSITORY")
    result = comment(REPORT)
    assert (result.exit_code, "GITHUB_REPOSITORY" in result.stderr) == (64, True)
    assert github.asked == []


def test_an_event_that_cannot_be_read_is_named(
    github: FakeGitHub, comment: Comment, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    broken = tmp_path / "broken.json"
    broken.write_text("{", encoding="utf-8")
    monkeypatch.setenv("GITHUB_EVENT_PATH", str(broken))
    result = comment(REPORT)
    assert (result.exit_code, "broken.json" in result.stderr) == (1, True)


# Trouble on the way.


@pytest.mark.parametrize("method", ["GET", "POST", "PATCH"])
@pytest.mark.parametrize(
    ("status", "headers", "message"),
    [
        (403, {"Retry-After": "30"}, "You have exceeded a secondary rate limit"),
        (429, {"Retry-After": "30"}, "slow down"),
        (403, {"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": "1000029"}, "API rate limit exceeded"),
    ],
    ids=["secondary", "429", "reset"],
)
def test_a_rate_limit_is_waited_out_for_as_long_as_it_asks(
    *,
    github: FakeGitHub,
    comment: Comment,
    waits: list[float],
    method: str,
    status: int,
    headers: dict[str, str],
    message: str,
) -> None:
    if method == "PATCH":
        github.say(12, BOT, REPORT)
    github.faults = [Fault(method, status, headers, message)]
    assert comment(NEWER).exit_code == 0
    assert bodies(github) == [NEWER]
    assert waits == [30.0]


def test_a_rate_limit_that_would_take_too_long_ends_it(
    github: FakeGitHub, comment: Comment, waits: list[float]
) -> None:
    github.faults = [Fault("GET", 429, {"Retry-After": "3600"})]
    result = comment(REPORT)
    assert (result.exit_code, waits) == (1, [])
    assert "3,600 s" in result.stderr


def test_rate_limits_one_after_another_are_bounded_too(
    github: FakeGitHub, comment: Comment, waits: list[float]
) -> None:
    github.faults = [Fault("GET", 429, {"Retry-After": "50"})] * 10
    assert comment(REPORT).exit_code == 1
    assert waits == [50.0, 50.0]


@pytest.mark.parametrize("status", [500, 502, 503, 0])
def test_a_fault_of_the_server_is_tried_again_a_few_times(
    github: FakeGitHub, comment: Comment, waits: list[float], status: int
) -> None:
    github.faults = [Fault("GET", status)] * (ATTEMPTS - 1)
    assert comment(REPORT).exit_code == 0
    assert waits == [1.0, 2.0, 4.0]
    github.faults = [Fault("GET", status)] * ATTEMPTS
    ended = comment(NEWER)
    assert ended.exit_code == 1
    assert f"{ATTEMPTS} times" in ended.stderr


@pytest.mark.parametrize("done", [True, False], ids=["made", "not made"])
@pytest.mark.parametrize("status", [502, 0])
def test_a_comment_of_which_nobody_knows_whether_it_was_made_is_not_made_twice(
    github: FakeGitHub, comment: Comment, status: int, done: bool
) -> None:
    github.faults = [Fault("POST", status, done=done, path="/comments")]
    assert comment(REPORT).exit_code == 0
    assert bodies(github) == [REPORT]


def test_the_question_who_we_are_is_a_post_that_may_be_asked_again(
    github: FakeGitHub, comment: Comment, waits: list[float]
) -> None:
    github.faults = [Fault("POST", 500, path="/graphql")] * (ATTEMPTS - 1)
    assert comment(REPORT).exit_code == 0
    assert len(waits) == ATTEMPTS - 1


def test_a_host_that_never_takes_the_comment_is_given_up(github: FakeGitHub, comment: Comment) -> None:
    github.faults = [Fault("POST", 502, path="/comments")] * 9
    result = comment(REPORT)
    assert (result.exit_code, "3 times" in result.stderr) == (1, True)
    assert github.comments == []


def test_a_host_that_is_not_there_is_named(
    comment: Comment, github: FakeGitHub, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GITHUB_API_URL", "http://127.0.0.1:9")
    result = comment(REPORT)
    assert result.exit_code == 1
    assert "127.0.0.1:9" in result.stderr


@pytest.mark.parametrize("body", [{"hello": 1}, ["hello"], "hello", None])
def test_an_answer_of_something_else_is_named_as_such(
    github: FakeGitHub, comment: Comment, monkeypatch: pytest.MonkeyPatch, body: object
) -> None:
    monkeypatch.setattr(github, "page", lambda items, asked: Reply(200, body))
    result = comment(REPORT)
    assert (result.exit_code, "a proxy may have answered" in result.stderr) == (1, True)


def test_the_token_is_not_sent_where_a_redirect_leads(
    github: FakeGitHub, comment: Comment, monkeypatch: pytest.MonkeyPatch
) -> None:
    with FakeGitHub() as elsewhere:
        github.faults = [Fault("GET", 302, {"Location": f"{elsewhere.url}/steal"})]
        result = comment(REPORT)
        assert elsewhere.asked == []
    assert (result.exit_code, "moved to" in result.stderr) == (1, True)


def test_a_token_that_the_host_says_back_is_starred_out(github: FakeGitHub, comment: Comment) -> None:
    github.faults = [Fault("GET", 400, message=f"I do not like {TOKEN}")]
    result = comment(REPORT)  # the fixture looks for the token
    assert "I do not like ********" in result.stderr


# GitLab.


def test_gitlab_keeps_a_note_up_to_date(gitlab: FakeGitLab, comment: Comment) -> None:
    for number in range(120):
        gitlab.say(5, f"Hm {number}")
    gitlab.say(5, REPORT)
    assert comment(REPORT).exit_code == 0
    assert comment(NEWER).exit_code == 0
    mine = [n["body"] for n in gitlab.notes if n["author"]["id"] == ME]
    assert mine == [NEWER]
    assert len(gitlab.notes) == 122


def test_gitlab_says_which_token_it_needs(
    gitlab: FakeGitLab, comment: Comment, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GITLAB_TOKEN", "job-token")
    refused = comment(REPORT)
    assert (refused.exit_code, "scope `api`" in refused.stderr) == (1, True)
    monkeypatch.delenv("GITLAB_TOKEN")
    assert comment(REPORT).exit_code == 64
    monkeypatch.delenv("CI_MERGE_REQUEST_IID")
    assert "no merge request" in comment(REPORT).stderr


def test_gitlab_leaves_forks_out(
    gitlab: FakeGitLab, comment: Comment, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CI_MERGE_REQUEST_PROJECT_ID", "42")
    monkeypatch.setenv("CI_MERGE_REQUEST_SOURCE_PROJECT_ID", "43")
    assert comment(REPORT, "--unless-fork").exit_code == 0
    assert gitlab.asked == []
