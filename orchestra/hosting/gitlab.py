"""Notes of a merge request on GitLab."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final
from urllib.parse import quote

from orchestra.errors import HostingError
from orchestra.hosting.http import Answer, Client
from orchestra.hosting.model import Clock, Comment

_PAGES: Final = 100


class GitLab:
    """`api` such as `https://gitlab.com/api/v4`; `project` an id or a path; `number` the IID of the merge request."""

    name = "GitLab"
    most = 1_000_000

    def __init__(self, api: str, project: str, token: str, clock: Clock, *, number: int) -> None:
        self._number = number
        self._path = f"/projects/{quote(project, safe='')}/merge_requests/{number}/notes"
        self._client = Client(self.name, api, {"PRIVATE-TOKEN": token}, token, clock)

    def me(self) -> str:
        answer = self._client.call("GET", "/user")
        return str(self._accept(answer, "ask whose token this is").item.get("id"))

    def comments(self) -> Sequence[Comment]:
        found: list[Comment] = []
        for page in range(1, _PAGES + 1):
            path = f"{self._path}?per_page=100&page={page}&order_by=created_at&sort=asc"
            answer = self._accept(self._client.call("GET", path), "read the notes")
            found += [_comment(item) for item in answer.items]
            if not answer.has_next:
                break
        return found

    def create(self, body: str) -> Comment:
        return _comment(
            self._accept(self._client.call("POST", self._path, {"body": body}), "write a note").body
        )

    def update(self, comment: Comment, body: str) -> Comment:
        answer = self._client.call("PUT", f"{self._path}/{comment.id}", {"body": body})
        return _comment(self._accept(answer, "edit its note").item)

    def delete(self, comment: Comment) -> None:
        answer = self._client.call("DELETE", f"{self._path}/{comment.id}")
        if answer.status != 404:
            self._accept(answer, "delete its second note")

    def _accept(self, answer: Answer, what: str) -> Answer:
        if answer.ok:
            return answer
        said = self._client.clean(answer.said)
        match answer.status:
            case 401 | 403:
                remedy = (
                    "GITLAB_TOKEN has to be an access token of the project with the scope `api` and at least the role "
                    "Reporter; the job's own CI_JOB_TOKEN may not write notes"
                )
            case 404:
                remedy = f"is there a merge request !{self._number}, and may the token see it?"
            case _:
                remedy = "run the job again; the report itself is among the job's artifacts"
        raise HostingError(f"GitLab does not let orchestra {what} ({answer.status}): {said}", remedy)


def _comment(item: dict[str, Any]) -> Comment:
    """A note has no address of its own in the API's answer."""
    return Comment(
        int(item.get("id") or 0), str((item.get("author") or {}).get("id", "")), item.get("body") or "", ""
    )
