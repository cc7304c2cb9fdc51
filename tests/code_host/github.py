"""GitHub's REST API for the comments of pull requests, and its GraphQL API for one question."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from code_host.server import Asked, CodeHost, Reply

BOT = "github-actions[bot]"
TOKEN = "ghs_thisIsTheTokenOfTheWorkflowAndNobodySeesIt"
REPOSITORY = "acme/shop"
LONGEST = 65_536


@dataclass
class Account:
    login: str
    may_write: bool = True


class FakeGitHub(CodeHost):
    """One repository. `comments` are those of all its pull requests, in the order they were made."""

    def __init__(self) -> None:
        super().__init__()
        self.accounts = {TOKEN: Account(BOT)}
        self.comments: list[dict[str, Any]] = []
        self.pulls: dict[int, dict[str, Any]] = {}

    def open_pull(self, number: int, **more: Any) -> None:
        self.pulls[number] = {"number": number, "merge_commit_sha": None, "commits": [], **more}

    def say(self, number: int, login: str | None, body: str) -> dict[str, Any]:
        """Somebody comments. A login of None: the account is gone."""
        made = {
            "id": self.next_id(),
            "issue": number,
            "user": None if login is None else {"login": login},
            "body": body,
            "html_url": f"https://github.com/{REPOSITORY}/pull/{number}#issuecomment-{self._ids}",
        }
        self.comments.append(made)
        return made

    def of(self, number: int) -> list[dict[str, Any]]:
        return [c for c in self.comments if c["issue"] == number]

    def answer(self, asked: Asked) -> Reply:
        account = self.accounts.get(asked.headers.get("authorization", "").removeprefix("Bearer "))
        if account is None:
            return Reply(401, {"message": "Bad credentials"})
        if asked.path == "/graphql":
            return Reply(200, {"data": {"viewer": {"login": account.login}}})
        if asked.path == "/user":
            return Reply(403, {"message": "Resource not accessible by integration"})
        for pattern, handle in self._routes().items():
            if found := re.fullmatch(pattern, asked.path):
                if asked.method != "GET" and not account.may_write:
                    return Reply(403, {"message": "Resource not accessible by integration"})
                return handle(asked, account, *found.groups())
        return Reply(404, {"message": "Not Found"})

    def _routes(self) -> dict[str, Any]:
        repo = f"/repos/{REPOSITORY}"
        return {
            rf"{repo}/issues/(\d+)/comments": self._comments,
            rf"{repo}/issues/comments/(\d+)": self._comment,
            rf"{repo}/commits/([0-9a-f]+)/pulls": self._pulls_of,
        }

    def _comments(self, asked: Asked, account: Account, number: str) -> Reply:
        if int(number) not in self.pulls:
            return Reply(404, {"message": "Not Found"})
        if asked.method == "GET":
            return self.page(self.of(int(number)), asked)
        if len(asked.body["body"]) > LONGEST:
            return Reply(
                422, {"message": "Validation Failed: body is too long (maximum is 65536 characters)"}
            )
        return Reply(201, self.say(int(number), account.login, asked.body["body"]))

    def _comment(self, asked: Asked, account: Account, number: str) -> Reply:
        found = next((c for c in self.comments if c["id"] == int(number)), None)
        if found is None:
            return Reply(404, {"message": "Not Found"})
        if asked.method == "DELETE":
            self.comments.remove(found)
            return Reply(204)
        found["body"] = asked.body["body"]
        return Reply(200, found)

    def _pulls_of(self, asked: Asked, account: Account, commit: str) -> Reply:
        found = [p for p in self.pulls.values() if commit in (p["merge_commit_sha"], *p["commits"])]
        return Reply(200, found)
