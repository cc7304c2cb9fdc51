"""The corners of single rules: each row a workload (or a spec) and the codes that it yields."""

from __future__ import annotations

import pytest
from check.specs import codes, found, workload

SQL = 'trigger: manual\nduration: {max: 5s}\nrun: {sql: "%s"}'
CRON = 'trigger: {schedule: {%s}}\nduration: {max: %s}\nrun: {sql: "select app.f()"}'
EDGE = "trigger: manual\nduration: {max: 20s}\n"


@pytest.mark.parametrize(
    ("sql", "expected"),
    [
        ("select app.f(:payload, :attempt, :message_id, $1, $2, $3)", []),
        ("select app.f($4)", ["E212"]),
        ("select app.f(:Payload)", ["E212"]),
        ("select ':paylod', $$:paylod$$ -- :paylod", []),
        ("select a[1:attempt] from app.t", []),
        ("-- nothing", ["E311"]),
        ("select 1;", []),
        ("select 1;;", []),
        ("begin", ["E312"]),
        ("commit", ["E312"]),
        ("create table app.t (a int)", ["E312"]),
        ("do $$ begin end $$", ["E312"]),
        ("set role app", ["E312"]),
        ("set local role app", ["E312"]),
        ("copy app.t from '/etc/passwd'", ["E312"]),
        ("listen a", ["E312"]),
        ("grant select on app.t to app", ["E312"]),
        ("select 1 into app.t", ["E312"]),
        ("explain select 1", ["E312"]),
        ("prepare a as select 1", ["E312"]),
        ("lock table app.t", ["E312"]),
        ("truncate app.t", []),
        ("refresh materialized view app.m", []),
        ("analyze app.t", []),
        ("merge into app.t using app.u on t.id = u.id when matched then delete", []),
        ("values (1)", []),
        ("notify a", []),
        ("call app.f()", ["W313"]),
        ("insert into t select 1", ["E314"]),
        ("with t as (select 1) select * from t", []),
        ("with t as (select * from t) select * from t", ["E314"]),
        ("select * from pg_class, pg_catalog.pg_proc, information_schema.tables", []),
        ("select f(1)", ["E315"]),
        ("select now(), count(*), jsonb_build_object('a', 1), coalesce(1, 2) from app.t", []),
        ("select a <=> b from app.t", ["E315"]),
        ("select a operator(extensions.<=>) b from app.t", []),
        ("select a::vector from app.t", ["E315"]),
        ("select a::extensions.vector, b::int[], c::timestamptz, null::pg_class from app.t", []),
        ("select extract(epoch from now()), position('a' in 'b'), trim('a')", []),
        ("select * from cron.job", ["E313"]),
        ("select net.http_post('x')", ["E313"]),
        ("select pgmq.send('a', '{}')", ["E313"]),
        ("select * from orchestra.workload", ["E313"]),
        ("select orchestra.send('a', '{}')", ["E224"]),
        ("delete from app.t", ["W309"]),
        ("update app.t set a = 1", ["W309"]),
        ("delete from app.t where true", []),
        ("with x as (delete from app.t returning 1) select * from x", ["W309"]),
        ("select 'http://example.com'", ["E502"]),
        ("select dblink('host=a password=hunter2')", ["E315", "E501"]),
        ("update app.t set password = crypt where a = 'b'", []),
        ("select 1 from app.t where token = :payload->>'token'", []),
        ("select 'postgres://u:secret@db/x'", ["E501"]),
        ("select 'Bearer abcdefghijklmnopqrst'", ["E501"]),
        ("select 1 -- sk_live_abcdefgh12345678", ["E501"]),
    ],
)
def test_sql(sql: str, expected: list[str]) -> None:
    assert sorted(codes(workload(SQL % sql))) == sorted(expected)


SENDING = """
version: 1
project: shop
%s
workloads:
  collect:
    trigger: {schedule: {cron: "0 8 * * *"}}
    duration: {max: 5s}
    run: {sql: "select orchestra.%s"}
  mail:
    trigger: manual
    duration: {max: 20s}
"""


