"""What a person may say about a plan."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from orchestra.ir.program import Address
from orchestra.plan.approvals import Approval
from orchestra.plan.identity import Meant


@dataclass(frozen=True, slots=True)
class PlanOptions:
    """`allow` holds hazards as refusals print them (`messages:queue.import=120`), `adopt` addresses, of which that
    of a cron job may name the job to take over (`cron_job.purge=nightly purge`).

    `protect` and `environment_paused` are what the spec says of the environment; `workload` narrows the plan to one
    workload and what it cannot do without. An empty `environment` is whichever the database holds.
    `where` says in words how the database was chosen. `approvals` are the committed ones; with `approvals_required`
    (a key of the environment) no flag stands in for one, and `approve_command` is what writes it.
    """

    environment: str = "default"
    environment_paused: bool = False
    protect: bool | None = None
    workload: str | None = None
    allow_destroy: bool = False
    allow: frozenset[str] = frozenset()
    adopt: frozenset[str] = frozenset()
    resume_paused: bool = False
    on_delete: str | None = None
    """What becomes of the queues of removed workloads whose spec has not said so: a policy of `plan.removal`."""
    accept: frozenset[str] = frozenset()
    """Addresses of what was paused or resumed by hand and shall stay so, unreported from now on."""
    revert: frozenset[str] = frozenset()
    """Addresses of the same that shall be as the spec says again; `resume_paused` reverts all of them."""
    only: frozenset[str] | None = None
    """Nothing but these workloads and what they cannot do without, and nothing is removed."""

    beside: Mapping[str, frozenset[Address]] = field(default_factory=dict)
    """Projects that the same command applies before this one, each with what it makes: they count as there."""

    meant: Meant = field(default_factory=Meant)
    """Which Supabase project the database has to be."""

    @property
    def names(self) -> frozenset[str] | None:
        """The workloads that the plan is narrowed to, None where it is not."""
        return self.only if self.workload is None else frozenset({self.workload})

    def adopts(self, address: Address) -> bool:
        """Whether `--adopt` names it, alone or with the object that it shall take over."""
        return any(word.partition("=")[0] == str(address) for word in self.adopt)

    def adopted_from(self, address: Address) -> str | None:
        """The name of the object that `--adopt ADDRESS=NAME` gives to it."""
        names = (word.partition("=")[2] for word in self.adopt if word.partition("=")[0] == str(address))
        return next((name for name in names if name), None)

    where: str = ""
    approvals: tuple[Approval, ...] = ()
    approvals_required: bool = False
    approve_command: str = 'orchestra approve --reason "…"'
