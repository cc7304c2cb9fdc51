"""Vault's stand-in."""

from __future__ import annotations

import pytest
from engines import Engine
from psycopg import errors


@pytest.fixture
def vault(embedded: Engine) -> Engine:
    embedded.execute("create extension supabase_vault")
    return embedded


def test_a_secret_is_read_back_by_name(vault: Engine) -> None:
    [(made,)] = vault.execute("select vault.create_secret('s3cret', 'name', 'what for')")
    assert vault.execute("select id, name, description, decrypted_secret from vault.decrypted_secrets") == [
        (made, "name", "what for", "s3cret")
    ]
    assert vault.execute("select secret from vault.secrets") != [("s3cret",)]


def test_a_name_that_is_taken_raises(vault: Engine) -> None:
    vault.execute("select vault.create_secret('one', 'name')")
    with pytest.raises(errors.UniqueViolation):
        vault.execute("select vault.create_secret('two', 'name')")


def test_secrets_without_a_name_do_not_collide(vault: Engine) -> None:
    for _ in range(2):
        vault.execute("select vault.create_secret('value')")
    assert vault.execute("select count(*) from vault.secrets") == [(2,)]


def test_update_changes_what_is_given(vault: Engine) -> None:
    [(made,)] = vault.execute("select vault.create_secret('one', 'name', 'about')")
    vault.execute("select vault.update_secret(%s, new_secret => 'two')", [made])
    shown = "select name, description, decrypted_secret from vault.decrypted_secrets"
    assert vault.execute(shown) == [("name", "about", "two")]


def test_other_roles_see_nothing(vault: Engine) -> None:
    vault.execute("create role app login")
    with pytest.raises(errors.InsufficientPrivilege):
        vault.execute("select * from vault.decrypted_secrets", user="app")


def test_the_functions_have_the_known_signatures(vault: Engine) -> None:
    found = vault.execute(
        """
        select proname, pg_get_function_arguments(oid), pg_get_function_result(oid), proconfig
          from pg_proc where pronamespace = 'vault'::regnamespace and proname ~ '_secret$' order by 1
        """
    )
    assert found == [
        (
            "create_secret",
            "new_secret text, new_name text DEFAULT NULL::text, new_description text DEFAULT ''::text, "
            "new_key_id uuid DEFAULT NULL::uuid",
            "uuid",
            ['search_path=""'],
        ),
        (
            "update_secret",
            "secret_id uuid, new_secret text DEFAULT NULL::text, new_name text DEFAULT NULL::text, "
            "new_description text DEFAULT NULL::text, new_key_id uuid DEFAULT NULL::uuid",
            "void",
            ['search_path=""'],
        ),
    ]
