"""The Edge part of each example in full: a request comes in, work is queued, a worker wakes, the handler runs, the
queue is empty, and the ledger says so. Real PostgreSQL, pgmq and Deno; on pg17 the real pg_cron."""

from __future__ import annotations

import hashlib
import hmac
import json
import time
from datetime import datetime
from pathlib import Path

import pytest
from engines import Engine

from acceptance.cases import BY_NAME
from acceptance.schedules import pretend_it_was_missed, run_job
from acceptance.world import SECRET_KEY, running

pytestmark = pytest.mark.engines("embedded", "pg17")


def signed(secret: str, body: bytes) -> str:
    return hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()


def test_a_payment_ends_in_a_delivered_receipt(engine: Engine, tmp_path: Path) -> None:
    """Stripe → wait_until → a table trigger → SQL → a table trigger → an Edge worker → the mail provider."""
    secret = "whsec_for_tests"
    with running(BY_NAME["shop-edge"], engine, tmp_path, {"stripe_webhook_secret": secret}) as world:
        event = {
            "id": "evt_1",
            "object": "event",
            "type": "checkout.session.completed",
            "data": {"object": {"client_reference_id": "1"}},
        }
        body = json.dumps(event).encode()
        now = int(time.time())
        signature = f"t={now},v1={signed(secret, f'{now}.'.encode() + body)}"

        forged = world.post("relay-payment", None, raw=body, stripe_signature=f"t={now},v1={'0' * 64}")
        assert forged.status == 401
        answer = world.post("relay-payment", None, raw=body, stripe_signature=signature)
        assert (answer.status, answer.body) == (200, {"status": "accepted"})

        world.becomes("select state = 'paid' from shop.\"order\" where id = 1")
        world.becomes("select bool_and(status = 'done') and count(*) = 1 from orchestra.call")
        world.becomes("select count(*) = 1 from shop.outbox where delivered_at is not null", within=40)
        [mail] = world.services.to("/send")
        assert mail.body == {"to": "ada@example.com", "subject": "Your order 1: 42.00 EUR"}
        assert mail.headers["idempotency-key"].startswith("receipt-1-")
        world.becomes("select count(*) = 0 from pgmq.q_deliver_email")
        assert world.one("select count(*) from orchestra.dead_letter") == 0
        assert world.one("select deployed = wanted from orchestra.status() where workload = 'deliver-email'")


def test_light_work_answers_at_once_and_its_failure_is_seen(engine: Engine, tmp_path: Path) -> None:
    case = BY_NAME["background-orchestration-edge"]
    with running(case, engine, tmp_path, {"crm_webhook_secret": "s3cret"}) as world:
        body = b'{"payment": 7}'
        answer = world.post("relay-webhook", None, raw=body, x_signature=signed("s3cret", body))
        assert (answer.status, answer.body) == (200, {"status": "accepted"})
        world.becomes("select count(*) = 1 from orchestra.call where status = 'done'")
        assert [c.body for c in world.services.to("/payments")] == [{"payment": 7}]

        world.services.answers["/payments"] = lambda call: (500, {"error": "down"})
        answer = world.post("relay-webhook", None, raw=body, x_signature=signed("s3cret", body))
        assert answer.status == 200
        world.becomes(
            "select count(*) = 1 from orchestra.call where status = 'failed' and error like '%the CRM says 500%'"
        )
        assert any("the CRM says 500" in line.text for line in world.edge.log)
        assert world.one(
            "select last_error like '%%the CRM says 500%%' from orchestra.status() where workload = 'relay-webhook'"
        )

        assert world.post("relay-webhook", None, raw=body, x_signature="00").status == 401
        assert world.post("send-email", {"to": "a@example.com"}).status == 401
        assert world.post("send-email", {"to": "a@example.com"}, apikey=SECRET_KEY).status == 200
        world.becomes(
            "select count(*) = 1 from orchestra.call where workload = 'send-email' and status = 'done'"
        )
        assert len(world.services.to("/send")) == 1


def test_a_fan_out_is_checked_queued_whole_and_worked_off(engine: Engine, tmp_path: Path) -> None:
    case = BY_NAME["background-orchestration-edge"]
    with running(case, engine, tmp_path, {"crm_webhook_secret": "s3cret"}) as world:
        items = [{"customer": n, "month": "2026-10"} for n in range(1, 301)]
        bad = world.post(
            "generate-reports", {"items": [*items, {"customer": 0, "month": "10/26"}]}, apikey=SECRET_KEY
        )
        assert bad.status == 422
        assert {fault["index"] for fault in bad.body["items"]} == {300}
        many = world.post("generate-reports", {"items": items * 7}, apikey=SECRET_KEY)
        assert many.status == 413
        assert world.one("select count(*) from pgmq.q_generate_reports") == 0

        answer = world.post("generate-reports", {"items": items}, apikey=SECRET_KEY)
        assert answer.status == 202
        assert (answer.body["status"], answer.body["count"], len(answer.body["ids"])) == ("queued", 300, 300)
        run = int(answer.body["run"])
        world.becomes("select count(*) = 300 from app.report")
        world.becomes("select status = 'done' from orchestra.run where id = %s", run)
        progress = world.one("select orchestra.run_progress(%s)", run)
        assert (progress["total"], progress["done"], progress["failed"]) == (300, 300, 0)
        assert world.one("select count(*) from pgmq.q_generate_reports") == 0


