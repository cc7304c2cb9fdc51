"""Nobody waits for a name that does not resolve."""

from __future__ import annotations

from threading import Event

from orchestra.doctor.connection import only_ipv6
from orchestra.doctor.network import only_by_ipv6, within


def test_what_hangs_is_left_behind() -> None:
    never = Event()
    assert within(0.05, never.wait, False) is False
    never.set()
    assert within(30, lambda: 7, 0) == 7


def test_a_host_of_ipv4_is_reached_otherwise() -> None:
    assert not only_by_ipv6("127.0.0.1")
    assert not only_by_ipv6("no such name")


def test_the_remedy_is_the_session_poolers_connection_string() -> None:
    found = only_ipv6("abcdefghijklmnopqrst")
    assert (
        "postgresql://postgres.abcdefghijklmnopqrst:…@aws-0-<region>.pooler.supabase.com:5432" in found.remedy
    )
