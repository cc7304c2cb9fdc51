"""Hostile specs get a finding, soon, and never a traceback or a dead interpreter."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from spec.hostile import HOSTILE

REPOSITORY = Path(__file__).parents[2]
PROGRAM = """
import resource, sys, time
from spec.hostile import HOSTILE
from orchestra.spec import parse_spec
text = HOSTILE[sys.argv[1]][0]()
found = parse_spec(text).diagnostics
print(*sorted({d.code for d in found}), len(found))
assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss < 1_500_000
"""


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_spec_is_refused_soon(name: str) -> None:
    """A second or two at most, mostly milliseconds; the limit allows for a slow and busy machine."""
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, name],
        env={**os.environ, "PYTHONPATH": f"{REPOSITORY}:{REPOSITORY / 'tests'}"},
        capture_output=True,
        text=True,
        timeout=30,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    *codes, count = done.stdout.split()
    assert HOSTILE[name][1] in codes
    assert int(count) <= 501
