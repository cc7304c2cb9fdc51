"""The site builds without a warning, and whoever reads it asks no other host for anything."""

from __future__ import annotations

import os
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path

from docs_tests.blocks import ROOT

FETCHED = {("script", "src"), ("img", "src"), ("iframe", "src"), ("source", "src"), ("video", "src")}


class _Fetches(HTMLParser):
    """The addresses that a browser fetches by itself; links that people follow are not among them."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        self.found += [given[name] or "" for of, name in FETCHED if of == tag and name in given]
        if tag == "link" and (given.get("rel") or "") not in ("canonical", "next", "prev"):
            self.found.append(given.get("href") or "")


def test_the_site_builds_strictly_and_fetches_nothing_from_elsewhere(tmp_path: Path) -> None:
    done = subprocess.run(
        [
            sys.executable,
            "-m",
            "mkdocs",
            "build",
            "--strict",
            "--quiet",
            "--site-dir",
            str(tmp_path / "site"),
        ],
        cwd=ROOT,
        env={**os.environ, "NO_MKDOCS_2_WARNING": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    pages = sorted((tmp_path / "site").rglob("*.html"))
    assert len(pages) > 40
    for page in pages:
        reader = _Fetches()
        reader.feed(page.read_text(encoding="utf-8"))
        away = [url for url in reader.found if "//" in url and not url.startswith("data:")]
        assert away == [], f"{page.name} fetches {away}"
    for style in (tmp_path / "site").rglob("*.css"):
        assert "@import" not in style.read_text(encoding="utf-8")
