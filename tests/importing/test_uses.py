"""What a text does with queues is told by its tokens."""

from __future__ import annotations

import pytest

from orchestra.importing.uses import uses_of


@pytest.mark.parametrize(
    ("text", "sends", "reads"),
    [
        ("select pgmq.send('q', '{}')", {"q"}, set()),
        ("select pgmq . send_batch ( queue_name => 'q', msgs => $1)", {"q"}, set()),
        ("select \"pgmq\".\"send\"(queue_name := 'q'::text, msg := '{}')", {"q"}, set()),
        ("begin perform pgmq.send(E'it\\'s', to_jsonb(new)); return new; end", {"it's"}, set()),
        ("begin perform PGMQ.Send($q$quoted$q$, x); end", {"quoted"}, set()),
        ("perform pgmq.send(tg_argv[0], x)", {None}, set()),
        ("perform pgmq.send('a' || tg_table_name, x)", {None}, set()),
        ("insert into pgmq.q_jobs (vt, message) values (now(), '{}')", {"jobs"}, set()),
        ('insert into pgmq."q_jobs" (message) values (1)', {"jobs"}, set()),
        ("select count(*) from pgmq.q_jobs", set(), set()),
        ("execute 'select pgmq.send(''inner'', $1)' using x", {"inner"}, set()),
        ("do $do$ begin perform pgmq.pop('deep'); end $do$", set(), {"deep"}),
        ("select * from pgmq.read('a', 30, 5), pgmq.read_with_poll('b', 1, 1)", set(), {"a", "b"}),
        ("select 1 -- pgmq.send('comment', 1)", set(), set()),
        ("/* pgmq.read('comment', 1, 1) */ select 1", set(), set()),
        ("select 'pgmq.sending is fun'", set(), set()),
        ("select app.send('q', 1), other.read('x')", set(), set()),
        ("select 'open", set(), set()),
    ],
)
def test_queues_are_recognised(text: str, sends: set[str | None], reads: set[str | None]) -> None:
    found = uses_of(text)
    assert (found.sends, found.reads) == (sends, reads)


def test_calls_out_and_calls_of_functions_are_seen() -> None:
    assert uses_of("select net.http_post(url := 'https://x')").calls_out
    assert uses_of("select http_get('https://x')").calls_out
    assert not uses_of("select app.net_total()").calls_out
    assert uses_of('select app.go(), "My"."Run"()').called == {("app", "go"), ("My", "Run")}
    assert not uses_of("select 'open").readable
