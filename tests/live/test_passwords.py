"""A password is in no error, whatever is wrong with the URL or the server."""

from __future__ import annotations

import traceback
from urllib.parse import urlsplit

import pytest
from engines import Engine

from orchestra.errors import OrchestraError
from orchestra.live.connect import connect, safe

SECRET = "hunter2-is-s3cret"


def _urls(engine: Engine) -> dict[str, str]:
    at = urlsplit(engine.dsn).netloc.rpartition("@")[2]
    return {
        "a wrong password": f"postgresql://locked:{SECRET}@{at}/postgres",
        "a wrong host": f"postgresql://u:{SECRET}@no-such-host.invalid/db",
        "a wrong port": f"postgresql://u:{SECRET}@127.0.0.1:1/db",
        "no such database": f"postgresql://postgres:{SECRET}@{at}/nowhere",
        "no such role": f"postgresql://nobody:{SECRET}@{at}/postgres",
        "a password as parameter": f"postgresql://127.0.0.1:1/db?user=u&password={SECRET}",
        "key and value": f"host=127.0.0.1 port=1 user=u password={SECRET}",
        "an unknown setting": f"postgresql://u:{SECRET}@{at}/db?no_such_setting=1",
        "a port that is none": f"postgresql://u:{SECRET}@127.0.0.1:port/db",
        "an unescaped sign": f"postgresql://u:{SECRET}@x/y@{at}/db",
        "two signs": f"postgresql://u:p@{SECRET}@{at}/db",
        "a slash before the sign": f"postgresql://u:p/{SECRET}@{at}/db",
        "a quote": f"host='127.0.0.1 user=u password={SECRET}",
        "only a password": SECRET,
        "a bad option": f"postgresql://u:{SECRET}@{at}/db?sslmode={SECRET}",
        "options": f"postgresql://postgres:{SECRET}@{at}/postgres?options=-c%20no.such%3Dx%20-c%20work_mem%3Dx",
        "a zero byte": f"postgresql://u:{SECRET}%00@{at}/db",
    }


@pytest.mark.parametrize("case", range(15))
def test_no_error_holds_a_password(embedded: Engine, case: int) -> None:
    name, url = list(_urls(embedded).items())[case]
    with pytest.raises(OrchestraError) as caught:
        connect(url)
    text = f"{caught.value.message} {caught.value.remedy} {caught.value!r}"
    # What a person sees with a traceback shown, too: nothing is chained that holds the URL.
    shown = "".join(traceback.format_exception_only(caught.value))
    assert caught.value.__cause__ is None
    assert caught.value.__suppress_context__
    assert SECRET not in text + shown, name


def test_a_url_is_printed_without_its_password() -> None:
    assert (
        safe(f"postgresql://u:{SECRET}@db.example.com:6543/app?sslmode=require")
        == "u@db.example.com:6543/app"
    )
    assert safe(f"host=/tmp password={SECRET} dbname=app") == "the default user@local socket/app"
    assert safe("not a url at all '") == "the given URL"
