"""An interval that pg_cron does not have."""

from __future__ import annotations

from collections.abc import Iterator

from orchestra.check.facts import Facts
from orchestra.check.intervals import nearest
from orchestra.check.rule import Finding, Rule
from orchestra.check.words import listed, yaml_duration
from orchestra.ir import cron


def check(facts: Facts) -> Iterator[Finding]:
    for s in facts.schedules:
        every = s.trigger.every_ms
        if every is not None and cron.every(every) is None:
            near = listed(yaml_duration(ms) for ms in nearest(every))
            yield Finding(
                s.at("every"),
                f"pg_cron has no schedule for every {yaml_duration(every)}",
                f"The nearest are {near}: 1 to 59 s, minutes that divide the hour, hours that divide the day, 1d, 7d.",
            )


RULE = Rule(
    code="E409",
    title="`every` cannot be scheduled exactly",
    why=(
        "pg_cron has no schedule that keeps it: `*/7` starts anew each hour, so the last gap would be four "
        "minutes."
    ),
    bad="""\
version: 1
project: shop
workloads:
  purge:
    trigger: {schedule: {every: 7m}} # <-- E409
    duration: {max: 5s}
    run: {sql: "delete from app.sessions where expires_at < now()"}
""",
    good="""\
version: 1
project: shop
workloads:
  purge:
    trigger: {schedule: {every: 6m}}
    duration: {max: 5s}
    run: {sql: "delete from app.sessions where expires_at < now()"}
""",
    check=check,
)