@pytest.mark.parametrize(
    ("sent", "requires", "wrong"),
    [
        ("send('mail', '{}')", "", ""),
        ("send('shop/mail', '{}')", "", ""),
        ("send(payload => '{}', workload => 'mail'::text)", "", ""),
        ("send_many('mail', array['{}'::jsonb])", "", ""),
        ("send(name, '{}') from app.t", "", ""),
        ("send('mial', '{}')", "", "there is no workload `mial`"),
        ("send(payload => '1', workload => 'mial')", "", "there is no workload `mial`"),
        ("send_many('shop/mial', array['{}'::jsonb])", "", "there is no workload `mial`"),
        ("send('collect', '{}')", "", "`collect` has no queue to send to"),
        ("send('billing/invoice', '{}')", "", "`invoice` of project `billing` is not among"),
        ("send('billing/invoice', '{}')", "requires: [{project: billing, workload: invoice}]", ""),
        ("send('billing/invoice', '{}')", "requires: [{project: billing}]", ""),
        ("send('billing/invoice', '{}')", "requires: [{project: billing, queue: invoice}]", "is not among"),
        ("send('billing/other', '{}')", "requires: [{project: billing, workload: invoice}]", "is not among"),
        ("send('invoice', '{}')", "requires: [{project: billing, workload: invoice}]", ""),
        ("send('other', '{}')", "requires: [{project: billing, workload: invoice}]", "no workload `other`"),
    ],
)
def test_sql_sends_to_what_is_there(sent: str, requires: str, wrong: str) -> None:
    text = SENDING % (requires, sent.replace('"', '\\"'))
    diagnostics = [d for d in found(text) if d.code == "E224"]
    assert [wrong in d.message for d in diagnostics] == ([True] if wrong else [])
    line = text.splitlines()[diagnostics[0].span.line - 1] if diagnostics else ""
    assert not wrong or line[diagnostics[0].span.column - 1 :].startswith("'"), diagnostics


def test_a_search_path_finds_names() -> None:
    text = workload(
        'trigger: manual\nduration: {max: 5s}\nrun: {sql: "select f(a <=> b) from t", search_path: [app]}'
    )
    assert codes(text) == []


def test_the_secret_itself_is_never_repeated() -> None:
    text = workload(SQL % "select 'postgres://u:hunter2@db/x', 'https://u:hunter2@example.com/?key=hunter2'")
    for d in found(text):
        assert "hunter2" not in d.message + d.why + d.help


@pytest.mark.parametrize(
    ("schedule", "longest", "expected"),
    [
        ("every: 59s", "5s", []),
        ("every: 1d", "5s", []),
        ("every: 7d", "5s", []),
        ("every: 500ms", "1ms", ["E409"]),
        ("every: 2d", "5s", ["E409"]),
        ("every: 90s", "5s", ["E409"]),
        ("every: 24h", "5s", []),
        ("every: 60m", "5s", []),
        ("every: 1m", "1m", []),
        ("every: 1m", "61s", ["W403"]),
        ("every: 1m, overlap: buffer_one", "5s", []),
        ("every: 1m, overlap: allow", "5s", ["E411"]),
        ("every: 1h, catchup_window: 7d", "5s", []),
        ("every: 1h, catchup_window: 9m", "5s", ["W404"]),
        ("cron: '0 3 * * *', timezone: europe/berlin", "5s", ["E408"]),
        ("cron: '0 3 * * *', timezone: UTC", "5s", []),
        ("cron: '*/7 * * * *'", "5s", ["W402"]),
        ("cron: '*/7 * * * *'", "100s", ["W402"]),
        ("cron: '0 0 13 * 5'", "5s", ["W401"]),
        ("cron: '75 25 32 13 8'", "5s", ["E404"] * 5),
    ],
)
def test_schedules(schedule: str, longest: str, expected: list[str]) -> None:
    assert sorted(codes(workload(CRON % (schedule, longest)))) == sorted(expected)


