"""`python -m orchestra`."""

from __future__ import annotations

from orchestra.cli import main

main(prog_name="orchestra")
