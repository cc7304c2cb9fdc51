"""From what is in a database to a spec that adopts it. Pure: what was read goes in, a text comes out."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping

from orchestra.check import check
from orchestra.errors import OrchestraError, SpecError, UsageError
from orchestra.importing import jobs, queues, write
from orchestra.importing.blame import blame
from orchestra.importing.model import Imported, LeftOut, Made, Options
from orchestra.importing.names import PROJECT, Names, fold, longest_in
from orchestra.importing.tools import MARKERS, tools_of
from orchestra.importing.traffic import Traffic, traffic_of
from orchestra.importing.triggers import triggers_left_out
from orchestra.live.inventory import Inventory
from orchestra.spec.load import parse_spec
from orchestra.spec.model import Platform

__all__ = ["MARKERS", "Imported", "LeftOut", "Made", "Options", "make"]


def make(inventory: Inventory, options: Options) -> Imported:
    """The spec of what is there and nobody's. Raises UsageError where the project exists already, OrchestraError where
    there is nothing to import.

    What a spec can hold the rules know: a job that they refuse is left out with their reason, until they refuse none.
    """
    project = _project(inventory, options)
    platform = Platform("supabase" if inventory.supabase else "postgres")
    head = write.head(project, platform, options)
    traffic = traffic_of(inventory)
    tools = tuple(tools_of(inventory))
    notes = tuple(_notes(inventory))
    server = inventory.server
    source = f'database "{server.database}" as role {server.role}'
    refused = {jobid: (reason, "") for jobid, reason in options.refused.items()}
    while True:
        made, out = _sorted_out(inventory, platform, traffic, Names(longest_in(project)), refused)
        if not (made or out or tools):
            raise _nothing(inventory)
        command = write.command(options, [m.adopt for m in made if m.adopt])
        text = write.spec(head, source, made, out, tools, notes, command)
        loaded = parse_spec(text, options.file)
        findings = (*loaded.diagnostics, *(check(loaded.spec) if loaded.spec else ()))
        blamed = blame(text, made, findings)
        if loaded.spec is not None and not any(d.is_error for d in findings):
            break
        if not blamed:
            raise SpecError(findings)
        refused |= blamed
    return Imported(
        project,
        text,
        loaded.spec,
        "\n".join(command),
        made,
        out,
        tuple(sorted(_owned(inventory).items())),
        tools,
        notes,
        findings,
    )


def _sorted_out(
    inventory: Inventory,
    platform: Platform,
    traffic: Traffic,
    names: Names,
    refused: Mapping[int, tuple[str, str]],
) -> tuple[tuple[Made, ...], tuple[LeftOut, ...]]:
    """What becomes a workload, and what does not."""
    free = [q for q in inventory.queues if q.owner is None]
    unfit = {q.name: left for q in free if (left := queues.left_out(q, inventory)) is not None}
    fit = [q for q in free if q.name not in unfit]
    # Queues are named first: a name that differs from the queue's own has to be explained to every reader.
    called = {q.name: names.give(fold(q.name, prefix="queue")) for q in fit}
    of_jobs = [
        jobs.left_out(job, *refused[job.jobid])
        if job.jobid in refused
        else jobs.job_of(job, inventory.server, platform, traffic.jobs[job.jobid], names)
        for job in inventory.jobs
        if job.owner is None
    ]
    became = {j.jobid: j.workload for j in of_jobs if isinstance(j, Made) and j.jobid is not None}
    made = (
        *(queues.queue_of(q, called[q.name], inventory.supabase, traffic, became) for q in fit),
        *(item for item in of_jobs if isinstance(item, Made)),
    )
    out = (
        *unfit.values(),
        *(item for item in of_jobs if isinstance(item, LeftOut)),
        *triggers_left_out(inventory, traffic, called),
    )
    return made, out


def _project(inventory: Inventory, options: Options) -> str:
    if options.project is not None:
        if fold(options.project, PROJECT) != options.project:
            raise UsageError(
                f"{options.project!r} is no name of a project",
                "lower-case letters, digits and single hyphens, beginning with a letter, at most 30 characters",
            )
        if options.project in inventory.projects:
            raise UsageError(
                f"project {options.project} is in this database already, and a spec without its workloads would "
                "remove them",
                "give --project another name; the two can be merged by hand later",
            )
        return options.project
    database = inventory.server.database
    wanted = "app" if database in ("postgres", "template1") else fold(database, PROJECT - 3, "db") or "app"
    number, name = 2, wanted
    while name in inventory.projects:
        name, number = f"{wanted}-{number}", number + 1
    return name


def _owned(inventory: Inventory) -> Counter[str]:
    """How many objects each project has there."""
    owners = [q.owner for q in inventory.queues] + [j.owner for j in inventory.jobs]
    owners += [t.owner for t in inventory.triggers]
    return Counter(owner or "another" for owner in owners if owner is not None)


def _notes(inventory: Inventory) -> Iterator[str]:
    """What a reader has to know of the reading itself."""
    server = inventory.server
    for project, number in sorted(_owned(inventory).items()):
        things = "1 object" if number == 1 else f"{number:,} objects"
        yield f"Left out: {things} of project {project}, which orchestra has already."
    if server.pg_cron is not None and not server.superuser:
        yield (
            f"pg_cron shows role {server.role} its own jobs only, unless row security does not hold for it: jobs of "
            "other roles may exist."
        )
    if server.pg_cron is None and server.cron_database not in (None, "", server.database):
        yield f"pg_cron runs in database {server.cron_database}, so cron jobs are to be imported there."
    if (server.cron_timezone or "GMT") not in ("GMT", "UTC", "Etc/UTC"):
        yield (
            f"This server reads schedules in {server.cron_timezone}, and orchestra plans only where cron.timezone is "
            "GMT; each schedule has its timezone written for that day."
        )
    if not inventory.reads_runs and inventory.jobs:
        yield f"Role {server.role} may not read cron.job_run_details, so every duration is a guess."


def _nothing(inventory: Inventory) -> OrchestraError:
    server = inventory.server
    owned = _owned(inventory)
    if owned:
        projects = ", ".join(sorted(owned))
        return OrchestraError(
            f"there is nothing to import in database {server.database}: all that is there belongs to {projects}",
            "orchestra plan with that project's spec shows it",
        )
    cron = (
        "no cron job that role " + server.role + " may see"
        if server.pg_cron is not None
        else f"no pg_cron (it runs in database {server.cron_database})"
        if server.cron_database not in (None, "", server.database)
        else "no pg_cron"
    )
    queues = "no queue" if server.pgmq else "no pgmq"
    return OrchestraError(
        f"there is nothing to import in database {server.database}: {queues} and {cron}",
        "begin with a spec of your own, or name another database or role",
    )