def test_the_zone_as_it_is_written() -> None:
    (d,) = found(workload(CRON % ("cron: '0 3 * * *', timezone: europe/berlin", "5s")))
    assert d.help == "Did you mean `Europe/Berlin`?"


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (EDGE + "on_failure: other", ["E205"]),
        (EDGE + "timeout: 20s\nvisibility_timeout: 20s", ["W302"]),
        (EDGE + "visibility_timeout: 4s", ["E303"]),
        (EDGE + "retry: {backoff: {initial: 20m}}", ["E309"]),
        (EDGE + "queue: {kind: unlogged}", ["W304"]),
        (EDGE + "arrival: {rate: 0/s}", []),
        (EDGE + "rate_limit: {limit: 1, period: 1h, key: user}\narrival: {rate: 1/m}", []),
        (EDGE + "poll_interval: 1h", []),
        (EDGE + "poll_interval: 61s", ["E319"]),
        (EDGE + "fan_out: {max: 10, typical: 11}", ["E308"]),
        (EDGE + "access: {enqueue: [PUBLIC, app]}\npayload_schema: ./payloads/product.json", ["E503"]),
        (EDGE + "access: {progress: [anon, app]}\npayload_schema: ./payloads/product.json", ["E503"]),
        (EDGE + "retry: {max_attempts: 1}", []),
        ("trigger: manual\nduration: {max: 5s}\nbatch_size: 5\nrun: {sql: 'select 1'}", ["E318"]),
        ("trigger: manual\nduration: {max: 5s}\nlinger: 5s\nrun: {sql: 'select 1'}", ["E318"]),
        ("trigger: {http: {auth: none}}\nduration: {max: 5s}", ["W502"]),
        ("trigger: [manual, {schedule: {every: 1h}}]\nduration: {max: 5s}", []),
        ("trigger: [manual, {schedule: {every: 5s}}]\nduration: {max: 20s}", ["W403"]),
        ("trigger: {table: {name: pg_catalog.pg_class, on: [insert]}}\nduration: {max: 5s}", ["E504"]),
        ("trigger: {table: {name: storage.objects, on: [insert]}}\nduration: {max: 5s}", ["W501"]),
        ("trigger: manual\nduration: {max: 72s}", ["E306"]),
        ("trigger: manual\nduration: {max: 69s}", []),
        ("trigger: manual\nsteps:\n  a: {depends_on: [a], duration: {max: 1s}}", ["E202"]),
        ("trigger: manual\nsteps:\n  a: {map: b, depends_on: [b], duration: {max: 1s}}", ["E201", "E201"]),
        ("trigger: manual\nsteps:\n  a: {duration: {max: 5m}}", ["E301"]),
        ("trigger: manual\nsteps:\n  a: {duration: {max: 5s, typical: 6s}}", ["E308"]),
    ],
)
def test_workloads(body: str, expected: list[str]) -> None:
    assert sorted(codes(workload(body))) == sorted(expected)


@pytest.mark.parametrize(
    ("on", "columns", "sql", "loops"),
    [
        ("insert", "", "insert into public.t values (1)", True),
        ("insert", "", "update public.t set a = 1 where b", False),
        ("update", "", "update public.t set a = 1 where b", True),
        ("update", "columns: [b]", "update public.t set a = 1 where b", False),
        ("update", "columns: [a, b]", "update public.t set a = 1 where b", True),
        ("update", "", "insert into public.t values (1) on conflict (a) do update set b = 2", True),
        ("delete", "", "with x as (delete from public.t where a returning 1) select * from x", True),
        ("update", "", "update app.t set a = 1 where b", False),
    ],
)
def test_a_handler_that_fires_its_own_trigger(on: str, columns: str, sql: str, loops: bool) -> None:
    more = f", {columns}" if columns else ""
    body = f"trigger: {{table: {{name: public.t, on: [{on}]{more}}}}}\nduration: {{max: 5s}}\nrun: {{sql: '{sql}'}}"
    assert codes(workload(body)) == (["E316"] if loops else [])


def test_a_default_is_blamed_once_where_it_stands() -> None:
    text = """\
version: 1
project: shop
defaults: {poll_interval: 61s}
workloads:
  a: {trigger: manual, duration: {max: 5s}}
  b: {trigger: manual, duration: {max: 5s}}
"""
    assert [(d.code, d.span.line) for d in found(text)] == [("E319", 3)]


