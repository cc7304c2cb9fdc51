"""`orchestra send` as a person runs it, against a real database."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

import pytest
from apply.shop import Shop
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from operate.conftest import HEAD, SPEC, Run, verbs
from orchestra.errors import OrchestraError
from orchestra.operate import payloads

MAIL = '{"type": "object", "required": ["to"], "properties": {"to": {"type": "string"}, "n": {"type": "integer"}}}'


def queued(shop: Shop, queue: str = "import") -> list[Any]:
    return [row[0] for row in shop.run(f"select message from pgmq.q_{queue} order by msg_id")]


@pytest.fixture
def checked(run: Run, shop: Shop) -> Run:
    """The same with a payload schema, as an Edge workload has one."""
    shop.run("update orchestra.workload set payload_schema = %s where name = 'mail'", MAIL)
    return run


def test_a_message_is_sent_under_the_senders_name(run: Run, shop: Shop) -> None:
    done = run("send", "--workload", "import", "--payload", '{"n": 1}', "--reason", "by request")
    assert (done.exit_code, done.stdout) == (0, "Sent message 1 to import.\n"), done.output
    assert queued(shop) == [{"n": 1}]
    assert verbs(shop) == [("send", "import", "ada", {"count": 1, "reason": "by request"})]
    done = run("send", "--workload", "import", "--format", "json")
    assert json.loads(done.stdout) == {
        "format_version": 1,
        "project": "shop",
        "workload": "import",
        "kind": "message",
        "count": 1,
        "ids": [2],
    }
    assert queued(shop)[1] is None


def test_a_file_is_sent_whole(run: Run, shop: Shop, tmp_path: Path) -> None:
    lines = "".join(f'{{"n": {i}}}\n' for i in range(2_345))
    (tmp_path / "items.jsonl").write_text("\ufeff\n" + lines)
    done = run("send", "--workload", "import", "--from", "items.jsonl")
    assert done.stdout == "Sent 2,345 messages to import.\n", done.output
    assert queued(shop) == [{"n": i} for i in range(2_345)]
    assert [v[3] for v in verbs(shop)] == [{"count": 2_345}]


def test_an_array_comes_from_standard_input_without_losing_a_digit(run: Run, shop: Shop) -> None:
    done = run(
        "send",
        "--workload",
        "import",
        "--from",
        "-",
        input='[\n {"n": 0.10000000000000000000001},\n 2 , []]\n',
    )
    assert done.exit_code == 0, done.output
    texts = [row[0] for row in shop.run("select message::text from pgmq.q_import order by msg_id")]
    assert texts == ['{"n": 0.10000000000000000000001}', "2", "[]"]
    assert (
        run("send", "--workload", "import", "--from", "-", input=" [ ] ").stdout
        == "There is nothing to send.\n"
    )


def test_a_payload_is_judged_by_the_schema_in_the_database(checked: Run, shop: Shop) -> None:
    done = checked("send", "--workload", "mail", "--payload", '{"to": 5}')
    assert done.exit_code == 1
    assert '--payload: to: 5 is not of type "string"' in done.stderr
    lines = '{"to": "a"}\n\n{"to": "b", "n": 1.5}\n{}\n{"to": "c"}\n'
    done = checked("send", "--workload", "mail", "--from", "-", input=lines)
    assert done.exit_code == 1
    text = " ".join(done.stderr.split())
    assert "standard input:3: n: 1.5 is not of type" in text
    assert 'standard input:4: "to" is a required property' in text
    assert "nothing was sent" in text
    assert queued(shop, "mail") == []
    assert verbs(shop) == []


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("{", "it is no JSON at column 2"),
        ('{"n": NaN}', "NaN is no JSON"),
        ('"\\u0000"', "U+0000"),
        ('"\\ud800"', "half of a surrogate pair"),
        ("[" * 100_000, "nested too deeply"),
        ('[1, {"n": }]', "standard input:1: it is no JSON"),
        ("[1 2]", "does not go on with"),
        ("[1,", "it is no JSON"),
        ("[1,]", "it is no JSON"),
        ("[1] 2", "stands behind the array"),
        ("1" * 5000, "Exceeds the limit"),
    ],
)
def test_what_is_no_payload_is_told_with_its_place(run: Run, shop: Shop, text: str, why: str) -> None:
    done = run("send", "--workload", "import", "--from", "-", input=text)
    assert done.exit_code == 1
    assert why in " ".join(done.stderr.split())
    assert "Traceback" not in done.output
    assert queued(shop) == []


def test_mistakes_of_the_command_line(run: Run, shop: Shop, tmp_path: Path) -> None:
    (tmp_path / "latin.jsonl").write_bytes(b'"\xe4"\n')
    for arguments, code, said in (
        (("--workload", "imprt"), 64, "did you mean import?"),
        (("--workload", "purge"), 64, "it runs on its schedule"),
        ((), 64, "--workload"),
        (("--workload", "import", "--payload", "1", "--from", "-"), 64, "two sources"),
        (("--workload", "import", "--from", "nowhere"), 1, "cannot read nowhere"),
        (("--workload", "import", "--from", "."), 1, "cannot read ."),
        (("--workload", "import", "--from", "latin.jsonl"), 1, "not UTF-8"),
        (("--workload", "import", "--at", "2030-01-01T00:00"), 64, "no time zone"),
        (("--workload", "import", "--at", "soon"), 64, "is no time"),
        (("--workload", "import", "--delay", "1h", "--at", "2030-01-01T00:00Z"), 64, "two times"),
        (("--workload", "import", "--from", "-", "--idempotency-key", "x"), 64, "for one message"),
    ):
        done = run("send", *arguments, input="1")
        assert (done.exit_code, said in " ".join(done.stderr.split())) == (code, True), (
            arguments,
            done.output,
        )
    assert queued(shop) == []


def test_times_and_keys(run: Run, shop: Shop) -> None:
    run("send", "--workload", "import", "--delay", "1h")
    run("send", "--workload", "import", "--at", "2040-01-01T00:00+00:00")
    assert shop.one("select count(*) from pgmq.q_import where vt > now() + interval '59 minutes'") == 2
    assert shop.one("select count(*) from pgmq.q_import where vt = '2040-01-01 00:00Z'") == 1
    for _ in range(2):
        assert (
            run("send", "--workload", "import", "--idempotency-key", "k").stdout
            == "Sent message 3 to import.\n"
        )
    assert shop.one("select count(*) from pgmq.q_import") == 3


def test_a_paused_workload_takes_it_and_says_so(run: Run, shop: Shop) -> None:
    run("pause", "--workload", "import", "--auto-approve")
    done = run("send", "--workload", "import")
    assert (done.exit_code, "is paused" in done.stderr, queued(shop)) == (0, True, [None])


def test_a_protected_environment_is_asked_for(
    run: Run, shop: Shop, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PROD_URL", shop.dsn)
    head = HEAD + "environments: {production: {database: {env: PROD_URL}, protect: true}}\n"
    (tmp_path / "orchestra.yaml").write_text(head + SPEC)
    shop.run("update orchestra.project set environment = 'production'")
    done = run("send", "--workload", "import", "--env", "production", "--from", "-", input="1\n2\n")
    assert (done.exit_code, "--auto-approve" in done.stderr, queued(shop)) == (64, True, [])
    done = run(
        "send", "--workload", "import", "--env", "production", "--from", "-", "--auto-approve", input="1\n2\n"
    )
    assert (done.exit_code, queued(shop)) == (0, [1, 2])


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    st.lists(
        st.recursive(
            st.none() | st.integers() | st.text(), lambda x: st.lists(x) | st.dictionaries(st.text(), x)
        )
    )
)
def test_items_of_an_array_are_those_of_json(values: list[Any]) -> None:
    """However it is written."""
    for text in (
        json.dumps(values),
        json.dumps(values, indent=3),
        "\n " + json.dumps(values, separators=(" ,", ":")),
    ):
        found = [json.loads(item.text) for item in payloads.items(io.StringIO(text), "x")]
        assert found == values


@given(st.text(alphabet='[]{},:"\\ \n1a'))
def test_any_text_is_items_or_a_fault(text: str) -> None:
    try:
        found = list(payloads.judged(payloads.items(io.StringIO(text), "x"), "x", None))
    except OrchestraError:
        return
    assert all(json.loads(item.text) is not ... for item in found)