def test_documents_are_embedded_as_they_change(engine: Engine, tmp_path: Path) -> None:
    with running(BY_NAME["embeddings-edge"], engine, tmp_path) as world:
        busy = iter([True])
        usual = lambda call: (200, {"embedding": [0.5] * 64})  # noqa: E731
        world.services.answers["/embed"] = lambda call: (429, {}) if next(busy, False) else usual(call)
        engine.execute(
            "insert into public.documents (id, title, body) "
            "select n, 'Title ' || n, 'Body' from generate_series(1, 20) n"
        )
        world.becomes("select count(*) = 20 from public.document_embeddings", within=40)
        # The one that the model was too busy for came again, at no attempt.
        assert len(world.services.to("/embed")) == 21
        engine.execute("update public.documents set read_count = 1")
        engine.execute("update public.documents set body = 'New' where id = 3")
        world.becomes("select count(*) = 0 from pgmq.q_embed_document")
        assert [c.body["input"] for c in world.services.to("/embed")][21:] == ["Title 3 New"]


def test_a_pipeline_collects_renders_and_publishes(engine: Engine, tmp_path: Path) -> None:
    with running(BY_NAME["nightly-reports-edge"], engine, tmp_path) as world:
        engine.execute(
            """insert into sales.daily (day, customer_id, sales, total_cents)
            select (now() at time zone 'Europe/Berlin')::date - 1, c.id, 1, c.id * 1000 from sales.customer c"""
        )
        run = world.one("select orchestra.send('nightly-reports/publish-reports', '{}')")
        world.becomes("select status = 'done' from orchestra.run where id = %s", run)
        assert world.one("select count(*) from sales.report where body like '%%EUR'") == 3
        steps = world.one("select orchestra.run_progress(%s)", run)["steps"]
        assert [(s["step"], s["status"], s["done"]) for s in steps] == [
            ("collect", "done", 1),
            ("render", "done", 3),
            ("publish", "done", 1),
        ]
        assert world.one("select count(*) from pgmq.q_publish_reports") == 0


def test_a_pipeline_begins_at_its_time_and_gets_to_its_last_step(engine: Engine, tmp_path: Path) -> None:
    """The whole night: its schedules are due, and their cron jobs run."""
    with running(BY_NAME["nightly-reports-edge"], engine, tmp_path) as world:
        pretend_it_was_missed(engine, "roll-up-sales")
        run_job(engine, "orchestra:nightly-reports:roll-up-sales")
        world.becomes("select count(*) = 2 from sales.daily")
        assert world.one("select count(*) from orchestra.run") == 0

        pretend_it_was_missed(engine, "publish-reports")
        run_job(engine, "orchestra:nightly-reports:publish-reports")
        fired = (
            "select run, scheduled_for from orchestra.fired "
            "where workload = 'publish-reports' and outcome = 'enqueued'"
        )
        [(run, due)] = engine.execute(fired)
        world.becomes("select status = 'done' from orchestra.run where id = %s", run, within=60)
        steps = world.one("select orchestra.run_progress(%s)", run)["steps"]
        assert [(s["step"], s["status"], s["done"]) for s in steps] == [
            ("collect", "done", 1),
            ("render", "done", 2),
            ("publish", "done", 1),
        ]
        assert engine.execute("select customer_id, body from sales.report order by 1") == [
            (1, "Ada's Bakery\n22.40 EUR"),
            (2, "Grace & Sons\n200.00 EUR"),
        ]
        assert any('"published"' in line.text and '"reports":2' in line.text for line in world.edge.log)
        asked_for = world.one("select input ->> 'scheduled_for' from orchestra.run where id = %s", run)
        assert datetime.fromisoformat(asked_for) == due

        # The job comes at every hour, and a time fires once.
        run_job(engine, "orchestra:nightly-reports:publish-reports")
        assert engine.execute(fired) == [(run, due)]
        assert world.one("select count(*) from orchestra.run") == 1
        assert world.one("select count(*) from pgmq.q_publish_reports") == 0
