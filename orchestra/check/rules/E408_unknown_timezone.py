"""A zone that nobody keeps."""

from __future__ import annotations

from collections.abc import Iterator

from orchestra.check.facts import Facts
from orchestra.check.rule import Finding, Rule
from orchestra.check.timezones import known
from orchestra.check.words import near


def check(facts: Facts) -> Iterator[Finding]:
    for s in facts.schedules:
        zone = s.trigger.timezone
        if zone is None or zone in known():
            continue
        exact = next((z for z in sorted(known()) if z.lower() == zone.lower()), None) or near(zone, known())
        help = (
            f"Did you mean `{exact}`?"
            if exact
            else "Write an IANA name such as `Europe/Berlin`, or leave it out for UTC."
        )
        yield Finding(s.at("timezone"), f"there is no time zone `{zone}`", help)


RULE = Rule(
    code="E408",
    title="A time zone is not known",
    why="The server could not tell what local time it is, and the schedule would never fire.",
    bad="""\
version: 1
project: shop
workloads:
  report:
    trigger: {schedule: {cron: "0 3 * * *", timezone: Europe/Berln}} # <-- E408
    duration: {max: 20s}
""",
    good="""\
version: 1
project: shop
workloads:
  report:
    trigger: {schedule: {cron: "0 3 * * *", timezone: Europe/Berlin}}
    duration: {max: 20s}
""",
    check=check,
)
