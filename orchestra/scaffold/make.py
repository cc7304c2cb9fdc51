"""All files at once: new ones where there are none, and the ignore file grown."""

from __future__ import annotations

import posixpath

from orchestra.scaffold import ci, ignore, spec
from orchestra.scaffold.model import Answers, Found, Planned
from orchestra.spec.schema import schema_text

IGNORE = ".gitignore"


def wanted(found: Found, answers: Answers) -> dict[str, str]:
    """Every file that would be there in the end, by its path from the folder of the spec."""
    at_top = "" if found.inside == "." else posixpath.join(found.inside, spec.SPEC)
    files = {spec.SPEC: spec.text(found, answers), spec.SCHEMA: schema_text()}
    if answers.ci == "github":
        files[_up(found, ci.GITHUB)] = ci.github(at_top)
    if answers.ci == "gitlab":
        files[_up(found, ci.GITLAB)] = ci.gitlab(at_top)
    if answers.pre_commit:
        files[_up(found, ci.PRE_COMMIT)] = ci.pre_commit()
    return files


def make(found: Found, answers: Answers) -> Planned:
    """What is there already is never overwritten, and is named with what to do instead."""
    files: dict[str, str] = {}
    kept: list[tuple[str, str]] = []
    for path, text in wanted(found, answers).items():
        there = found.texts.get(path)
        if there is None:
            files[path] = text
        elif there != text:
            kept.append((path, _advice(path)))
    place = _up(found, IGNORE)
    before = found.texts.get(place, "")
    after = ignore.grown(before)
    if after != before:
        files[place] = after
    grown = frozenset({place} if place in found.texts and after != before else ())
    return Planned(files, grown, tuple(kept), tuple(_notes(found, files)))


def paths(found: Found) -> tuple[str, ...]:
    """The files that may be in the way, to be looked at beforehand."""
    above = (IGNORE, ci.GITHUB, ci.GITLAB, ci.PRE_COMMIT)
    return spec.SCHEMA, *(_up(found, path) for path in above)


def _up(found: Found, path: str) -> str:
    return posixpath.normpath(posixpath.join(found.top, path))


def _advice(path: str) -> str:
    name = posixpath.basename(path)
    if name == spec.SCHEMA:
        return "if it is an older one: orchestra schema > orchestra.schema.json"
    if name == ci.GITLAB:
        return "docs/gitlab.md has the jobs to add"
    if name == ci.PRE_COMMIT:
        return "docs/pre-commit.md has the lines to add"
    return "docs/github.md has the jobs to add"


def _notes(found: Found, files: dict[str, str]) -> list[str]:
    notes = []
    if found.queue_migrations:
        first = ", ".join(found.queue_migrations[:3]) + (", …" if len(found.queue_migrations) > 3 else "")
        notes.append(
            f"Queues or cron jobs were made by migrations here ({first}). Where they are live, "
            'orchestra import --db "$DATABASE_URL" --out imported.yaml writes a spec that takes them over.'
        )
    if any("your-org/orchestra" in text or "your-group/orchestra" in text for text in files.values()):
        notes.append(
            "Put the place where you keep orchestra into the pipeline: it says your-org or your-group."
        )
    return notes
