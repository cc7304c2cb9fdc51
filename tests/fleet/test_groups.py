"""Plans that are alike are read once, and what differs is never hidden by it."""

from __future__ import annotations

from dataclasses import replace

from orchestra.fleet.groups import ITS_OWN, grouped
from orchestra.fleet.model import Outcome, Result
from orchestra.fleet.report import Report
from orchestra.ir.program import Address
from orchestra.plan.model import (
    Action,
    Blocker,
    Category,
    Change,
    Condition,
    Fact,
    FieldChange,
    Hazard,
    Plan,
    Target,
)
from orchestra.report import fleet_text

JOB = Change(
    Address("cron_job", "nightly"),
    Action.UPDATE,
    Category.RESCHEDULE,
    ("the spec changed schedule",),
    fields=(FieldChange("schedule", "0 3 * * *", "0 4 * * *"),),
    facts=(Fact("next", "2026-11-29 04:00:00 UTC"),),
    statements=("select cron.schedule('orchestra:shop:nightly', '0 4 * * *', 'x')",),
)


def project(name: str) -> Change:
    return Change(
        Address("project", "shop"),
        Action.CREATE,
        Category.BEHAVIOUR,
        ("new in the spec",),
        fields=(FieldChange("environment", None, name), FieldChange("gate", None, "open")),
        statements=(
            f"""select orchestra.claim('shop', 'project.shop', 'shop', '{{"environment": "{name}"}}')""",
            f"select orchestra.register_project('shop', '{name}', 'open', null)",
        ),
    )


def drop(messages: int, *, approved: bool = False) -> Change:
    flag = f"--allow messages:queue.old={messages}"
    return Change(
        Address("queue", "old"),
        Action.DELETE,
        Category.DATA,
        ("no longer in the spec",),
        hazards=(Hazard("messages", f"loses {messages}", True, approved, flag),),
        facts=(Fact("messages", f"{messages} waiting"),),
        statements=(
            f"select orchestra.drop_queue('old', {messages})",
            "select orchestra.release('shop', 'queue.old')",
        ),
        before=f"hash-{messages}",
    )


def plan(name: str, *changes: Change, version: str = "17.6") -> Plan:
    target = Target(f"{name}.example.com", name, "postgres", version, name)
    blockers = tuple(
        Blocker(h.code, c.address, h.message, f"approve it with {h.approval}")
        for c in changes
        for h in c.hazards
        if not h.approved
    )
    return Plan("shop", target, "0.1.0", changes, blockers=blockers)


def groups(*plans: Plan) -> list[list[str]]:
    return [list(g.environments) for g in grouped({p.target.environment: p for p in plans})]


def test_the_same_change_is_one_plan_whatever_the_database_is_called() -> None:
    plans = [plan(n, project(n), replace(JOB, before=n)) for n in ("a", "b", "c")]
    (group,) = grouped({p.target.environment: p for p in plans})
    assert group.environments == ("a", "b", "c")
    own = group.plan.changes[0]
    assert own.fields[0].after == ITS_OWN
    assert all("'a'" not in s and '"a"' not in s for s in own.statements)
    assert group.plan.changes[1].facts == JOB.facts
    assert (group.plan.target.host, group.plan.target.environment) == ("", "")


def test_another_statement_field_reason_or_action_is_another_plan() -> None:
    others = [
        replace(JOB, statements=("select 1",)),
        replace(JOB, fields=(FieldChange("schedule", "0 2 * * *", "0 4 * * *"),)),
        replace(JOB, reasons=("changed outside orchestra",)),
        replace(JOB, drift=True),
        replace(JOB, action=Action.REPLACE),
        replace(JOB, hazards=(Hazard("table_lock", "takes a lock"),)),
    ]
    for other in others:
        assert groups(plan("a", JOB), plan("b", other), plan("c", JOB)) == [["a", "c"], ["b"]]
    assert groups(plan("a", JOB), plan("b", JOB, project("b"))) == [["a"], ["b"]]


def test_another_blocker_or_condition_is_another_plan() -> None:
    blocked = replace(
        plan("b", JOB), blockers=(Blocker("role", Address("project", "shop"), "as somebody", "do"),)
    )
    paused = replace(plan("c", JOB), conditions=(Condition("paused_by_hand", JOB.address, "stays so"),))
    assert groups(plan("a", JOB), blocked, paused, plan("d", JOB)) == [["a", "d"], ["b"], ["c"]]


