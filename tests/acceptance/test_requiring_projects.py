"""Projects that require something of each other: proved before anything changes, ordered, and not removed from under
each other."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from engines import Engine

from acceptance.cli import orchestra

BILLING = """\
version: 1
project: billing
platform: {provider: postgres}
workloads:
  charge:
    trigger: manual
    duration: {max: 5s}
    run: {sql: "select 1"}
  report:
    trigger: manual
    duration: {max: 5s}
    queue: {name: monthly}
    run: {sql: "select 1"}
"""
SHOP = """\
version: 1
project: shop
platform: {provider: postgres}
requires:
  - {project: billing, workload: charge}
  - {name: monthly-queue, project: billing, queue: monthly}
workloads:
  order:
    trigger: manual
    duration: {max: 5s}
    run: {sql: "select 1"}
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "billing.yaml").write_text(BILLING)
    (tmp_path / "shop.yaml").write_text(SHOP)
    return tmp_path


def test_in_the_wrong_order_it_says_what_comes_first(embedded: Engine, folder: Path) -> None:
    at = {"cwd": folder, "db": embedded.dsn}
    for words in (["plan"], ["apply", "--auto-approve"]):
        alone = orchestra(words[0], "shop.yaml", *words[1:], **at)
        assert alone.code == 1, alone.text
        assert "needs workload charge of project billing in this database" in alone.text
        assert "requirement monthly-queue does not hold" in alone.text
        assert "apply billing first" in alone.text
        assert "relation" not in alone.text
    assert embedded.execute("select to_regnamespace('orchestra') is null") == [(True,)]
    assert orchestra("apply", "billing.yaml", "--auto-approve", **at).code == 0
    assert orchestra("apply", "shop.yaml", "--auto-approve", **at).code == 0
    assert orchestra("plan", "shop.yaml", "--detailed-exitcode", **at).code == 0


def test_given_together_they_are_ordered_and_applied_in_one_go(embedded: Engine, folder: Path) -> None:
    at = {"cwd": folder, "db": embedded.dsn}
    planned = orchestra("plan", "shop.yaml", "billing.yaml", **at)
    assert planned.code == 0, planned.text
    assert planned.err.index("Project billing (1 of 2)") < planned.err.index("Project shop (2 of 2)")
    done = orchestra("apply", "shop.yaml", "billing.yaml", "--auto-approve", **at)
    assert (done.code, done.text.count("Apply complete!")) == (0, 2), done.text
    assert orchestra("plan", "shop.yaml", "billing.yaml", "--detailed-exitcode", **at).code == 0


def test_what_another_project_requires_is_not_removed(embedded: Engine, folder: Path) -> None:
    at = {"cwd": folder, "db": embedded.dsn}
    assert orchestra("apply", "shop.yaml", "billing.yaml", "--auto-approve", **at).code == 0
    gone = orchestra("destroy", "billing.yaml", "--allow-destroy", "--auto-approve", **at)
    assert gone.code == 5
    assert "project shop of this database requires workload charge" in gone.text
    assert "project shop of this database requires queue monthly" in gone.text
    less = BILLING.partition("  report:")[0]
    (folder / "billing.yaml").write_text(less)
    smaller = orchestra("apply", "billing.yaml", "--allow-destroy", "--auto-approve", **at)
    assert (smaller.code, "requires queue monthly" in smaller.text) == (5, True), smaller.text
    assert "workload charge" not in smaller.text
    # Where nobody asks for it any more it may go, and taking a requirement back deletes nothing.
    (folder / "shop.yaml").write_text(
        SHOP.replace("  - {name: monthly-queue, project: billing, queue: monthly}\n", "")
    )
    assert orchestra("apply", "shop.yaml", "--auto-approve", **at).code == 0
    assert orchestra("apply", "billing.yaml", "--allow-destroy", "--auto-approve", **at).code == 0
    assert orchestra("destroy", "shop.yaml", "--allow-destroy", "--auto-approve", **at).code == 0
    assert orchestra("destroy", "billing.yaml", "--allow-destroy", "--auto-approve", **at).code == 0


