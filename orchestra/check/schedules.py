"""The faults of cron expressions as findings, one kind a rule."""

from __future__ import annotations

from collections.abc import Iterator

from orchestra.check.cron import Kind
from orchestra.check.facts import Facts
from orchestra.check.place import within
from orchestra.check.rule import Finding


def faults(facts: Facts, kind: Kind) -> Iterator[Finding]:
    for s in facts.schedules:
        for fault in s.faults:
            if fault.kind == kind:
                span = within(s.at("cron"), s.trigger.cron or "", fault.start, fault.end - fault.start)
                yield Finding(span, fault.message, fault.help)
