"""Rules over a spec that could be read: pure, complete, and linear in the number of workloads."""

from __future__ import annotations

from orchestra.check.facts import gather
from orchestra.check.ignores import silence
from orchestra.check.rule import Finding, Rule
from orchestra.check.rules import RULES
from orchestra.diagnostics import Diagnostic
from orchestra.spec.model import Spec
from orchestra.spec.parsing import no_collection

__all__ = ["RULES", "Finding", "Rule", "check"]


def check(spec: Spec) -> tuple[Diagnostic, ...]:
    """Everything that the rules find, in order of place, without what comments in the files silence.

    Never raises for what a spec holds. No clock, disk, environment or connection is used.
    """
    with no_collection():
        facts = gather(spec)
        found = [d for rule in RULES for d in rule.run(facts)]
    kept = silence(found, spec.ignores, {rule.code: rule.ignorable for rule in RULES})
    return tuple(sorted(dict.fromkeys(kept), key=lambda d: (d.span, d.code, d.message)))
