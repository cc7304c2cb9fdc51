"""The work of every example is done: by pg_cron on a real server, by its stand-in on the embedded one."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from engines import Engine
from engines.waiting import eventually

from acceptance.cases import BY_NAME
from acceptance.live import apply
from acceptance.schedules import pretend_it_is_older, pretend_it_was_missed, run_job
from orchestra.pipeline import PlanOptions

pytestmark = pytest.mark.engines("embedded", "pg17")
PATIENCE = 40.0
"""Seconds, for a machine that has much to do."""
# The test's patience is shorter than the examples': they look every five seconds, or every thirty.
_EACH_SECOND = (
    "select cron.schedule(jobname, '1 seconds', command) from cron.job where schedule like '%seconds'"
)


@pytest.fixture
def example(engine: Engine, request: pytest.FixtureRequest) -> Iterator[Engine]:
    """The database of an example that has been applied; cron runs in it."""
    case = BY_NAME[request.param]
    case.prepare(engine)
    apply(engine, case.spec, PlanOptions(adopt=frozenset(case.adopt)))
    engine.execute(_EACH_SECOND)
    engine.fresh_launcher()
    with engine.run_ticker():
        yield engine


def of(name: str) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("example", [name], indirect=True)


def one(engine: Engine, query: str) -> Any:
    [(value,)] = engine.execute(query)
    return value


def until(engine: Engine, condition: str) -> None:
    try:
        eventually(lambda: one(engine, f"select {condition}"), within=PATIENCE, what=condition)
    except AssertionError as error:
        for query in _STATE:
            error.add_note("\n".join(str(row) for row in engine.execute(query)))
        raise


_STATE = (
    "select workload, slot, pid, held, held_ct, due_at from orchestra.slot where token is not null",
    "select jobid, jobname, schedule, active from cron.job order by jobid",
    "select jobid, status, return_message, start_time, end_time from cron.job_run_details order by runid desc limit 20",
    "select pid, backend_type, state, wait_event, left(query, 80) from pg_stat_activity where pid <> pg_backend_pid()",
)


@of("background-orchestration")
def test_background_orchestration_processes_its_tasks(example: Engine) -> None:
    example.execute("""select orchestra.send('my-tasks', '{"action": "process", "id": 123}')""")
    example.execute("""select pgmq.send('my_tasks', '{"action": "process", "id": 124}'::jsonb)""")
    until(example, "count(*) = 2 from app.task where state = 'processed' and attempts = 1")
    assert example.execute("select task_id, action from app.task_log order by 1") == [
        (123, "process"),
        (124, "process"),
    ]
    assert one(example, "select count(*) from pgmq.q_my_tasks") == 0


@of("shop")
def test_the_shop_imports_a_catalogue_and_keeps_the_bad_row_for_people(example: Engine) -> None:
    example.execute(
        """
        select orchestra.send_many('import-product', array(
          select jsonb_build_object('sku', 'A' || n, 'name', 'Article ' || n, 'price_cents', n * 100)
          from generate_series(1, 500) n
        ) || jsonb_build_object('sku', 'bad', 'name', 'Free money', 'price_cents', -1))
        """
    )
    one_more = '{"sku": "B", "name": "B", "price_cents": 1}'
    example.psql(f"set role authenticated; select enqueue_import_product('{one_more}')")
    until(example, "count(*) = 501 from shop.product")
    until(example, "count(*) = 1 from orchestra.dead_letter")
    [letter] = example.execute(
        "select payload ->> 'sku', attempts, reason, sqlstate from orchestra.dead_letter"
    )
    assert letter == ("bad", 3, "exhausted", "23514")
    assert one(example, "select count(*) from pgmq.q_import_product") == 0


@of("shop")
def test_the_shop_sends_one_receipt_for_an_order_that_is_paid(example: Engine) -> None:
    example.execute("update shop.order set state = 'paid' where id = 1")
    until(example, "count(*) = 1 from shop.outbox")
    example.execute("update shop.order set state = 'paid', email = 'ada@example.org' where id = 1")
    example.psql("begin; update shop.order set state = 'paid' where id = 2; rollback;")
    assert one(example, "select count(*) from pgmq.q_send_receipt") == 0
    assert example.execute("select order_id, recipient, subject from shop.outbox") == [
        (1, "ada@example.com", "Your order 1: 42.00 EUR")
    ]
    assert one(example, "select count(*) from pgmq.a_send_receipt") == 1


@of("shop")
def test_the_shop_forgets_old_carts(example: Engine) -> None:
    example.execute("update orchestra.schedule set cron = '* * * * *' where workload = 'purge-carts'")
    pretend_it_is_older(example, "purge-carts")
    run_job(example, "orchestra:shop:purge-carts")
    assert example.execute("select id from shop.cart") == [(1,)]
    assert example.execute("select status from orchestra.scheduled_run") == [("done",)]


@of("embeddings")
def test_documents_are_found_by_what_they_say(example: Engine) -> None:
    example.execute(
        """
        insert into public.documents (id, title, body) values
          (1, 'Bread', 'flour water salt and yeast make a loaf of bread'),
          (2, 'Bicycles', 'a bicycle has two wheels, a chain and a saddle'),
          (3, 'Clouds', 'clouds are made of water and drift with the wind')
        """
    )
    until(example, "count(*) = 3 from public.document_embeddings")
    assert one(example, "select title from public.search_documents('wheels and a chain', 1)") == "Bicycles"
    example.execute("update public.documents set body = 'wheels of a chain, a chain of wheels' where id = 3")
    example.execute("update public.documents set read_count = 1, body = body where id = 1")
    until(example, "title = 'Clouds' from public.search_documents('chain of wheels', 1)")
    assert one(example, "select count(*) from orchestra.dead_letter") == 0


@of("nightly-reports")
def test_the_night_that_was_missed_is_made_up_for_and_every_customer_gets_a_report(example: Engine) -> None:
    for workload in ("roll-up-sales", "order-reports"):
        pretend_it_was_missed(example, workload)
        run_job(example, f"orchestra:nightly-reports:{workload}")
    assert example.execute("select customer_id, sales, total_cents from sales.daily order by 1") == [
        (1, 2, 2240),
        (2, 1, 20000),
    ]
    assert one(example, "select count(*) from pgmq.q_write_report") == 2
    for number in (1, 2):
        run_job(example, f"orchestra:nightly-reports:write-report.worker-{number}")
    until(example, "count(*) = 2 from sales.report")
    assert (
        one(example, "select body from sales.report where customer_id = 1")
        == "Ada's Bakery\n2 sales, 22.40 EUR"
    )
    assert one(example, "select count(*) from pgmq.a_write_report") == 2


@of("minutes-only")
def test_minutes_are_enough_to_count_visits_and_check_links(example: Engine) -> None:
    pretend_it_is_older(example, "count-visits")
    run_job(example, "orchestra:minutes-only:count-visits")
    assert example.execute("select path, visits from web.page order by 1") == [("/", 2), ("/about", 1)]
    example.execute("insert into web.link (id, target) values (1, '/about'), (2, '/gone')")
    for number in (1, 2):
        run_job(example, f"orchestra:minutes-only:check-link.worker-{number}")
    until(example, "count(*) = 2 from web.link where checked_at is not null")
    assert example.execute("select id, known from web.link order by 1") == [(1, True), (2, False)]


@of("minutes-only")
def test_links_that_nobody_has_checked_for_a_quarter_are_forgotten(example: Engine) -> None:
    example.execute("insert into web.link (id, target) values (1, '/old'), (2, '/new')")
    for number in (1, 2):
        run_job(example, f"orchestra:minutes-only:check-link.worker-{number}")
    until(example, "count(*) = 2 from web.link where checked_at is not null")
    example.execute("update web.link set checked_at = now() - interval '91 days' where id = 1")
    pretend_it_was_missed(example, "forget-links")
    run_job(example, "orchestra:minutes-only:forget-links")
    until(
        example,
        "count(*) = 1 from orchestra.scheduled_run where workload = 'forget-links' and status = 'done'",
    )
    assert example.execute("select id from web.link") == [(2,)]


@of("legacy")
def test_the_old_app_keeps_a_week_of_its_log(example: Engine) -> None:
    """Its own job of that name is taken away first, as the README says."""
    example.execute(
        "select cron.unschedule(jobname) from cron.job where jobname in ('consume-emails', 'purge-log')"
    )
    example.execute(
        "insert into app.log (at, line) values (now() - interval '6 days', 'a line of this week')"
    )
    pretend_it_is_older(example, "purge-log")
    run_job(example, "orchestra:legacy:purge-log")
    until(
        example, "count(*) = 1 from orchestra.scheduled_run where workload = 'purge-log' and status = 'done'"
    )
    assert example.execute("select line from app.log") == [("a line of this week",)]
