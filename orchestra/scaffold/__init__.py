"""`orchestra init`: what was found in a repository, and what was answered -> the files to write. Pure."""

from __future__ import annotations

from orchestra.scaffold.make import make
from orchestra.scaffold.model import Answers, Found, Planned
from orchestra.scaffold.names import is_project_name, project_name

__all__ = ["Answers", "Found", "Planned", "is_project_name", "make", "project_name"]