@pytest.mark.parametrize(
    ("before", "after", "said"),
    [
        ("  charge:\n", "  bill:\n    moved: {from: charge}\n", ["workload charge"]),
        ("name: monthly", "name: quarterly", ["queue monthly"]),
        ("project: billing", "project: money\nmoved: {from: billing}", ["workload charge", "queue monthly"]),
    ],
)
def test_what_another_project_requires_keeps_its_name(
    embedded: Engine, folder: Path, before: str, after: str, said: list[str]
) -> None:
    at = {"cwd": folder, "db": embedded.dsn}
    assert orchestra("apply", "shop.yaml", "billing.yaml", "--auto-approve", **at).code == 0
    (folder / "billing.yaml").write_text(BILLING.replace(before, after))
    refused = orchestra("apply", "billing.yaml", "--auto-approve", **at)
    assert refused.code == 5, refused.text
    named = re.findall(r"project shop of this database requires (\w+ \w+)", " ".join(refused.text.split()))
    assert sorted(set(named)) == sorted(said), refused.text
    assert "once it has its new name, require that" in " ".join(refused.text.split())
    # Renaming what nobody asks for is as free as ever.
    (folder / "shop.yaml").write_text(
        SHOP.partition("requires:")[0] + "workloads:" + SHOP.partition("workloads:")[2]
    )
    assert orchestra("apply", "shop.yaml", "--auto-approve", **at).code == 0
    renamed = orchestra("apply", "billing.yaml", "--auto-approve", **at)
    assert renamed.code == 0, renamed.text


def test_check_knows_what_the_other_spec_lacks_and_shows_both_places(folder: Path) -> None:
    (folder / "shop.yaml").write_text(SHOP.replace("workload: charge", "workload: chrage"))
    found = orchestra("check", "shop.yaml", "billing.yaml", cwd=folder)
    assert found.code == 1
    assert "error[E223]" in found.out
    assert "--> shop.yaml:5:34" in found.out
    assert "::: billing.yaml:2:10" in found.out
    assert "charge" in found.text
    assert (
        orchestra("plan", "shop.yaml", "billing.yaml", cwd=folder, db="postgresql://127.0.0.1:1/x").code == 1
    )


def test_a_circle_through_requires_shows_every_place(folder: Path) -> None:
    (folder / "billing.yaml").write_text(BILLING + "composition: {after: [shop]}\n")
    found = orchestra("check", "shop.yaml", "billing.yaml", "--format", "json", cwd=folder)
    (circle,) = [d for d in json.loads(found.out)["diagnostics"] if d["code"] == "E222"]
    assert "billing after shop after billing" in circle["message"]
    text = orchestra("check", "shop.yaml", "billing.yaml", cwd=folder).out
    assert "billing.yaml:14:23" in text
    assert "shop.yaml:5:15" in text


def test_migrations_and_diff_know_it(embedded: Engine, folder: Path) -> None:
    done = orchestra("migrate", "shop.yaml", "billing.yaml", cwd=folder)
    assert done.code == 0, done.text
    files = sorted((folder / "supabase/migrations").glob("*.sql"))
    assert ["billing" in f.name for f in files] == [True, False], [f.name for f in files]
    shop = files[1].read_text()
    refused = embedded.psql("set client_min_messages = warning;\n" + shop, check=False)
    assert "requirement billing/charge does not hold" in refused
    assert "shop needs workload charge of project billing in this database" in refused
    (folder / "before.yaml").write_text(
        SHOP.partition("requires:")[0] + "workloads:" + SHOP.partition("workloads:")[2]
    )
    compared = orchestra("diff", "before.yaml", "shop.yaml", cwd=folder)
    assert compared.code == 0, compared.text
    assert "dependency.billing/workload/charge" in compared.text


def test_doctor_tells_the_order_and_what_each_waits_for(embedded: Engine, folder: Path) -> None:
    (folder / "shop.yaml").write_text(
        SHOP + "composition: {stage: webhooks, priority: low, after: [schema]}\n"
    )
    with embedded.run_ticker():
        found = orchestra("doctor", "shop.yaml", "billing.yaml", cwd=folder, db=embedded.dsn)
    assert "1. billing" in found.out
    assert "2. shop (stage webhooks, priority low)" in found.out
    assert "after billing (requires: shop.yaml:5:15)" in found.text
    assert "after schema (not in this database)" in found.text


def test_within_a_stage_priority_decides_and_else_the_order_given(folder: Path) -> None:
    for name, more in (
        ("alpha", "{stage: one, priority: low}"),
        ("beta", "{stage: two}"),
        ("gamma", "{stage: one, priority: critical}"),
    ):
        text = SHOP.replace("project: shop", f"project: {name}").replace("  order:", f"  {name}-order:")
        text = text.partition("requires:")[0] + "workloads:" + text.partition("workloads:")[2]
        (folder / f"{name}.yaml").write_text(text + f"composition: {more}\n")
    from orchestra.check.units import ordered
    from orchestra.spec import load_spec

    specs = [load_spec((folder / f"{n}.yaml",)).spec for n in ("alpha", "beta", "gamma")]
    order, circle = ordered([s for s in specs if s is not None])
    assert ([s.project for s in order], circle) == (["gamma", "alpha", "beta"], ())
