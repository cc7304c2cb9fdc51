"""A role that cannot see what is there is refused; it is never told that there is nothing."""

from __future__ import annotations

import pytest
from apply.shop import QUEUE, Shop, assert_empty, codes, said
from engines import Engine

from orchestra import pipeline
from orchestra.errors import BlockedError, ConnectError
from orchestra.pipeline import PlanOptions


def _plan_as(shop: Shop, role: str, **options: object) -> pipeline.Plan:
    database = shop.another(shop.engine.url(user=role))
    from apply.shop import spec_of

    return pipeline.plan(database, spec_of(QUEUE), PlanOptions(**options))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("grants", "says"),
    [
        ("", "may not use the schemas cron, orchestra, pgmq"),
        ("grant usage on schema pgmq, orchestra to b", "may not use the schema cron"),
        (
            "grant usage on schema pgmq, orchestra, cron to b; revoke select on cron.job from public",
            "cannot see cron jobs",
        ),
        (
            "grant usage on schema pgmq, orchestra, cron to b",
            "cannot see what is in orchestra.contract, orchestra.project",
        ),
        (
            "grant usage on schema pgmq, orchestra, cron to b; "
            "grant select on all tables in schema orchestra, pgmq to b",
            # Row security would show it empty tables.
            "cannot see what is in orchestra.contract, orchestra.project, orchestra.reader, orchestra.registry",
        ),
    ],
)
def test_a_role_without_rights_is_refused_by_name(shop: Shop, grants: str, says: str) -> None:
    shop.apply(QUEUE)
    shop.engine.psql(f"create role b login; {grants}")
    with pytest.raises(ConnectError, match=says) as caught:
        _plan_as(shop, "b")
    assert "role b" in caught.value.message
    assert caught.value.remedy


def test_a_second_role_that_sees_everything_is_refused_by_the_projects_owner(shop: Shop) -> None:
    shop.apply(QUEUE)
    shop.run("create role b superuser login")
    plan = _plan_as(shop, "b")
    assert "role" in codes(plan)
    blocker = next(b for b in plan.blockers if b.code == "role")
    assert "the first apply was made by role postgres" in blocker.message
    with pytest.raises(BlockedError):
        pipeline.apply(shop.another(shop.engine.url(user="b")), plan)


@pytest.mark.parametrize("access", ["{enqueue: [postgres]}", "{progress: [postgres]}"])
def test_access_for_the_role_that_applies_is_refused_by_the_plan(shop: Shop, access: str) -> None:
    """It owns what it makes, so a grant to it would never be seen again."""
    plan = shop.plan(QUEUE.replace("duration: {max: 5s}", f"duration: {{max: 5s}}\n    access: {access}"))
    blocker = next(b for b in plan.blockers if b.code == "role")
    assert blocker.message.startswith("postgres is the role that applies this")
    assert blocker.remedy == "leave it out of `access`"


def test_a_role_that_may_not_read_the_history_of_jobs_still_plans(embedded: Engine) -> None:
    hosted = embedded.hosted()
    shop = Shop(embedded, hosted.dsn)
    shop.apply(QUEUE)
    shop.run("revoke all on cron.job_run_details from postgres_like, public")
    shop.destroy()
    assert_empty(shop.destroy_plan())
    shop.close()


def test_another_environment_of_the_project_is_refused(shop: Shop) -> None:
    shop.apply(QUEUE, environment="production")
    plan = shop.plan(QUEUE, environment="preview")
    assert "environment" in codes(plan)
    with pytest.raises(BlockedError, match="holds environment production of the project, not preview"):
        shop.apply_plan(plan)
    assert "environment" in codes(shop.destroy_plan(environment="preview"))
    assert said(shop.destroy_plan(environment="production", allow_destroy=True))


def test_what_the_server_refuses_while_planning_is_an_error_in_a_sentence(shop: Shop) -> None:
    shop.apply(QUEUE)
    shop.db.script("set statement_timeout = 0")
    shop.run("select pg_terminate_backend(%s, 5000)", shop.db.backend_pid)
    with pytest.raises(ConnectError, match="could not be read: terminating connection"):
        shop.plan(QUEUE)
    assert_empty(shop.plan(QUEUE))
