"""More jobs at once than pg_cron is advised to run."""

from __future__ import annotations

from collections.abc import Iterator

from orchestra import platform as limits
from orchestra.check.facts import Facts
from orchestra.check.jobs import busiest
from orchestra.check.rule import Finding, Rule


def check(facts: Facts) -> Iterator[Finding]:
    jobs = busiest(facts)
    if jobs.total <= limits.CRON_ADVISED_JOBS:
        return
    parts = [
        (jobs.consumers, "SQL consumers"),
        (jobs.ticks, "ticks" if jobs.ticks > 1 else "tick"),
        (jobs.schedules, f"schedules at {jobs.when}"),
        (jobs.housekeeping, "housekeeping"),
    ]
    what = ", ".join(f"{n} {name}" for n, name in parts if n)
    over = jobs.total > limits.CRON_MAX_RUNNING
    yield Finding(
        facts.spec.at("workloads", key=True),
        f"{jobs.total} cron jobs may run at once, and {limits.CRON_ADVISED_JOBS} are advised: {what}",
        "Lower `concurrency.limit` of SQL workloads, give queues the same `poll_interval`, and spread schedules over "
        "the hour.",
        f"pg_cron runs {limits.CRON_MAX_RUNNING} jobs by default (cron.max_running_jobs); the others wait."
        if over
        else "",
    )


RULE = Rule(
    code="W311",
    title="More cron jobs may run at once than is advised",
    why=(
        "Each running job is a connection; above the advised number they crowd out the app, and jobs start "
        "late."
    ),
    bad="""\
version: 1
project: shop
workloads: # <-- W311
  resize: {trigger: manual, duration: {max: 5s}, concurrency: {limit: 4}, run: {sql: select app.resize(:payload)}}
  notify: {trigger: manual, duration: {max: 5s}, concurrency: {limit: 4}, run: {sql: select app.notify(:payload)}}
""",
    good="""\
version: 1
project: shop
workloads:
  resize: {trigger: manual, duration: {max: 5s}, concurrency: {limit: 2}, run: {sql: select app.resize(:payload)}}
  notify: {trigger: manual, duration: {max: 5s}, concurrency: {limit: 2}, run: {sql: select app.notify(:payload)}}
""",
    check=check,
)