def test_a_flag_that_one_database_had_use_for_is_no_condition_of_the_others() -> None:
    unused = Condition("unused_flag", JOB.address, "--allow x: this plan has no such hazard")
    without, met = replace(plan("a", JOB), conditions=(unused,)), plan("b", JOB)
    (group,) = grouped({"a": without, "b": met})
    assert group.plan.conditions == ()
    (alone,) = grouped({"a": without, "b": replace(met, conditions=(unused,))})
    assert alone.plan.conditions == (unused,), "nobody had use for it"


def test_messages_are_counted_for_each_database() -> None:
    plans = {p.target.environment: p for p in (plan("a", drop(7)), plan("b", drop(1204)))}
    (group,) = grouped(plans)
    assert [(a.environment, a.approval) for a in group.approvals] == [
        ("a", "--allow messages:queue.old=7"),
        ("b", "--allow messages:queue.old=1204"),
    ]
    (change,) = group.plan.changes
    assert change.facts == ()
    assert change.statements[0] == "select orchestra.drop_queue('old', (its own number))"
    text = fleet_text.plans([group])
    assert "1204" in text
    assert "loses 7 to 1,204" in text
    assert group.plan.blockers[0].message == change.hazards[0].message


def test_dangers_that_differ_in_more_than_numbers_are_told_by_each_database() -> None:
    def other(n: str, words: str) -> Plan:
        change = drop(7)
        return plan(n, replace(change, hazards=(replace(change.hazards[0], message=words),)))

    for words in ("loses all", "loses seven or more"):
        (group,) = grouped({"a": other("a", "loses 7"), "b": other("b", words)})
        assert "by its own numbers" in group.plan.changes[0].hazards[0].message


def test_a_danger_that_is_approved_is_apart_from_one_that_is_not() -> None:
    assert groups(plan("a", drop(7, approved=True)), plan("b", drop(8))) == [["a"], ["b"]]


def test_a_danger_that_all_share_needs_no_list() -> None:
    plans = {n: plan(n, drop(7)) for n in ("a", "b")}
    (group,) = grouped(plans)
    assert group.approvals == ()
    assert group.plan.blockers == plans["a"].blockers


def test_what_there_is_of_servers_stands_in_the_head() -> None:
    (group,) = grouped({"a": plan("a", JOB, version="17.6"), "b": plan("b", JOB, version="15.8")})
    assert "PostgreSQL 15.8, 17.6" in fleet_text.plans([group])


def test_a_plan_of_its_own_is_shown_whole() -> None:
    text = fleet_text.plans(grouped({"a": plan("a", JOB)}))
    assert "a on a.example.com" in text
    assert "1 database, a plan of its own: a" in text


def test_the_table_of_an_apply() -> None:
    rows = (
        Result("tenant-a", Outcome.DONE, "a on db", 5, 1, 0, 1.25, (3,)),
        Result(
            "tenant-b",
            Outcome.FAILED,
            "b on db",
            seconds=0.1,
            error="no \x1b[31msuch table",
            remedy="make it",
        ),
        Result("tenant-c", Outcome.FAILED, "c on db", seconds=0.1, error="no such table", remedy="make it"),
        Result("tenant-d", Outcome.DONE, "d on db", 1200, 0, 0, 2, (3, 4, 5)),
        Result("tenant-e", Outcome.NOT_BEGUN, error="the run was interrupted before its turn"),
    )
    text = fleet_text.table(Report("apply", "shop", "0.1.0", rows, (), 8, 3.5, 1))
    assert (
        text
        == """\
Environment  Database  Outcome      Add  Change  Destroy    Time  Deployment
tenant-a     a on db   done           5       1        0   1.2 s  #3
tenant-b     b on db   failed         -       -        -  100 ms  -
  why: no \\x1b[31msuch table
  do:  make it
tenant-c     c on db   failed         -       -        -  100 ms  -
  why: no such table
tenant-d     d on db   done       1,200       0        0   2.0 s  #3-#5
tenant-e     -         not begun      -       -        -       -  -
  why: the run was interrupted before its turn

5 databases: 2 done, 2 failed, 1 not begun, in 3.5 s.
"""
    )
