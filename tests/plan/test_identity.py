"""A plan says which Supabase project it could not prove, and is blocked where it is another one."""

from __future__ import annotations

from orchestra.live.address import address
from orchestra.plan.identity import Meant, blockers, conditions

PROD, STAGING, OTHER = "abcdefghijklmnopqrst", "zyxwvutsrqponmlkjihg", "aaaaaaaaaaaaaaaaaaaa"
ENVIRONMENTS = (("production", PROD), ("staging", STAGING))


def at(ref: str | None) -> dict[str, str]:
    return {"host": f"db.{ref}.supabase.co" if ref else "10.1.2.3", "user": "postgres"}


def test_another_project_blocks_with_the_name_of_its_environment() -> None:
    meant = Meant(PROD, ENVIRONMENTS)
    (found,) = blockers("shop", meant, address(at(STAGING)), "production")
    assert (found.code, found.exit_code) == ("project_ref", 5)
    assert "which the spec calls staging" in found.message
    assert "--env staging" in found.remedy
    (stranger,) = blockers("shop", meant, address(at(OTHER)), "production")
    assert "the spec calls" not in stranger.message
    assert not list(blockers("shop", meant, address(at(PROD)), "production"))


def test_without_an_environment_the_project_of_one_is_not_taken_for_none() -> None:
    (found,) = blockers("shop", Meant(None, ENVIRONMENTS), address(at(PROD)), "default")
    assert "the spec calls environment production" in found.message
    assert found.remedy.startswith("give --env production")
    assert not list(blockers("shop", Meant(None, ENVIRONMENTS), address(at(OTHER)), "default"))
    # A project that is named without its spec: whatever environment it has.
    assert not list(blockers("shop", Meant(None, ENVIRONMENTS), address(at(PROD)), ""))


def test_what_cannot_be_told_is_said() -> None:
    (found,) = conditions("shop", Meant(PROD), address(at(None)), functions=False)
    assert f"not proved that it is {PROD}" in found.message
    assert not list(conditions("shop", Meant(PROD), address(at(PROD)), functions=False))
    assert not list(conditions("shop", Meant(), address(at(None)), functions=False))


def test_a_link_to_another_project_is_told_where_functions_are_deployed_by_it() -> None:
    meant = Meant(PROD, linked=OTHER)
    (found,) = conditions("shop", meant, address(at(PROD)), functions=True)
    assert (found.code, found.remedy) == ("linked_elsewhere", f"supabase link --project-ref {PROD}")
    assert not list(conditions("shop", meant, address(at(PROD)), functions=False))
    assert not list(conditions("shop", Meant(PROD, linked=PROD), address(at(PROD)), functions=True))
