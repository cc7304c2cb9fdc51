"""A former name that is still in use."""

from __future__ import annotations

from collections.abc import Iterator

from orchestra.check.facts import Facts
from orchestra.check.rule import Finding, Rule


def check(facts: Facts) -> Iterator[Finding]:
    yield from _project(facts)
    names = {*facts.by_name, *facts.spec.broken}
    claimed = dict[str, str]()
    for w in facts.workloads:
        if w.moved is None:
            continue
        if w.moved == w.name:
            fault, help = f"`{w.name}` already has this name", "Remove `moved`."
        elif w.moved in names:
            fault = f"the workload `{w.moved}` still exists"
            help = f"Remove `{w.moved}` from the spec, or `moved` from `{w.name}`."
        elif w.moved in claimed:
            fault = f"`{claimed[w.moved]}` has moved from `{w.moved}` too"
            help = "Only one workload can take over a queue; remove `moved` from the other."
        else:
            claimed[w.moved] = w.name
            continue
        yield Finding(w.at("moved.from"), fault, help)


def _project(facts: Facts) -> Iterator[Finding]:
    if facts.spec.moved == facts.spec.project:
        where = facts.spec.at("moved.from")
        yield Finding(where, f"the project `{facts.spec.project}` already has this name", "Remove `moved`.")


RULE = Rule(
    code="E211",
    title="`moved.from` names a workload that exists",
    why=(
        "A rename moves the queue and its messages to the new name; two owners of one name cannot both have "
        "them."
    ),
    bad="""\
version: 1
project: shop
workloads:
  mailer:
    trigger: manual
    duration: {max: 40s}
  send-mail:
    trigger: manual
    duration: {max: 40s}
    moved: {from: mailer} # <-- E211
""",
    good="""\
version: 1
project: shop
workloads:
  send-mail:
    trigger: manual
    duration: {max: 40s}
    moved: {from: mailer}
""",
    check=check,
)
