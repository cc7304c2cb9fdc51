"""The catalogues of older pgmq, which no registry has: the carried version less what came since."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import psycopg
from engines import Engine
from engines.supabase import ROLE, Hosted

# The columns of messages that each version lacks. `headers` came with 1.5, `last_read_at` with 1.10.
LACKING = {"1.4.4": ("headers", "last_read_at"), "1.5.1": ("last_read_at",), "1.11.1": ()}

# The functions of 1.5.1 and before that are kept. What is newer is dropped, and so is what old versions had in another
# form, such as `pop` of one message.
_OLD = {
    "create",
    "create_non_partitioned",
    "create_unlogged",
    "_belongs_to_pgmq",
    "purge_queue",
    "list_queues",
    "metrics",
    "metrics_all",
    "send",
    "read",
    "read_with_poll",
    "archive",
    "delete",
    "format_table_name",
    "validate_queue_name",
}

_FUNCTIONS = """
    select p.oid::regprocedure::text, p.proname::text, pg_get_functiondef(p.oid)
    from pg_proc p where p.pronamespace = 'pgmq'::regnamespace
"""

# Up to 1.5.1 the tables of a queue belong to the extension, which has to give them up before they can be dropped; so
# whoever makes queues has to own it.
_MEMBERS = """
    alter function pgmq.create_non_partitioned(text) rename to make;
    alter function pgmq.create_unlogged(text) rename to make_unlogged;
    create function pgmq.take_in(queue_name text) returns void language plpgsql as $$
    declare
      name text;
    begin
      foreach name in array array['q_' || queue_name, 'a_' || queue_name] loop
        if not pgmq._belongs_to_pgmq(name) then
          execute format('alter extension pgmq add table pgmq.%I', name);
        end if;
      end loop;
    end
    $$;
    create or replace function pgmq.create(queue_name text) returns void language plpgsql as $$
    begin
      perform pgmq.make(queue_name), pgmq.take_in(queue_name);
    end
    $$;
    create function pgmq.create_unlogged(queue_name text) returns void language plpgsql as $$
    begin
      perform pgmq.make_unlogged(queue_name), pgmq.take_in(queue_name);
    end
    $$;
"""
_DROP_QUEUE = """
    create function pgmq.drop_queue({parameters}) returns boolean language plpgsql as $$
    begin
      execute format('alter extension pgmq drop table pgmq.%I', 'q_' || queue_name);
      execute format('alter extension pgmq drop table pgmq.%I', 'a_' || queue_name);
      execute format('drop table pgmq.%I, pgmq.%I', 'q_' || queue_name, 'a_' || queue_name);
      execute format('delete from pgmq.meta where queue_name = %L', queue_name);
      return true;
    end
    $$;
"""
_PARAMETERS = {"1.4.4": "queue_name text, partitioned boolean default false", "1.5.1": "queue_name text"}

# Of 1.4.4, whose messages have no headers.
_SEND = """
    create function pgmq.send(queue_name text, msg jsonb, delay integer default 0) returns setof bigint
    language plpgsql as $$
    begin
      return query execute format(
        'insert into pgmq.%I (vt, message) values (clock_timestamp() + $1, $2) returning msg_id', 'q_' || queue_name)
      using make_interval(secs => delay), msg;
    end
    $$;
"""


def install(engine: Engine, version: str) -> Hosted:
    """The setting of a hosted project whose pgmq is of that version. It is gone with the database of the test."""
    hosted = engine.hosted(calls=True)
    with psycopg.connect(engine.dsn, autocommit=True) as connection:
        connection.execute("update pg_extension set extversion = %s where extname = 'pgmq'", [version])
        if version == "1.11.1":
            _drop_functions(connection, lambda name: name.startswith("read_grouped_head"))
            return hosted
        _drop_functions(connection, lambda name: name not in _OLD)
        for table in ("topic_bindings", "notify_insert_throttle"):
            connection.execute(f"alter extension pgmq drop table pgmq.{table}; drop table pgmq.{table}")
        if version == "1.4.4":
            _drop_functions(connection, lambda name: name == "send")
            connection.execute(_SEND)
        for column in LACKING[version]:
            connection.execute(f"alter type pgmq.message_record drop attribute {column}")
        for _, _, definition in connection.execute(_FUNCTIONS).fetchall():
            connection.execute(_older(definition, LACKING[version]))
        connection.execute(_MEMBERS)
        connection.execute(_DROP_QUEUE.format(parameters=_PARAMETERS[version]))
        connection.execute("update pg_extension set extowner = %s::regrole where extname = 'pgmq'", [ROLE])
    return hosted


def _drop_functions(connection: psycopg.Connection[Any], unknown: Callable[[str], bool]) -> None:
    for signature, name, _ in connection.execute(_FUNCTIONS).fetchall():
        if unknown(name):
            connection.execute(f"alter extension pgmq drop function {signature}; drop function {signature}")


def _older(definition: str, lacking: tuple[str, ...]) -> str:
    """A function without what it does with these columns; the lock is newer than both."""
    text = definition.replace("PERFORM pgmq.acquire_queue_lock(queue_name);", "")
    text = text.replace("last_read_at = clock_timestamp(),", "")
    for column in lacking:
        text = re.sub(rf",\s*(m\.)?{column}( [A-Z ]+)?(?=[\s,);])", "", text)
    return text
