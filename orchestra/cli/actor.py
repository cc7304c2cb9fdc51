"""The person behind a deployment, for the ledger: a database role is often everybody's, a job's most of all."""

from __future__ import annotations

import getpass
import os

VARIABLES = ("ORCHESTRA_ACTOR", "GITHUB_ACTOR", "GITLAB_USER_LOGIN")
"""Looked at in this order; then the name of the user of this system counts."""
LONGEST = 200


def name() -> str | None:
    """A name in at most 200 characters, as it was given: it is no proof of anything. None where nobody knows one."""
    for variable in VARIABLES:
        if said := os.environ.get(variable, "").strip():
            return _plain(said)
    try:
        return _plain(getpass.getuser()) or None
    except (OSError, KeyError):  # a container may have a user without a name
        return None


def _plain(said: str) -> str:
    """Without what was no UTF-8 in the environment, which no database would take."""
    return said.encode("utf-8", "replace").decode()[:LONGEST]
