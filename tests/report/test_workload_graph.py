"""The graph of the workloads: nodes, edges, and what a plan marks."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import made_plans as plans
import pytest

from orchestra import library
from orchestra.plan.model import Action, Plan
from orchestra.report import review
from orchestra.report.html.lane_svg import svg
from orchestra.report.workload_graph import Lane, Node, lanes
from orchestra.spec.model import Spec


@pytest.fixture(scope="module")
def spec() -> Spec:
    return library.load(Path(__file__).parent / "shop.yaml")


@pytest.fixture(scope="module")
def drawn(spec: Spec) -> dict[str, Lane]:
    return {lane.workload: lane for lane in lanes(review.of_plan(plans.TWENTY, spec))}


def node(lane: Lane, title: str) -> Node:
    (found,) = [n for row in lane.rows for n in row if n.title == title]
    return found


def titles(lane: Lane) -> list[list[str]]:
    return [[n.title for n in row] for row in lane.rows]


def test_a_queue_lies_between_its_triggers_and_its_handler(drawn: dict[str, Lane]) -> None:
    lane = drawn["price-update"]
    assert titles(lane) == [["table", "schedule", "manual"], ["price_update"], ["SQL"], ["dead letters"]]
    into = {(edge.start, edge.end) for edge in lane.edges}
    assert {((0, 0), (1, 0)), ((0, 1), (1, 0)), ((0, 2), (1, 0)), ((1, 0), (2, 0))} <= into
    assert [edge.failure for edge in lane.edges if edge.end == (3, 0)] == [True]
    assert lane.moved_from == "reprice"


def test_a_pipeline_is_drawn_step_by_step(drawn: dict[str, Lane]) -> None:
    lane = drawn["nightly-report"]
    assert titles(lane)[1:] == [
        ["nightly_report"], ["collect"], ["render", "archive"], ["publish"], ["dead letters"],
    ]  # fmt: skip
    assert node(lane, "render").note == "each of collect"
    into_publish = {edge.start for edge in lane.edges if edge.end == (4, 0)}
    assert into_publish == {(3, 0), (3, 1)}


def test_what_waits_behind_the_answer_has_no_queue(drawn: dict[str, Lane]) -> None:
    assert titles(drawn["relay-webhook"]) == [["http"], ["Edge Function"]]


def test_failures_lead_from_one_workload_to_another(drawn: dict[str, Lane]) -> None:
    assert node(drawn["bulk-import"], "on failure").link == "notify-team"
    callers = [n.link for n in drawn["notify-team"].rows[0] if n.title == "failure of"]
    assert callers == ["bulk-import", "resize-image"]


def test_changes_mark_the_very_nodes_that_they_touch(drawn: dict[str, Lane]) -> None:
    assert node(drawn["nightly-report"], "schedule").action is Action.UPDATE
    assert node(drawn["nightly-report"], "collect").action is None
    assert node(drawn["send-receipt"], "table").action is Action.CREATE
    assert node(drawn["thumbnails"], "thumbnails").action is Action.REPLACE
    assert drawn["thumbnails"].action is Action.REPLACE
    assert node(drawn["bulk-import"], "manual").action is Action.REPLACE
    assert drawn["relay-webhook"].action is None


def test_what_is_gone_from_the_spec_is_drawn_from_the_plan(drawn: dict[str, Lane]) -> None:
    lane = drawn["old-import"]
    assert not lane.declared
    assert titles(lane) == [["old_import"]]
    assert node(drawn["purge-sessions"], "schedule").note == "*/15 * * * *"


def test_the_gravest_come_first_and_what_stays_comes_last(drawn: dict[str, Lane]) -> None:
    names = list(drawn)
    assert names[0] == "old-import"
    assert set(names[-2:]) == {"notify-team", "relay-webhook"}


def test_jobs_that_no_workload_owns_are_no_workload() -> None:
    tick = replace(plans.RESCHEDULE, address=plans.RESCHEDULE.address._replace(name="tick.5s"))
    assert lanes(review.of_plan(Plan("shop", plans.TARGET, "0.1.0", (tick,)))) == []


def test_no_picture_has_words_that_run_over_its_edge(drawn: dict[str, Lane], spec: Spec) -> None:
    wide = replace(
        drawn["nightly-report"], rows=(tuple(Node("work", "w" * 80, "n" * 80) for _ in range(7)),), edges=()
    )
    for lane in (*drawn.values(), wide):
        for position, part in enumerate(svg(lane).split("<text")[1:]):
            shown = part.partition(">")[2].partition("</text>")[0]
            assert len(shown) <= 30, (lane.workload, position, shown)
