"""Servers on loopback that answer as the APIs of GitHub and GitLab do, as far as comments go."""

from code_host.github import FakeGitHub
from code_host.gitlab import FakeGitLab
from code_host.server import Fault

__all__ = ["FakeGitHub", "FakeGitLab", "Fault"]
