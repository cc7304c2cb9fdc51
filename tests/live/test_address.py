"""What a connection string says of where it leads."""

from __future__ import annotations

import pytest

from orchestra.live.address import Way, address, ref_of_api
from orchestra.live.connect import keywords

REF = "abcdefghijklmnopqrst"
OTHER = "zyxwvutsrqponmlkjihg"
POOLER = "aws-1-eu-west-1.pooler.supabase.com"


@pytest.mark.parametrize(
    ("url", "way", "ref"),
    [
        (f"postgresql://postgres:x@db.{REF}.supabase.co:5432/postgres", Way.DIRECT, REF),
        (f"postgresql://postgres:x@db.{REF}.supabase.co/postgres", Way.DIRECT, REF),
        (f"postgresql://postgres:x@DB.{REF.upper()}.Supabase.co/postgres", Way.DIRECT, REF),
        (f"postgres://postgres:x@db.{REF}.supabase.co:6543/postgres", Way.DEDICATED_POOLER, REF),
        (f"postgresql://postgres.{REF}:x@{POOLER}:5432/postgres", Way.SESSION_POOLER, REF),
        (f"postgresql://migrator.{REF}:x@{POOLER}:6543/postgres", Way.TRANSACTION_POOLER, REF),
        (f"host={POOLER} port=6543 user=postgres options=reference={REF}", Way.TRANSACTION_POOLER, REF),
        (f"host=db.{REF}.supabase.co user=postgres dbname=postgres", Way.DIRECT, REF),
        (f"postgresql://postgres.{REF}:x@localhost:6000/postgres", Way.OTHER, REF),
        ("postgresql://postgres:x@db.example.com/postgres", Way.OTHER, None),
        ("postgresql://postgres:x@203.0.113.7/postgres", Way.OTHER, None),
        (f"postgresql://postgres:x@db.{REF}.supabase.co.example.com/postgres", Way.OTHER, None),
        (f"postgresql://postgres:x@{REF}.supabase.co/postgres", Way.OTHER, None),
        # The address decides, and the name beside it only says what a certificate must hold.
        (f"host=db.{REF}.supabase.co hostaddr=203.0.113.7 user=postgres", Way.OTHER, None),
        (f"postgresql://postgres:x@db.{REF}.supabase.co,203.0.113.7/postgres", Way.DIRECT, None),
        (f"postgresql://postgres:x@db.{REF}.supabase.co,db.{OTHER}.supabase.co/postgres", Way.DIRECT, None),
        ("postgresql:///postgres", Way.OTHER, None),
        ("no connection string", Way.OTHER, None),
    ],
)
def test_each_way_to_a_project_is_known(url: str, way: Way, ref: str | None) -> None:
    found = address(keywords(url))
    assert (found.way, found.ref) == (way, ref)


def test_of_two_hosts_every_project_counts() -> None:
    found = address(keywords(f"postgresql://p@db.{REF}.supabase.co,db.{OTHER}.supabase.co/postgres"))
    assert found.refs == {REF, OTHER}


def test_keywords_hold_no_password() -> None:
    assert "secret" not in str(keywords("postgresql://me:secret@localhost/x"))


@pytest.mark.parametrize(
    ("url", "ref"),
    [
        (f"https://{REF}.supabase.co/functions/v1", REF),
        (f"https://{REF}.functions.supabase.co", REF),
        ("https://api.example.com/functions/v1", None),
        (f"https://{REF}.supabase.co.example.com/", None),
        ("http://kong:8000/functions/v1", None),
    ],
)
def test_a_functions_url_tells_its_project(url: str, ref: str | None) -> None:
    assert ref_of_api(url) == ref
