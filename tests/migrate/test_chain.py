"""A dozen versions of a spec, each migrated: as by direct applies, and as built afresh."""

from __future__ import annotations

import pytest
from acceptance.live import apply, assert_settled, dump, plan, rows
from chain import CHAIN, SETUP
from engines import Engine
from engines.supabase import install_pgmq
from repo import Repo, run, spec_of

from orchestra.pipeline import PlanOptions

DESTROY = PlanOptions(allow_destroy=True)


def prepare(engine: Engine) -> None:
    if not engine.is_embedded:
        install_pgmq(engine)
    engine.psql(SETUP)


def test_a_chain_of_migrations_is_what_applies_are(engine: Engine, repo: Repo) -> None:
    """Run by psql and by what stands in for Supabase's runner, in turn."""
    prepare(engine)
    migrated = []
    for number, step in enumerate(CHAIN):
        run(engine, repo.wrote(step.spec, *step.approved), by="push" if number % 2 else "psql")
        found = plan(engine, spec_of(step.spec))
        # The gate alone: a database built from migrations starts paused.
        assert [str(c.address) for c in found.changes] == ["project.site"], step.name
        assert {f.path for f in found.changes[0].fields} == {"environment", "gate"}
        assert found.blockers == ()
        migrated.append((step.name, dump(engine), rows(engine)))
    assert len(migrated) == len(CHAIN) > 12

    engine.reset()
    prepare(engine)
    for step, (name, schema, content) in zip(CHAIN, migrated, strict=True):
        apply(engine, spec_of(step.spec), DESTROY)
        assert dump(engine) == schema, name
        assert rows(engine) == content, name


@pytest.mark.engines("embedded", "pg17")
@pytest.mark.parametrize("last", [8, 15, 19])
def test_any_version_of_the_chain_equals_a_fresh_build_of_it(engine: Engine, repo: Repo, last: int) -> None:
    prepare(engine)
    for step in CHAIN[: last + 1]:
        run(engine, repo.wrote(step.spec, *step.approved))
    spec = spec_of(CHAIN[last].spec)
    apply(engine, spec)
    assert_settled(engine, spec)
    schema, content = dump(engine), rows(engine)
    engine.reset()
    prepare(engine)
    apply(engine, spec)
    assert dump(engine) == schema
    assert rows(engine) == content