def test_schedules_at_different_times_do_not_add_up() -> None:
    def text(times: list[str]) -> str:
        lines = "".join(
            f"  w{n}: {{trigger: {{schedule: {{cron: '{t}'}}}}, duration: {{max: 5s}}, run: {{sql: select 1}}}}\n"
            for n, t in enumerate(times)
        )
        return f"version: 1\nproject: shop\nworkloads:\n{lines}"

    assert codes(text([f"{n} 3 * * *" for n in range(20)])) == []
    assert codes(text([f"0 3 * * {n % 7}" for n in range(20)])) == []
    assert codes(text(["0 3 * * *"] * 20)) == ["W311"]
    (d,) = found(text(["0 3 * * *"] * 20))
    assert "20 schedules at 03:00" in d.message


def test_the_place_of_a_fault_inside_a_statement() -> None:
    text = workload(SQL % "select * form app.t")
    (d,) = found(text)
    line = text.splitlines()[d.span.line - 1]
    assert line[d.span.column - 1 :].startswith("form")


def test_a_statement_of_several_lines_is_pointed_at_as_a_whole() -> None:
    (d,) = found(
        workload("trigger: manual\nduration: {max: 5s}\nrun:\n  sql: |\n    select *\n    form app.t")
    )
    assert d.code == "E310"
    assert d.span.line == 8


def test_environments() -> None:
    top = "environments:\n  %s: {database: {env: A}}\n  %s: {database: {env: B}}\n"
    body = "trigger: manual\nduration: {max: 5s}"
    assert codes(workload(body, top=top % ("production", "pr-12"))) == ["W504"]
    assert codes(workload(body, top=top % ("production", "staging"))) == []
    assert codes(workload(body, top=top % ("dev", "preview"))) == []
    assert codes(workload(body + "\npaused: true", top=top % ("production", "dev"))) == []


def test_a_fleet_is_an_environment_like_any_other() -> None:
    top = "environments:\n  one: {database: {env: A}}\n  %s: {databases: {env: %s}}\n"
    body = "trigger: manual\nduration: {max: 5s}"
    assert codes(workload(body, top=top % ("tenant", "B"))) == []
    assert codes(workload(body, top=top % ("tenant", "A"))) == ["E208"]
    assert codes(workload(body, top=top % ("preview", "B"))) == ["W504"]


@pytest.mark.parametrize(
    ("sql", "expected"),
    [
        ("select true", []),
        ("select", []),
        ("select form", []),
        ("selec true", ["E210"]),
        ("select 1; select 2", ["E210"]),
        ("delete from app.t", ["E210"]),
        ("with x as (delete from app.t returning true) select * from x", ["E210"]),
        ("select * into app.t from app.u", ["E210"]),
        ("select :payload is null", ["E210"]),
        ("select 'sb_secret_abcdefgh12345678' = 'x'", ["E501"]),
    ],
)
def test_requirements(sql: str, expected: list[str]) -> None:
    assert (
        codes(f'version: 1\nproject: shop\nrequires:\n  - {{name: r, check: {{sql: "{sql}"}}}}\n') == expected
    )


def test_renaming_a_project() -> None:
    assert codes("version: 1\nproject: shop\nmoved: {from: store}\n") == []
    assert codes("version: 1\nproject: shop\nmoved: {from: shop}\n") == ["E211"]


def test_two_workloads_may_not_share_the_queue_of_their_dead_letters() -> None:
    body = (
        "trigger: manual, duration: {max: 20s}, payload_schema: ./payloads/product.json, dead_letter_queue: "
    )
    text = "version: 1\nproject: shop\nworkloads:\n"
    assert codes(f"{text}  a: {{{body}failed}}\n  b: {{{body}failed_too}}\n") == []
    finding, *more = found(f"{text}  a: {{{body}failed}}\n  b: {{{body}failed}}\n  c: {{{body}failed}}\n")
    assert [finding.code, *(d.code for d in more)] == ["E214", "E214"]
    assert finding.message == "`failed` has the dead letters of `a` already"
    assert "on_failure" in (finding.help or "")
