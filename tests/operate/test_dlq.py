"""`orchestra dlq` as a person runs it, against a real database."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import psycopg
import pytest
from apply.shop import Shop
from jsonschema import Draft202012Validator

from operate.conftest import Run, operated, send, verbs, work
from orchestra.cli import schemas
from orchestra.operate import dead_letters


@pytest.fixture
def letters(run: Run, shop: Shop) -> list[int]:
    """Three letters of two workloads, the oldest first."""
    send(shop, "import", {"n": 0}, {"n": 0, "big": 12345678901234567890.5})
    send(shop, "mail", {"to": "nobody\u2028\x1b[31m"})
    work(shop, "import")
    work(shop, "mail")
    return [row[0] for row in shop.run("select id from orchestra.dead_letter order by id")]


def waiting(shop: Shop) -> list[int]:
    rows = shop.run("select id from orchestra.dead_letter where redriven_at is null order by id")
    return [row[0] for row in rows]


def valid(text: str) -> Any:
    document = json.loads(text)
    Draft202012Validator(json.loads(schemas.text("dead-letters"))).validate(document)
    return document


def test_the_list_says_what_fails_and_how_often(run: Run, letters: list[int]) -> None:
    done = run("dlq")
    assert done.exit_code == 0, done.output
    text = " ".join(done.stdout.split())
    assert "3 dead letters of project shop" in text
    assert "2 × import division by zero" in text
    assert "1 × mail invalid input syntax" in text
    assert "\x1b" not in done.stdout
    document = valid(run("dlq", "list", "--format", "json").stdout)
    assert [g["count"] for g in document["groups"]] == [2, 1]
    assert [one["id"] for one in document["letters"]] == letters[::-1]
    narrow = valid(
        run("dlq", "--error", "DIVISION", "--since", "1h", "--limit", "1", "--format", "json").stdout
    )
    assert (narrow["total"], len(narrow["letters"])) == (2, 1)
    assert valid(run("dlq", "--workload", "mail", "--format", "json").stdout)["total"] == 1


def test_the_list_has_the_first_line_of_an_error_and_show_has_all(
    run: Run, letters: list[int], shop: Shop
) -> None:
    shop.run(
        "update orchestra.dead_letter set error = E'no address\\n    at handler (mail.ts:4)' where id = 1"
    )
    listed = run("dlq").stdout
    assert "1 attempt: no address …" in listed
    assert "at handler" not in listed
    assert "  no address\n      at handler (mail.ts:4)" in run("dlq", "show", str(letters[0])).stdout


def test_no_letters_are_no_fault(run: Run, shop: Shop) -> None:
    done = run("dlq")
    assert (done.exit_code, done.stdout, done.stderr.splitlines()[-1]) == (
        0,
        "",
        "Project shop has no dead letters.",
    )
    assert valid(run("dlq", "--format", "json").stdout)["total"] == 0


def test_a_letter_is_shown_whole(run: Run, letters: list[int], shop: Shop) -> None:
    done = run("dlq", "show", str(letters[2]))
    assert "nobody\\u2028" in done.stdout
    assert "after 1 attempt (exhausted)" in done.stdout
    run("dlq", "redrive", "--id", str(letters[2]), "--auto-approve")
    message = shop.one("select redriven_as from orchestra.dead_letter where id = %s", letters[2])
    assert f"as message {message}" in run("dlq", "show", str(letters[2])).stdout
    assert valid(run("dlq", "show", str(letters[0]), "--format", "json").stdout)["letter"]["payload"] == {
        "n": 0
    }
    done = run("dlq", "show", "999999")
    assert (done.exit_code, "no dead letter 999999" in done.stderr) == (64, True)


def test_one_some_or_all_are_sent_back(run: Run, letters: list[int], shop: Shop) -> None:
    done = run("dlq", "redrive", "--id", str(letters[0]), "--auto-approve", "--reason", "fixed")
    message = shop.one("select redriven_as from orchestra.dead_letter where id = %s", letters[0])
    assert done.stdout == f"Redriven: 1 dead letter.\n  {letters[0]} is message {message} of import\n"
    assert done.exit_code == 0
    assert waiting(shop) == letters[1:]
    assert shop.one("select count(*) from pgmq.q_import") == 1
    assert verbs(shop)[-1] == (
        "redrive",
        "import",
        "ada",
        {"count": 1, "ids": [letters[0]], "reason": "fixed"},
    )
    done = run("dlq", "redrive", "--error", "zero", "--delay", "1h", "--auto-approve", "--format", "json")
    assert json.loads(done.stdout)["count"] == 1
    assert shop.one("select count(*) from pgmq.q_import where vt > now() + interval '59 minutes'") == 1
    done = run("dlq", "redrive", "--all", "--auto-approve")
    assert done.exit_code == 0
    assert waiting(shop) == []
    assert run("dlq", "redrive", "--all", "--auto-approve").stdout == "There is nothing to redrive.\n"


def test_more_than_a_batch_is_sent_back(run: Run, shop: Shop) -> None:
    shop.run(
        """
        insert into orchestra.dead_letter (project, workload, queue_name, msg_id, payload, attempts, reason, error)
        select 'shop', 'import', 'import', i, jsonb_build_object('n', i), 1, 'exhausted', 'x'
        from generate_series(1, 2345) i
        """
    )
    done = run("dlq", "redrive", "--all", "--auto-approve")
    assert done.stdout == "Redriven: 2,345 dead letters.\n"
    assert shop.one("select count(*) from pgmq.q_import") == 2345
    assert [v[3]["count"] for v in verbs(shop) if v[0] == "redrive"] == [1000, 1000, 345]


def test_a_letter_whose_run_goes_on_without_it_stays(run: Run, letters: list[int], shop: Shop) -> None:
    shop.run(
        "update orchestra.dead_letter set headers = %s where id = %s",
        json.dumps({"orchestra": {"run": 1, "a": 1, "step": "collect", "i": 0}}),
        letters[0],
    )
    done = run("dlq", "redrive", "--id", str(letters[0]), "--auto-approve")
    assert (done.exit_code, "belongs to a run" in done.stderr) == (1, True)
    done = run("dlq", "redrive", "--all", "--auto-approve")
    assert (done.exit_code, done.stdout.splitlines()[0]) == (0, "Redriven: 2 dead letters.")
    assert waiting(shop) == letters[:1]
    assert "stay" in done.stderr


def test_purge_needs_their_number(run: Run, letters: list[int], shop: Shop) -> None:
    assert run("dlq", "purge", "--all").exit_code == 64
    done = run("dlq", "purge", "--all", "--expect", "2")
    assert (done.exit_code, "there are 3 dead letters, not 2" in done.stderr) == (5, True)
    assert waiting(shop) == letters
    done = run("dlq", "purge", "--workload", "import", "--all", "--expect", "2")
    assert (done.exit_code, done.stdout) == (0, "Purged: 2 dead letters.\n")
    assert waiting(shop) == letters[2:]
    assert verbs(shop)[-1] == ("purge", "import", "ada", {"count": 2})


@pytest.mark.parametrize(("answer", "code"), [("3", 0), ("yes", 1), ("2", 1)])
def test_a_person_types_the_number(
    run: Run, letters: list[int], shop: Shop, monkeypatch: pytest.MonkeyPatch, answer: str, code: int
) -> None:
    monkeypatch.setattr("orchestra.cli.console.interactive", lambda: True)
    done = run("dlq", "purge", "--all", input=f"{answer}\n")
    assert done.exit_code == code, done.output
    assert waiting(shop) == ([] if code == 0 else letters)


def test_which_letters_has_to_be_said(run: Run, letters: list[int], shop: Shop) -> None:
    for verb in ("redrive", "purge"):
        done = run("dlq", verb, "--workload", "mail", "--auto-approve" if verb == "redrive" else "--expect=1")
        assert (done.exit_code, "which dead letters" in done.stderr) == (64, True)
        done = run("dlq", verb, "--id", "999999", "--auto-approve" if verb == "redrive" else "--expect=1")
        assert (done.exit_code, "no dead letter 999999" in done.stderr) == (64, True)
    assert waiting(shop) == letters


def test_an_export_loses_no_digit_and_overwrites_nothing(
    run: Run, letters: list[int], shop: Shop, tmp_path: Path
) -> None:
    shop.run(
        "update orchestra.dead_letter set payload = %s where id = %s",
        '{"n": 0.10000000000000000000000000001}',
        letters[0],
    )
    done = run("dlq", "export", "--out", "out/letters.jsonl")
    assert done.exit_code == 0, done.output
    assert "Exported 3 dead letters to out/letters.jsonl." in done.stderr
    text = (tmp_path / "out/letters.jsonl").read_text()
    assert len(text.splitlines()) == 3
    assert "0.10000000000000000000000000001" in text.splitlines()[0]
    assert [json.loads(line)["id"] for line in text.splitlines()] == letters
    done = run("dlq", "export", "--out", "out/letters.jsonl")
    assert (done.exit_code, (tmp_path / "out/letters.jsonl").read_text() == text) == (64, True)
    done = run("dlq", "export", "--payloads", "--workload", "import")
    assert done.stdout.splitlines()[0] == '{"n": 0.10000000000000000000000000001}'
    assert len(done.stdout.splitlines()) == 2
    assert waiting(shop) == letters


def test_letters_of_a_workload_that_is_gone_can_be_kept_and_deleted(
    run: Run, letters: list[int], shop: Shop
) -> None:
    """They outlive it, and stand in nobody's way."""
    shop.run("delete from orchestra.workload where name = 'import'")
    done = run("dlq", "redrive", "--id", str(letters[0]), "--auto-approve")
    assert (done.exit_code, "no queue to go back to" in done.stderr) == (1, True)
    done = run("dlq", "redrive", "--all", "--auto-approve", "--format", "json")
    assert (done.exit_code, "workloads that are gone" in done.stderr) == (0, True), done.output
    document = operated(done.stdout)
    assert (document["count"], document["homeless"]) == (1, letters[:2])
    done = run("dlq", "purge", "--all", "--expect", "2", "--format", "json")
    assert done.exit_code == 0, done.output
    assert operated(done.stdout)["count"] == 2
    assert waiting(shop) == []
    assert verbs(shop)[-1] == ("purge", "import", "ada", {"count": 2})
    with pytest.raises(psycopg.Error, match="there is no workload shop/imprt"):
        shop.run("select orchestra.purge_dead_letters('shop/imprt', array[1])")


