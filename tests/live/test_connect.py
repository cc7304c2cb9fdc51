"""A database that cannot be reached is said to be so in the server's own words, and once."""

from __future__ import annotations

import pytest
from engines import Engine

from orchestra.errors import ConnectError
from orchestra.live.connect import connect


@pytest.mark.parametrize(
    "url", ["postgresql://me:pw@127.0.0.1:1/x", "host=127.0.0.1 port=1", "host=127.0.0.1,127.0.0.1 port=1,2"]
)
def test_where_nobody_listens(url: str) -> None:
    with pytest.raises(ConnectError, match=r"^cannot connect to .*: Connection refused$") as caught:
        connect(url)
    assert "check that the server runs" in caught.value.remedy


def test_a_database_and_a_role_that_are_not_there(pg17: Engine) -> None:
    with pytest.raises(ConnectError, match=r'FATAL:  database "nowhere" does not exist$'):
        connect(pg17.url(database="nowhere"))
    with pytest.raises(ConnectError, match=r'FATAL:  role "nobody" does not exist$'):
        connect(pg17.url(user="nobody"))
