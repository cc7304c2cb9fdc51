"""What is recorded is enough to compile the same Program again, whatever an earlier version wrote into its texts."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest
from acceptance.cases import CASES, Case

from orchestra.history.model import Deployment, Transaction
from orchestra.history.program import program_of, renewed
from orchestra.ir.program import Json, Program
from orchestra.kinds import BY_NAME
from orchestra.kinds.cron_job import CronJob
from orchestra.live.ledger_rows import LedgerRow

AT = datetime(2026, 11, 28, 12, 0, tzinfo=UTC)
ROW = LedgerRow(7, "default", AT, "postgres", "0.1.0", None, None, 1, 1, 2, None, None, 2, "", {})
DEPLOYMENT = Deployment((Transaction(ROW),))


def recorded(program: Program) -> dict[str, dict[str, Json]]:
    """What the registry has after an apply: no defaults, and `protect` only where it is true."""
    found: dict[str, dict[str, Json]] = {}
    for resource in program:
        if BY_NAME[resource.kind].owned:
            values = resource.written()
            if not values.get("protect"):
                values.pop("protect", None)
            found[str(resource.address)] = values
    return found


@pytest.mark.parametrize("case", CASES, ids=str)
def test_the_record_of_a_program_is_the_program(case: Case) -> None:
    program = case.program
    made = program_of(program.project, recorded(program), DEPLOYMENT)
    left_out = {"requirement", "secret", "extension"}
    assert [r for r in made if r.kind not in left_out] == [r for r in program if r.kind not in left_out]
    # A secret that only a door needs is not recorded; those that wake workers are.
    assert {r for r in made if r.kind == "secret"} <= {r for r in program if r.kind == "secret"}
    assert {r for r in made if r.kind == "extension"} <= {r for r in program if r.kind == "extension"}


@pytest.mark.parametrize("case", CASES, ids=str)
def test_the_texts_that_this_version_writes_are_those_that_it_knows(case: Case) -> None:
    assert [renewed(r, case.program.project) for r in case.program] == list(case.program)


@pytest.mark.parametrize("case", CASES, ids=str)
def test_a_command_of_another_version_is_written_anew(case: Case) -> None:
    for job in (r for r in case.program if isinstance(r, CronJob)):
        assert renewed(replace(job, command="call orchestra.former()"), case.program.project) == job


def test_a_job_of_a_key_that_is_not_known_keeps_its_command() -> None:
    job = CronJob("sweep.now", "orchestra:shop:sweep.now", "* * * * *", "call orchestra.sweep()")
    assert renewed(job, "shop") == job
