"""A cron job becomes a workload, or a comment that says why it cannot."""

from __future__ import annotations

import re
from typing import Final

from orchestra.classify.budget import sql_budget_ms
from orchestra.importing import durations, schedules, words
from orchestra.importing.model import LeftOut, Made
from orchestra.importing.names import Names, fold
from orchestra.importing.secrecy import concealed, hidden, host_of, suspicion
from orchestra.importing.text import block, flow, harmless, name, quoted, statement
from orchestra.importing.uses import Uses, tokens_of, uses_of
from orchestra.live.inventory import LiveJob
from orchestra.live.model import ServerFacts
from orchestra.report import mask
from orchestra.spec.model import Platform
from orchestra.sql import inspect

_FUNCTION_PATH: Final = re.compile(r"/functions/v1/([A-Za-z][A-Za-z0-9_-]*)")
_OURS: Final = re.compile(r"\Aorchestra:[^:]+:.+", re.S)


def job_of(job: LiveJob, server: ServerFacts, platform: Platform, uses: Uses, names: Names) -> Made | LeftOut:
    """One of this role's jobs, or of another's. Whether its statement and its schedule are sound the rules decide."""
    reason, hint = _against(job, server, uses)
    if reason:
        return left_out(job, reason, hint)
    keys, fault = schedules.written(job.schedule, server.cron_timezone)
    if fault is not None:
        return left_out(job, f"its schedule is {name(job.schedule)}: {fault}")
    return _made(job, keys, server, platform, names)


def left_out(job: LiveJob, reason: str, hint: str = "") -> LeftOut:
    facts = [f"role {words.part(job.username)}", f"schedule {name(mask.text(job.schedule))}"]
    if not job.active:
        facts.append("inactive")
    failing = words.failing(job)
    return LeftOut(
        f"{words.job(job)} ({', '.join(facts)})",
        reason,
        " ".join(filter(None, (hint, failing))),
        shown(job.command),
    )


def shown(command: str) -> tuple[str, ...]:
    """A command as a comment may hold it."""
    text = concealed(command) if hidden(command) else mask.message(command)
    return tuple(statement(text).splitlines()) if text is not None else ()


def _against(job: LiveJob, server: ServerFacts, uses: Uses) -> tuple[str, str]:
    """Why a job cannot be a workload, before anything is known of its statement, and what could be done."""
    if not job.here:
        where = "on another server" if job.database == server.database else f"in database {job.database}"
        return f"it runs {where}", "Import there what is there."
    if job.username != server.role:
        role = words.part(job.username)
        return (
            f"it belongs to role {role}, and a job runs as the role that schedules it",
            f"Connect as {role} to import it.",
        )
    if job.name is not None and _OURS.match(job.name):
        return (
            "an orchestra made it, and nothing here says for which project",
            "Apply that project's own spec with --adopt.",
        )
    if tokens_of(job.command) is None:
        return "it is no SQL that could be read, so its text is not shown", ""
    inspected = inspect(job.command)
    reads = sorted(q for q in uses_of(job.command).reads if q is not None)
    if reads:
        queues = ", ".join(name(q) for q in reads)
        return (
            f"it is the consumer of queue {queues}, whose messages orchestra reads by itself",
            "Its work belongs into the handler of that queue's workload.",
        )
    if any((r.schema, r.name) == ("cron", "job_run_details") for r in inspected.written):
        return (
            "it prunes pg_cron's own notes, which is no work of an app",
            "orchestra prunes those of its own jobs; keep this one for the others.",
        )
    if uses.calls_out and inspected.statements <= 1 and _direct_call(job.command):
        return _call(job.command)
    if inspected.kind == "CALL" and inspected.statements == 1:
        return (
            "it calls a procedure, which may commit, and a handler runs inside a transaction",
            "If it never commits, make it a function, or write the CALL as `run: {sql: …}` yourself.",
        )
    found = suspicion(job.command)
    if found is not None:
        return (
            f"its command seems to hold {found}, and a spec is kept in a repository",
            "Store it in Vault, read it there, and replace the one that was written down.",
        )
    return "", ""


def _direct_call(command: str) -> bool:
    return any(f.schema == "net" or f.name.startswith("http_") for f in inspect(command).functions)


def _call(command: str) -> tuple[str, str]:
    found = _FUNCTION_PATH.search(command)
    host = host_of(command)
    reason = (
        "it makes an HTTP call" + (f" to {host}" if host else "") + ", which nothing repeats when it fails"
    )
    if found is not None:
        return reason, (
            f"It calls the Edge Function {found[1]}: a workload without `run` and with a schedule does that, "
            "and tries again."
        )
    return (
        reason,
        "A workload without `run` and with a schedule can make it in an Edge Function, and tries again.",
    )


def _made(
    job: LiveJob, schedule: dict[str, str], server: ServerFacts, platform: Platform, names: Names
) -> Made:
    # A name that would be starred out must not come back as a workload's.
    plain = job.name if job.name is not None and mask.text(job.name) == job.name else ""
    workload = names.give(fold(plain) or f"job-{job.jobid}", "job")
    adoptable = plain != "" and harmless(plain) == plain
    budget = sql_budget_ms(platform)
    seconds, why = _duration(job, budget, noted="cron.job_run_details" in server.relations)
    form = ", ".join(f"{k}: {quoted(v) if k == 'cron' else v}" for k, v in schedule.items())
    paused = not job.active or not adoptable
    lines = [f"trigger: {{schedule: {{{form}}}}}"]
    if paused:
        lines.append("paused: true")
    lines += [f"# {why}", f"duration: {{max: {durations.spelled(seconds)}}}", "run:"]
    if job.search_path:
        lines.append(f"  search_path: {flow(job.search_path)}")
    lines += block("sql", statement(job.command), 2)
    return Made(
        workload,
        words.job(job),
        tuple(_notes(job, workload, adoptable)),
        tuple(lines),
        f"cron_job.{workload}={job.name}" if adoptable else None,
        paused,
        job.jobid,
    )


def _notes(job: LiveJob, workload: str, adoptable: bool) -> list[str]:
    written = name(mask.text(job.schedule))
    notes = [f"From {words.job(job)}, role {words.part(job.username)}, schedule {written}."]
    if adoptable:
        notes.append(
            "Adopting it unschedules that job and schedules this workload in its place, in one transaction."
        )
    else:
        notes.append(
            "What has no name that a command line can hold cannot be adopted, so this is paused: once it is "
            f"applied, run `select cron.unschedule({job.jobid})` and remove `paused`."
        )
    if not job.active:
        notes.append("The job is inactive, so this is paused.")
    if (failing := words.failing(job)) is not None:
        notes.append(failing)
    return notes


def _duration(job: LiveJob, budget_ms: int, *, noted: bool) -> tuple[int, str]:
    """Seconds, and where the number comes from."""
    if job.runs is None or job.runs.longest_ms is None:
        seconds = durations.guess(budget_ms)
        why = (
            "pg_cron has noted no run of it"
            if noted
            else "this role may not read pg_cron's notes of its runs"
        )
        return seconds, f"A guess: {why}. A run that takes longer is cancelled."
    seconds = durations.generous(job.runs.longest_ms, budget_ms)
    longest = durations.taken(job.runs.longest_ms)
    seen = f"the longest of {job.runs.seen:,} runs" if job.runs.seen > 1 else "the one run"
    return (
        seconds,
        f"From pg_cron's notes: {seen} took {longest}. A run that takes longer than this is cancelled.",
    )
