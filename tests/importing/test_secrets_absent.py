"""A secret that stands in a command, a function, a trigger, a name or an error is in nothing that an import says."""

from __future__ import annotations

import json

from engines import Engine
from hand_made import imported, job, made_by_hand, ran

from orchestra.importing import Options
from orchestra.importing.document import dump

SECRET = "hunter2hunter2hunter2"
PLANTED = f"""
    create schema app;
    create table app.note (id int primary key, body text);
    create function app.hook() returns trigger language plpgsql as $$
      begin
        perform net.http_post('https://x.example/?key={SECRET}', '{{"authorization": "Bearer {SECRET}"}}');
        perform pgmq.send('notes', '{{"token": "{SECRET}"}}');
        return null;
      end $$;
    create trigger hook after insert on app.note for each row execute function app.hook('{SECRET}');
    create schema supabase_functions;
    create function supabase_functions.http_request() returns trigger language plpgsql as $$
      begin return null; end $$;
    create trigger "Web Hook" after insert on app.note for each row
      execute function supabase_functions.http_request(
        'https://x.example/{SECRET}', 'POST', '{{"Authorization":"Bearer {SECRET}"}}', '{{}}', '1000');
    select pgmq.create('notes');
"""
COMMANDS = (
    f"select net.http_post('https://x.example/{SECRET}', headers := '{{\"apikey\": \"{SECRET}\"}}')",
    f"select app.sync(api_key => '{SECRET}')",
    f"select dblink('host=db user=me password={SECRET}', 'select 1')",
    f"select app.sync('postgres://me:{SECRET}@db/x')",
    f"alter role postgres password '{SECRET}'",
    f"select 1; select app.sync('secret', '{SECRET}')",
    f"call app.sync('{SECRET}9x8y7z6w5v')",
    f"select pgmq.send('notes', '{{\"token\": \"{SECRET}\"}}')",
    f"select app.sync('{SECRET}', 'open",
    f"vacuum app.note -- password: {SECRET}",
    f"do $$ begin perform net.http_post('https://x.example', '{{\"key\": \"{SECRET}\"}}'); end $$",
)


def test_planted_secrets_are_in_no_output(engine: Engine) -> None:
    made_by_hand(engine, PLANTED)
    for number, command in enumerate(COMMANDS):
        planted = job(engine, f"planted {number}", "0 3 * * *", command)
        ran(engine, planted, 1, f'ERROR:  invalid input syntax for type integer: "{SECRET}"')
    job(engine, "sk_live_" + SECRET, "0 3 * * *", "select 1")
    found = imported(engine, Options("shop"))
    assert "hunter2" not in found.text
    assert "hunter2" not in dump(found)
    assert "hunter2" not in found.command
    assert json.loads(dump(found))["spec"] == found.text
    assert len(found.left_out) == len(COMMANDS) + 2
    assert [w.name for w in found.spec.workloads] == [f"job-{len(COMMANDS) + 1}", "notes"]


def test_a_database_webhook_is_named_and_left_alone(engine: Engine) -> None:
    made_by_hand(engine, PLANTED)
    found = imported(engine)
    (hook,) = (item for item in found.left_out if '"Web Hook" on app.note' in item.what)
    assert "it is a database webhook" in hook.reason
    (own,) = (item for item in found.left_out if '"hook" on app.note' in item.what)
    assert "makes an HTTP call" in own.reason
