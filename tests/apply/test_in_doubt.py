"""The connection is lost at the very commit: the ledger knows whether it happened."""

from __future__ import annotations

import pytest

from apply.mortal import Mortal, mortal
from apply.shop import Shop, assert_empty
from orchestra import pipeline
from orchestra.apply import doubt
from orchestra.errors import ApplyError, ConnectError, InDoubtError
from orchestra.live.connect import Database


class DiesAtCommit(Mortal):
    def script(self, sql: str) -> None:
        if sql != "commit":
            return super().script(sql)
        if self.after:
            # The server commits, and its answer never arrives.
            super().script(sql)
            self._kill(sql)
            return super().script("select 1")
        self._kill(sql)
        return super().script(sql)


def _dying(shop: Shop, *, after: bool) -> DiesAtCommit:
    made = mortal(shop.engine, after=after)
    made.__class__ = DiesAtCommit
    assert isinstance(made, DiesAtCommit)
    return made


def test_killed_right_before_the_commit_it_is_found_not_to_have_happened(shop: Shop) -> None:
    before = shop.state()
    with pytest.raises(ApplyError, match="lost at commit, and the server rolled the changes back"):
        pipeline.apply(_dying(shop, after=False), shop.plan())
    assert shop.state() == before
    shop.apply()
    assert_empty(shop.plan())


def test_killed_right_after_the_commit_it_is_found_to_have_happened(shop: Shop) -> None:
    applied = pipeline.apply(_dying(shop, after=True), shop.plan())
    assert shop.run("select id from orchestra.deployment") == [(applied.deployment_ids[0],)]
    assert_empty(shop.plan())


def test_where_nobody_can_be_asked_it_is_said_to_be_in_doubt(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    def unreachable(url: str) -> Database:
        raise ConnectError("cannot connect")

    monkeypatch.setattr(doubt, "connect", unreachable)
    monkeypatch.setattr(doubt, "_PAUSE_S", 0.0)
    with pytest.raises(InDoubtError, match="cannot be asked") as caught:
        pipeline.apply(_dying(shop, after=True), shop.plan())
    assert "orchestra.deployment: if row 1 is there" in caught.value.remedy