def test_what_was_redriven_says_as_what(run: Run, letters: list[int], shop: Shop) -> None:
    done = run("dlq", "redrive", "--workload", "import", "--all", "--auto-approve", "--format", "json")
    now = dict(shop.run("select id, redriven_as from orchestra.dead_letter where redriven_as is not null"))
    assert operated(done.stdout)["redriven"] == [
        {"id": one, "workload": "import", "message_id": now[one]} for one in letters[:2]
    ]


def test_a_purge_takes_nothing_that_was_sent_back_meanwhile(
    run: Run, letters: list[int], shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Somebody else redrives one between the count and the deletion."""
    purge = dead_letters.purge

    def late(*arguments: Any) -> int:
        shop.run("select orchestra.redrive('import', array[%s::bigint])", letters[0])
        return purge(*arguments)

    monkeypatch.setattr(dead_letters, "purge", late)
    done = run("dlq", "purge", "--workload", "import", "--all", "--expect", "2")
    assert (done.exit_code, done.stdout) == (0, "Purged: 1 dead letter.\n"), done.output
    assert "1 other had been taken by somebody else meanwhile." in done.stderr
    left = shop.run("select id, redriven_at is not null from orchestra.dead_letter order by id")
    assert [tuple(row) for row in left] == [(letters[0], True), (letters[2], False)]


def test_what_was_exported_can_be_sent(run: Run, letters: list[int], shop: Shop) -> None:
    run("dlq", "export", "--payloads", "--workload", "import", "--out", "payloads.jsonl")
    done = run("send", "--workload", "mail", "--from", "payloads.jsonl")
    assert done.stdout == "Sent 2 messages to mail.\n", done.output
    sent = [row[0] for row in shop.run("select message::text from pgmq.q_mail order by msg_id")]
    kept = shop.run("select payload::text from orchestra.dead_letter where workload = 'import' order by id")
    assert sent == [row[0] for row in kept]


def test_copies_in_a_queue_of_dead_letters_are_named(
    run: Run, letters: list[int], shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    shop.run("update orchestra.workload set dead_letter_queue = 'given_up' where name = 'mail'")
    monkeypatch.setattr("orchestra.cli.console.interactive", lambda: True)
    done = run("dlq", "purge", "--all", input="3\n")
    assert "mail  1 dead letter; copies of theirs in queue given_up stay" in done.stderr
