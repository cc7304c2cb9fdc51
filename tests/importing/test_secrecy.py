"""A literal that may be a credential is found by its form or by the name beside it, and then no literal is shown."""

from __future__ import annotations

import pytest

from orchestra.importing.jobs import shown
from orchestra.importing.secrecy import concealed, said, suspicion

SECRETS = [
    "select app.sync(api_key => 'hunter2-Live')",
    "select app.sync('token', 'hunter2-Live')",
    "update app.setting set value = 'hunter2-Live' where name = 'x' and secret = 'hunter2-Live'",
    'select app.login(\'{"password": "hunter2-Live"}\')',
    "select dblink('host=db password=hunter2-Live', 'select 1')",
    "select app.call('sk_live_hunter2hunter2hunter2')",
    "select app.call('eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJodW50ZXIyIjoxfQ.hunter2-Live')",
    "alter role app password 'hunter2-Live'",
    "select app.call('a8f5f167f44f4964e6c998dee827110c')",
    "select app.call('Authorization: Bearer hunter2-Live')",
    "select app.fetch('postgres://me:hunter2-Live@db/x')",
    "select 1 -- the password is hunter2-Live",
    "/* key a8f5f167f44f4964e6c998dee827110c */ select 1",
    "select set_config('app.secret_token', 'hunter2-Live', false)",
]


@pytest.mark.parametrize("sql", SECRETS)
def test_what_may_be_a_credential_is_suspect_and_not_shown(sql: str) -> None:
    assert suspicion(sql) is not None
    text = "\n".join(shown(sql))
    assert text
    assert "hunter2" not in text
    assert "a8f5f167" not in text


@pytest.mark.parametrize(
    "sql",
    [
        "delete from app.sessions where expires_at < now() - interval '30 days'",
        "delete from app.tokens where state = 'expired'",
        "delete from auth.refresh_tokens where revoked and updated_at < now() - interval '7 days'",
        "select app.refresh('materialised view of the day')",
        "refresh materialized view concurrently app.totals",
        "insert into app.log (kind, at) values ('nightly-report', now())",
        "select decrypted_secret from vault.decrypted_secrets where name = 'key'",
        "select to_char(now(), 'YYYY-MM-DD\"T\"HH24:MI:SS')",
        "select 1 -- every 15 minutes; tokens expire after 30 days",
        "select app.run('550e8400-e29b-41d4-a716-446655440000')",
        "select app.run('2026-01-01T00:00:00')",
    ],
)
def test_everyday_statements_are_not_suspect(sql: str) -> None:
    assert suspicion(sql) is None
    assert "\n".join(shown(sql)) == sql or "vault" in sql


def test_only_the_host_of_an_address_is_shown() -> None:
    sql = "select net.http_post('https://me:hunter2@hooks.example.com/T0/hunter2?k=hunter2') -- hunter2\n/* hunter2 */"
    assert concealed(sql) == "select net.http_post('https://hooks.example.com/********')"


def test_of_what_is_no_sql_nothing_is_shown() -> None:
    assert concealed("select 'hunter2 https://x/hunter2") is None
    assert shown("select net.http_post('hunter2") == ()


def test_an_error_that_quotes_a_suspect_statement_is_starred_out() -> None:
    error = 'ERROR:  invalid input syntax for type integer: "hunter2-Live"\nLINE 1: select ...'
    assert said(error, SECRETS[0]) == 'invalid input syntax for type integer: "********"'
    assert said("ERROR:  no user a8f5f167f44f4964e6c998dee827110c", "select 1") == "no user ********"
    assert said('ERROR:  column "processed" does not exist', "select processed") == (
        'column "processed" does not exist'
    )
