"""The pipeline: what docs/github.md and docs/gitlab.md say, as far as it works without secrets and a database."""

from __future__ import annotations

import json
import shlex
from typing import Final

GITHUB: Final = ".github/workflows/orchestra.yml"
GITLAB: Final = ".gitlab-ci.yml"
PRE_COMMIT: Final = ".pre-commit-config.yaml"


def github(spec: str) -> str:
    """`spec` is its path from the top of the repository; none where it lies there."""
    text = json.dumps(spec, ensure_ascii=False).replace("${{", "${{ '${{' }}")
    given = f", spec: {text}" if spec else ""
    return f"""\
# What a pull request changes, from the two commits alone: no database, no secrets. docs/github.md of orchestra has the
# plan against a live database and the apply after the merge. Put in where you keep orchestra for your-org/orchestra.
name: orchestra
on: pull_request

permissions: {{}}

concurrency:
  group: orchestra-${{{{ github.event.pull_request.number }}}}
  cancel-in-progress: true

jobs:
  check:
    runs-on: ubuntu-latest
    permissions: {{contents: read, pull-requests: write}}
    steps:
      - uses: actions/checkout@v6
        with: {{fetch-depth: 2, persist-credentials: false}}
      - uses: your-org/orchestra@v0
        with: {{command: check{given}}}
      - uses: your-org/orchestra@v0
        with: {{command: diff{given}}}
"""


def gitlab(spec: str) -> str:
    def runs(step: str) -> str:
        line = f"orchestra ci {step} {shlex.quote(spec)}" if spec else f"orchestra ci {step}"
        return line if spec == shlex.quote(spec) or not spec else json.dumps(line, ensure_ascii=False)

    return f"""\
# What a merge request changes, from the two commits alone: no database, no secrets. docs/gitlab.md of orchestra has
# the plan against a live database and the apply after the merge.
orchestra:
  image: python:3.12
  variables:
    GIT_DEPTH: "0"
    ORCHESTRA_SOURCE: "git+https://gitlab.example.com/your-group/orchestra@v0.1.0"   # where you keep orchestra
  rules:
    - if: $CI_PIPELINE_SOURCE == "merge_request_event"
  before_script:
    - pip install --quiet "$ORCHESTRA_SOURCE"
  script:
    - {runs("check")}
    - {runs("diff")}
  artifacts:
    when: always
    paths: [orchestra-report/]
    expire_in: 1 week
"""


def pre_commit() -> str:
    return """\
repos:
  - repo: https://github.com/your-org/orchestra   # where you keep orchestra
    rev: v0.1.0
    hooks:
      - id: orchestra-fmt
      - id: orchestra-check
"""
