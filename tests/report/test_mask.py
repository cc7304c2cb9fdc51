"""What looks like a credential, and what only nearly does."""

from __future__ import annotations

import pytest

from orchestra.report import mask

JWT = "eyJhbGciOiJIUzI1NiJ9.eyJyb2xlIjoic2VydmljZV9yb2xlIn0.c2ln"


@pytest.mark.parametrize(
    ("text", "gone"),
    [
        (f"select '{JWT}'", JWT),
        ("sb_secret_abcdefgh12345", "abcdefgh12345"),
        ("postgresql://me:hunter2@host:5432/db", "hunter2"),
        ("amqps://u:p%40ss@h", "p%40ss"),
        ("postgresql://host/db?user=x&password=hunter2&sslmode=require", "hunter2"),
        ("alter role x password 'hunter2'", "hunter2"),
        ("alter role x password 'hun''ter2'", "ter2"),
        ("alter role x password E'hunter2\\n'", "hunter2"),
        ("alter role x password $pw$hunter2$pw$", "hunter2"),
        ("select dblink_exec('db', 'alter role x password ''hunter2''')", "hunter2"),
        ("select dblink('host=db user=u password=hunter2', 'select 1')", "hunter2"),
        ("PASSWORD='hunter2' host=x", "hunter2"),
        ('{"Authorization": "Bearer abcdefghijklmnop1234"}', "abcdefghijklmnop1234"),
        ("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "MfKQ9r8"),
        ("sk_live_abcdefghijklmnop", "abcdefghijklmnop"),
        ("ghp_abcdefghijklmnopqrstuvwxyz0123456789", "abcdefgh"),
        ("-----BEGIN RSA PRIVATE KEY-----\nMIIE\n-----END RSA PRIVATE KEY-----", "MIIE"),
    ],
)
def test_credentials_are_masked(text: str, gone: str) -> None:
    masked = mask.text(text)
    assert gone not in masked
    assert mask.STARS in masked
    assert mask.text(masked) == masked


@pytest.mark.parametrize(
    "text",
    [
        "select * from app.users where password = $1",
        "update app.users set password=crypt($1, gen_salt('bf'))",
        "update app.users set password = '' where name = 'it''s' and login = ''",
        "https://example.com:8080/path@2x",
        "postgresql://me@host:5432/db",
        "select 'test_results', sb_status from x",
        "eyJ.not.a.token",
        "select 'the bearer of news'",
    ],
)
def test_what_is_no_credential_stays_as_it_is(text: str) -> None:
    assert mask.text(text) == text


def test_a_driver_message_loses_the_password_of_a_connection_string() -> None:
    assert mask.message("invalid dsn: host=x password=hunter2 dbname=y") == (
        "invalid dsn: host=x password=******** dbname=y"
    )
