"""Comments of a pull request on GitHub, or on a GitHub Enterprise Server."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final
from urllib.parse import quote

from orchestra.errors import HostingError, UsageError
from orchestra.hosting.http import Answer, Client
from orchestra.hosting.model import Clock, Comment

_PAGES: Final = 100
"""Of a hundred comments each."""


class GitHub:
    """`repository` is `owner/name`, `api` such as `https://api.github.com`. `number` None: of the pull request by which
    `commit` came to its branch."""

    name = "GitHub"
    most = 65_536

    def __init__(
        self,
        api: str,
        repository: str,
        token: str,
        clock: Clock,
        *,
        number: int | None = None,
        commit: str = "",
        graphql: str = "",
    ) -> None:
        owner, _, short = repository.partition("/")
        if not owner or not short or "/" in short:
            raise UsageError(f"{repository!r} is no repository", "write it as owner/name")
        self._graphql = graphql or _graphql(api)
        self._repository = repository
        self._path = f"/repos/{quote(owner, safe='')}/{quote(short, safe='')}"
        self._number = number
        self._commit = commit
        headers = {
            "Authorization": f"Bearer {token}",
            "Accept": "application/vnd.github+json",
            "X-GitHub-Api-Version": "2022-11-28",
        }
        self._client = Client(self.name, api, headers, token, clock)

    @property
    def number(self) -> int:
        """Of the pull request. UsageError where the commit belongs to none."""
        if self._number is None:
            self._number = self._of_commit()
        return self._number

    def me(self) -> str:
        """The login of the token. GraphQL tells every token; the REST API refuses that of a workflow."""
        query = {"query": "query { viewer { login } }"}
        # A POST that only reads, so it may be made again.
        answer = self._client.call("POST", "", query, base=self._graphql, repeatable=True)
        self._accept(answer, "say whose token this is")
        try:
            return str(answer.body["data"]["viewer"]["login"])
        except (KeyError, TypeError):
            raise HostingError(
                f"GitHub does not say whose token this is: {_graphql_error(answer.body)}",
                "give the workflow's own token: env: GITHUB_TOKEN: ${{ github.token }}",
            ) from None

    def comments(self) -> Sequence[Comment]:
        found: list[Comment] = []
        for page in range(1, _PAGES + 1):
            path = f"{self._path}/issues/{self.number}/comments?per_page=100&page={page}"
            answer = self._accept(self._client.call("GET", path), "read the comments")
            found += [_comment(item) for item in answer.items]
            if not answer.has_next:
                break
        return found

    def create(self, body: str) -> Comment:
        path = f"{self._path}/issues/{self.number}/comments"
        answer = self._client.call("POST", path, {"body": body})
        return _comment(self._accept(answer, "write a comment").item)

    def update(self, comment: Comment, body: str) -> Comment:
        path = f"{self._path}/issues/comments/{comment.id}"
        answer = self._client.call("PATCH", path, {"body": body})
        return _comment(self._accept(answer, "edit its comment").item)

    def delete(self, comment: Comment) -> None:
        answer = self._client.call("DELETE", f"{self._path}/issues/comments/{comment.id}")
        if answer.status != 404:  # somebody was faster
            self._accept(answer, "delete its second comment")

    def _of_commit(self) -> int:
        answer = self._client.call("GET", f"{self._path}/commits/{quote(self._commit, safe='')}/pulls")
        pulls = self._accept(answer, "find the pull request of the commit").items
        merged = [p for p in pulls if p.get("merge_commit_sha") == self._commit] or pulls
        if not merged:
            raise UsageError(
                f"commit {self._commit[:12]} came to its branch by no pull request",
                "name one with --pull-request N, or leave the comment out",
            )
        return int(merged[0]["number"])

    def _accept(self, answer: Answer, what: str) -> Answer:
        """The answer, if it is a good one; else HostingError with what to do about it."""
        if answer.ok:
            return answer
        said = self._client.clean(answer.said)
        match answer.status:
            case 401:
                remedy = "the token is wrong or has expired: give env: GITHUB_TOKEN: ${{ github.token }}"
            case 403:
                remedy = (
                    "give the job `permissions: {pull-requests: write}`; on a pull request from a fork the token may "
                    "only read, so leave the comment out there (--unless-fork)"
                )
            case 404:
                remedy = (
                    f"is there a pull request #{self._number} in {self._repository}, and may the token see it? The job "
                    "needs `permissions: {pull-requests: write}`"
                )
            case _:
                remedy = "run the job again; the report itself is in the job's summary"
        raise HostingError(f"GitHub does not let orchestra {what} ({answer.status}): {said}", remedy)


def _comment(item: dict[str, Any]) -> Comment:
    # The author is null where the account is gone.
    author = (item.get("user") or {}).get("login") or ""
    return Comment(int(item.get("id") or 0), str(author), item.get("body") or "", item.get("html_url") or "")


def _graphql(api: str) -> str:
    """`https://host/api/v3` has it under `https://host/api/graphql`, github.com beside the rest."""
    base = api.rstrip("/")
    return f"{base.removesuffix('/v3')}/graphql"


def _graphql_error(body: Any) -> str:
    errors = body.get("errors") if isinstance(body, dict) else None
    return str(errors[0].get("message", "")) if errors else "the answer has no viewer"
