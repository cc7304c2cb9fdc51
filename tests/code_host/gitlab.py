"""GitLab's API for the notes of one merge request."""

from __future__ import annotations

from typing import Any

from code_host.server import Asked, CodeHost, Reply

TOKEN = "glpat-thisIsTheTokenOfTheProject"
ME = 77


class FakeGitLab(CodeHost):
    """Project 42, merge request !7."""

    def __init__(self) -> None:
        super().__init__()
        self.notes: list[dict[str, Any]] = []

    def say(self, author: int, body: str) -> dict[str, Any]:
        made = {"id": self.next_id(), "author": {"id": author}, "body": body, "system": False}
        self.notes.append(made)
        return made

    def answer(self, asked: Asked) -> Reply:
        if asked.headers.get("private-token") != TOKEN:
            return Reply(401, {"message": "401 Unauthorized"})
        notes = "/projects/42/merge_requests/7/notes"
        if asked.path == "/user":
            return Reply(200, {"id": ME, "username": "project_42_bot"})
        if asked.path == notes:
            if asked.method == "GET":
                return self.page(self.notes, asked)
            return Reply(201, self.say(ME, asked.body["body"]))
        if asked.path.startswith(f"{notes}/"):
            found = next((n for n in self.notes if str(n["id"]) == asked.path.rpartition("/")[2]), None)
            if found is not None and asked.method == "PUT":
                found["body"] = asked.body["body"]
                return Reply(200, found)
            if found is not None and asked.method == "DELETE":
                self.notes.remove(found)
                return Reply(204)
        return Reply(404, {"message": "404 Not found"})
