"""`orchestra plan` where nothing has changed, against `terraform plan` of as many simple resources."""

from __future__ import annotations

import json
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

from benchmarks import applying, servers, specs
from benchmarks.measure import ORCHESTRA, Sample, best, in_turn, run
from benchmarks.result import Figure, Unmeasured
from benchmarks.servers import Engine

QUEUES = 5_000
TERRAFORM_BUDGET = 1 / 3


def measure(*, quick: bool) -> Iterator[Figure]:
    number = 500 if quick else QUEUES
    with tempfile.TemporaryDirectory() as folder, servers.new_servers() as new:
        yield from _measure(new(), Path(folder), number, repetitions=3)


def _measure(engine: Engine, folder: Path, number: int, repetitions: int) -> Iterator[Figure]:
    applying.apply(engine, folder, number)
    servers.settle(engine)
    spec = specs.queues(number).save(folder)
    command = [*ORCHESTRA, "plan", str(spec), "--db", engine.dsn]
    found = json.loads(_json_of(run([*command, "--format", "json"]).stdout))
    if found["changes"]:
        raise Unmeasured(f"the plan after an apply is not empty: {len(found['changes'])} changes")
    runs = in_turn({"plan": lambda: run(command), "terraform": _terraform(folder, number)}, repetitions)
    took, other = best(runs["plan"]), best(runs["terraform"])
    name = f"plan of {number:,} queues and jobs"
    basis = f"{took:.2f} s; terraform {other:.2f} s for {number:,} terraform_data"
    yield Figure(name, took / other, "x", TERRAFORM_BUDGET, basis)
    yield Figure(name, found["round_trips"], "round trips")
    yield Figure(name, max(s.peak_mb for s in runs["plan"]), "MB", None, "peak resident memory")


def _json_of(text: str) -> str:
    """Notes go to stderr, which is caught with stdout."""
    return text[text.index("{") : text.rindex("}") + 1]


def _terraform(folder: Path, number: int) -> Callable[[], Sample]:
    terraform = shutil.which("terraform") or shutil.which("tofu")
    if terraform is None:
        raise Unmeasured("there is no terraform and no tofu on the PATH to compare with")
    root = folder / "terraform"
    root.mkdir()
    (root / "main.tf.json").write_text(specs.terraform(number), encoding="utf-8")
    quiet = {"CHECKPOINT_DISABLE": "1", "TF_IN_AUTOMATION": "1", "TF_CLI_CONFIG_FILE": os.devnull}

    def call(*arguments: str) -> Sample:
        return run([terraform, *arguments, "-no-color"], env=quiet, cwd=root)

    call("init")
    version = json.loads(call("version", "-json").stdout)["terraform_version"]
    (root / "terraform.tfstate").write_text(specs.terraform_state(number, version), encoding="utf-8")
    if "No changes" not in (said := call("plan").stdout):
        raise Unmeasured(f"terraform does not take the state that was written for it: {said[-400:]}")
    return lambda: call("plan")
